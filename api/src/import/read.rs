//! Files to what they hold, before anything is written.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::from_utf8;

use chrono::{DateTime, Utc};
use entity::Timestamp;
use serde_json::Value;

use super::definition::{self, Definition};
use super::notes;
use super::recording::{Recording, share_names};
use super::walk::{Found, Kind, Walk};
use crate::domain::digest::sha256;
use crate::domain::parse_error::ParseError;
use crate::domain::transcript::{self, lines};

/// The largest file that is read, in bytes: more than a year of talk.
const MAX_FILE: u64 = 64 << 20;

/// Where content comes from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The file, for messages.
    pub(super) path: PathBuf,
    /// Its path below the folder that was given.
    pub(super) name: String,
    /// What tells it from all other files.
    pub(super) identity: String,
    /// What it may have been called below a folder that was given earlier.
    pub(super) names: Vec<String>,
    /// The SHA-256 of its content in hex.
    pub(super) hash: String,
    /// When it was last changed, where the system tells.
    pub(super) modified: Option<Timestamp>,
}

/// Where a definition belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shelf {
    /// Among the skills.
    Skills,
    /// Among the subagents, in this category.
    Subagents(Option<String>),
}

/// What all the files hold.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Skills and subagents.
    pub(super) definitions: Vec<(Source, Shelf, Definition)>,
    /// Meetings.
    pub(super) meetings: Vec<(Source, Recording)>,
    /// What could not be read, as `path:line: reason`.
    pub(super) problems: Vec<String>,
    /// How many files in folders are nothing to import.
    pub(super) passed_over: usize,
}

impl Batch {
    /// Reads every file below the paths.
    pub(super) fn read(paths: &[PathBuf]) -> Self {
        let walk = Walk::through(paths);
        let mut batch = Self {
            problems: walk.problems,
            passed_over: walk.passed_over,
            ..Self::default()
        };
        for found in &walk.files {
            if let Err(problem) = batch.add(found) {
                batch.problems.push(problem);
            }
        }
        share_names(batch.meetings.iter_mut().map(|(_, recording)| recording));
        batch
    }

    fn add(&mut self, found: &Found) -> Result<(), String> {
        let (source, text) = load(found)?;
        let located = |error: ParseError| problem(&found.path, &error);
        match found.kind {
            Kind::Skill => {
                let definition = define(&text).map_err(located)?;
                self.definitions.push((source, Shelf::Skills, definition));
            }
            Kind::Subagent => {
                let definition = define(&text).map_err(located)?;
                let shelf = Shelf::Subagents(found.folder());
                self.definitions.push((source, shelf, definition));
            }
            Kind::Notes => {
                let notes = notes::parse(&part(found.path.file_name()), &text).map_err(located)?;
                self.meetings.push((source, Recording::of_notes(notes)));
            }
            Kind::Transcript(format) => {
                let spoken = transcript::parse(&text, format).map_err(located)?;
                let title = part(found.path.file_stem());
                let recording = Recording::of_transcript(&title, spoken);
                self.meetings.push((source, recording));
            }
        }
        Ok(())
    }
}

/// A problem with a line of a file, as compilers write it.
pub(super) fn problem(path: &Path, error: &ParseError) -> String {
    format!("{}:{}: {}", path.display(), error.line, error.reason)
}

fn part(name: Option<&std::ffi::OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().into_owned()
}

fn load(found: &Found) -> Result<(Source, String), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", found.path.display());
    let refused = |reason: String| problem(&found.path, &ParseError::new(1, reason));
    let metadata = fs::metadata(&found.path).map_err(failed)?;
    // A pipe or a device may have no end, or wait for one for ever.
    if !metadata.is_file() {
        return Err(refused("expected a regular file".to_owned()));
    }
    let mut content = Vec::new();
    let file = File::open(&found.path).map_err(failed)?;
    let read = file.take(MAX_FILE + 1).read_to_end(&mut content);
    read.map_err(failed)?;
    if content.len() as u64 > MAX_FILE {
        return Err(refused(format!("expected at most {} MiB", MAX_FILE >> 20)));
    }
    let modified = metadata.modified().ok();
    let source = Source {
        path: found.path.clone(),
        name: found.name.clone(),
        identity: found.identity(),
        names: found.names(),
        hash: sha256(&content),
        modified: modified.map(|at| Timestamp::new(DateTime::<Utc>::from(at))),
    };
    let text = decode(content).map_err(|error| problem(&found.path, &error))?;
    Ok((source, text))
}

/// The text of a file: UTF-8, or UTF-16 if its first two bytes say so. Any other encoding would be a guess.
fn decode(content: Vec<u8>) -> Result<String, ParseError> {
    let unit: fn([u8; 2]) -> u16 = match content.as_slice() {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => {
            return String::from_utf8(content).map_err(|error| {
                let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = lines::numbered(from_utf8(valid).unwrap_or_default()).count();
                ParseError::new(line, "expected UTF-8, or UTF-16 with a byte order mark")
            });
        }
    };
    let (pairs, rest) = content.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().copied().map(unit)).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => Err(ParseError::new(
            1,
            "expected UTF-16, as its first bytes say",
        )),
    }
}

/// Reads a definition. YAML can write a NUL that the text of the file does not show, and PostgreSQL stores none.
fn define(text: &str) -> Result<Definition, ParseError> {
    let definition = definition::parse(text)?;
    let Definition {
        description,
        tools,
        model,
        extra,
        ..
    } = &definition;
    let has_nul = [description]
        .into_iter()
        .chain(tools)
        .chain(model)
        .any(|text| text.contains('\0'))
        || extra
            .iter()
            .any(|(key, value)| key.contains('\0') || holds_nul(value));
    if has_nul {
        return Err(ParseError::new(
            1,
            "expected text in the frontmatter, found a NUL character",
        ));
    }
    Ok(definition)
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| key.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_read_by_its_mark() {
        let text = "\u{feff}Nora: caf\u{e9} \u{1f600}";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for content in [little.clone(), big, text.as_bytes().to_vec()] {
            assert_eq!(decode(content).as_deref(), Ok(text));
        }
        for (content, line) in [
            (b"Nora: one\nOmar: caf\xe9".to_vec(), 2),
            (little[..little.len() - 1].to_vec(), 1),
            (vec![0xff, 0xfe, 0x00, 0xd8], 1),
        ] {
            let refused = decode(content).err();
            assert_eq!(refused.map(|error| error.line), Some(line));
        }
    }
}
