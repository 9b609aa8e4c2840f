//! The YAML between two `---` at the start of a Markdown file.

use serde_json::{Map, Value};

use super::yaml::{read, split_key};
use crate::domain::parse_error::ParseError;
use crate::domain::transcript::lines;

/// The line above and below the YAML.
const FENCE: &str = "---";

/// Frontmatter that was read, and the text below it.
#[derive(Debug)]
pub(super) struct Frontmatter {
    /// The values nobody took yet.
    pub(super) values: Map<String, Value>,
    /// The text below, without blank lines around it.
    pub(super) body: String,
    /// The lines of the YAML, for telling where a key stands.
    rows: Vec<String>,
}

/// Whether a line opens or closes frontmatter.
pub(super) fn is_fence(line: &str) -> bool {
    line.trim_end() == FENCE
}

impl Frontmatter {
    /// Splits a file and reads its YAML.
    pub(super) fn split(text: &str) -> Result<Self, ParseError> {
        let mut rows = lines::numbered(text).map(|(_, line)| line);
        let first = rows.next().unwrap_or_default();
        if !is_fence(first) {
            return Err(ParseError::found(
                1,
                "frontmatter that starts with `---`",
                first,
            ));
        }
        let mut yaml = Vec::new();
        loop {
            match rows.next() {
                Some(line) if is_fence(line) => break,
                Some(line) => yaml.push(line),
                None => {
                    let reason = "expected `---` below the frontmatter, which is never closed";
                    return Err(ParseError::new(1, reason));
                }
            }
        }
        let body = rows.collect::<Vec<_>>().join("\n");
        let values = read(&yaml)?;
        Ok(Self {
            values,
            body: body.trim_matches('\n').trim_end().to_owned(),
            rows: yaml.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Takes a value that must be there and have text.
    pub(super) fn required(&mut self, key: &str) -> Result<String, ParseError> {
        let is_there = self.values.contains_key(key);
        match self.optional(key)? {
            Some(text) => Ok(text),
            None if is_there => Err(ParseError::new(
                self.line_of(key),
                format!("expected `{key}` to have a value"),
            )),
            None => Err(ParseError::new(
                1,
                format!("expected the key `{key}` in the frontmatter"),
            )),
        }
    }

    /// Takes a value as text; `None` when it is missing or blank.
    pub(super) fn optional(&mut self, key: &str) -> Result<Option<String>, ParseError> {
        let text = match self.take(key) {
            Value::Null => return Ok(None),
            Value::String(text) => text,
            // A name such as `2026` is a number to YAML only.
            scalar @ (Value::Bool(_) | Value::Number(_)) => scalar.to_string(),
            other => {
                let expected = format!("`{key}` as text");
                return Err(ParseError::found(
                    self.line_of(key),
                    &expected,
                    &other.to_string(),
                ));
            }
        };
        let text = text.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    /// Takes a value; null when it is missing.
    pub(super) fn take(&mut self, key: &str) -> Value {
        self.values.remove(key).unwrap_or(Value::Null)
    }

    /// The line in the file of a key on the top level; that of the frontmatter when it has no line of its own.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let row = self
            .rows
            .iter()
            .position(|row| split_key(row).is_some_and(|(found, _)| found == key));
        // The fence is line 1.
        row.map_or(1, |row| row + 2)
    }
}
