//! Which files there are below the given paths, and what each is by its name and place.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::definition::is_definition;
use crate::domain::transcript::Format;

/// The file in a folder that makes the folder a skill.
const SKILL: &str = "SKILL.md";

/// What goes with content and is none, whatever it ends in; in lower case, without the ending.
const ABOUT: [&str; 8] = [
    "readme",
    "license",
    "licence",
    "copying",
    "notice",
    "changelog",
    "contributing",
    "code_of_conduct",
];

/// What a file is to be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The `SKILL.md` of a skill.
    Skill,
    /// Markdown with frontmatter.
    Subagent,
    /// Other Markdown.
    Notes,
    /// A transcript, in the format its ending tells; `.txt` tells none.
    Transcript(Option<Format>),
}

/// A file to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it is, as the person who gave the path would write it.
    pub(super) path: PathBuf,
    /// Its path below the given folder, with `/` between the parts; of a given file, its name.
    pub(super) name: String,
    /// The name of the folder it is in.
    pub(super) folder: Option<String>,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a walk finds.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The files, each once, in the order of the given paths and sorted within each folder.
    pub(super) files: Vec<Found>,
    /// The paths that could not be opened, each with the reason.
    pub(super) problems: Vec<String>,
    seen: HashSet<PathBuf>,
}

impl Walk {
    /// Walks through files and folders. Hidden entries, links to folders and what cannot be imported are passed over.
    pub(super) fn through(roots: &[PathBuf]) -> Self {
        let mut walk = Self::default();
        for root in roots {
            // A path such as `notes` or `..` has a parent and a name only once it is resolved.
            let visited = fs::canonicalize(root).and_then(|real| {
                let in_skill = real.parent().is_some_and(is_skill);
                if real.is_dir() {
                    return walk.folder(root, root, in_skill);
                }
                let name = root.file_name().unwrap_or(root.as_os_str());
                walk.file(root, name.to_string_lossy().into_owned(), in_skill)
            });
            walk.note(root, visited);
        }
        walk
    }

    fn folder(&mut self, root: &Path, folder: &Path, in_skill: bool) -> io::Result<()> {
        let in_skill = in_skill || is_skill(folder);
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let visited = match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder(root, &path, in_skill),
                // A link may lead to a file, or in circles.
                Ok(_) if path.is_file() => self.file(&path, relative(root, &path), in_skill),
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            self.note(&path, visited);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String, in_skill: bool) -> io::Result<()> {
        let Some(kind) = kind(path, in_skill) else {
            return Ok(());
        };
        let real = fs::canonicalize(path)?;
        let folder = real.parent().and_then(Path::file_name);
        let found = Found {
            path: path.to_owned(),
            name,
            folder: folder.map(|folder| folder.to_string_lossy().into_owned()),
            kind,
        };
        if self.seen.insert(real) {
            self.files.push(found);
        }
        Ok(())
    }

    fn note(&mut self, path: &Path, visited: io::Result<()>) {
        if let Err(error) = visited {
            self.problems.push(format!("{}: {error}", path.display()));
        }
    }
}

fn is_skill(folder: &Path) -> bool {
    folder.join(SKILL).is_file()
}

fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}

/// What a file is; `None` when it is nothing to import.
fn kind(path: &Path, in_skill: bool) -> Option<Kind> {
    let name = path.file_name()?.to_str()?;
    if name == SKILL {
        return Some(Kind::Skill);
    }
    // A skill's other files are its own business, `requirements.txt` among them.
    if in_skill {
        return None;
    }
    if is_definition(path) {
        return Some(Kind::Subagent);
    }
    let (_, ending) = name.rsplit_once('.')?;
    let kind = match ending.to_ascii_lowercase().as_str() {
        "md" => Kind::Notes,
        "vtt" => Kind::Transcript(Some(Format::WebVtt)),
        "srt" => Kind::Transcript(Some(Format::SubRip)),
        "txt" => Kind::Transcript(None),
        _ => return None,
    };
    let stem = name.split('.').next()?.to_ascii_lowercase();
    (!ABOUT.contains(&stem.as_str())).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_order_and_told_apart() -> io::Result<()> {
        let root = std::env::temp_dir().join(format!("walk-{}", std::process::id()));
        let definition = "---\nname: a\ndescription: b\n---\n";
        for (name, text) in [
            ("b/2.vtt", ""),
            ("b/1.SRT", ""),
            ("a.txt", ""),
            ("notes.md", "# Notes"),
            ("README.md", ""),
            ("License.de.txt", ""),
            ("LICENSE", ""),
            ("picture.png", ""),
            (".hidden/x.md", ""),
            ("tools/SKILL.md", definition),
            ("tools/requirements.txt", ""),
            ("tools/more/part.md", definition),
            ("01-core/agent.md", definition),
        ] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap_or(&root))?;
            fs::write(path, text)?;
        }
        let missing = root.join("missing");
        let walk = Walk::through(&[root.clone(), root.join("a.txt"), missing.clone()]);
        let files: Vec<_> = walk
            .files
            .iter()
            .map(|found| (found.name.as_str(), found.kind))
            .collect();
        assert_eq!(
            files,
            [
                ("01-core/agent.md", Kind::Subagent),
                ("a.txt", Kind::Transcript(None)),
                ("b/1.SRT", Kind::Transcript(Some(Format::SubRip))),
                ("b/2.vtt", Kind::Transcript(Some(Format::WebVtt))),
                ("notes.md", Kind::Notes),
                ("tools/SKILL.md", Kind::Skill),
            ]
        );
        assert_eq!(walk.files[0].folder.as_deref(), Some("01-core"));
        assert!(walk.problems[0].starts_with(&format!("{}: ", missing.display())));

        let within = Walk::through(&[root.join("tools/more"), root.join("tools/requirements.txt")]);
        assert!(within.files.is_empty(), "{:?}", within.files);
        let alone = Walk::through(&[root.join("b"), root.join("b/1.SRT")]);
        assert_eq!(alone.files[0].name, "1.SRT");
        assert_eq!(alone.files.len(), 2);
        fs::remove_dir_all(&root)
    }
}
