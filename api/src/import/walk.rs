//! Which files there are below the given paths, and what each is by its name and place.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::definition::is_definition;
use crate::domain::digest::sha256;
use crate::domain::transcript::Format;

/// The file in a folder that makes the folder a skill, in any case.
const SKILL: &str = "skill.md";

/// How many folders above a path may make it a part of a skill.
const SKILL_DEPTH: usize = 4;

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
    /// Where it is, without links and from the root.
    pub(super) real: PathBuf,
    /// Its path below the given folder, with `/` between the parts; of a given file, its name.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: Kind,
}

impl Found {
    /// What tells the file from all others of this machine, however it was named: the SHA-256 of its real path, which
    /// itself is nobody's business in the product.
    pub(super) fn identity(&self) -> String {
        sha256(self.real.as_os_str().as_encoded_bytes())
    }

    /// The name of the folder it is in.
    pub(super) fn folder(&self) -> Option<String> {
        let folder = self.real.parent().and_then(Path::file_name);
        folder.map(|folder| folder.to_string_lossy().into_owned())
    }

    /// The ends of its real path, from its name alone to all of it: what names it below one of the folders around it.
    pub(super) fn names(&self) -> Vec<String> {
        let parts = self.real.iter().rev().map(OsStr::to_string_lossy);
        let ends = parts.scan(String::new(), |end, part| {
            *end = match end.as_str() {
                "" => part.into_owned(),
                end => format!("{part}/{end}"),
            };
            Some(end.clone())
        });
        ends.collect()
    }
}

/// What a walk finds.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The files, each once, in the order of the given paths and sorted within each folder.
    pub(super) files: Vec<Found>,
    /// The paths that could not be opened and the given ones that are nothing to import, each with the reason.
    pub(super) problems: Vec<String>,
    /// How many files in folders are nothing to import.
    pub(super) passed_over: usize,
    seen: HashSet<PathBuf>,
}

impl Walk {
    /// Walks through files and folders. In folders, hidden entries, links to folders and what cannot be imported are
    /// passed over; a given path that cannot be imported is a problem.
    pub(super) fn through(roots: &[PathBuf]) -> Self {
        let mut walk = Self::default();
        for root in roots {
            // A path such as `notes` or `..` has a parent and a name only once it is resolved.
            let visited = fs::canonicalize(root).and_then(|real| {
                let in_skill = real.ancestors().skip(1).take(SKILL_DEPTH).any(is_skill);
                if real.is_dir() && in_skill {
                    walk.refuse(root, IN_SKILL);
                    return Ok(());
                }
                if real.is_dir() {
                    return walk.folder(root, root, false);
                }
                let name = root.file_name().unwrap_or(root.as_os_str());
                match kind(&real, in_skill) {
                    Ok(kind) => walk.file(root, name.to_string_lossy().into_owned(), kind)?,
                    Err(reason) => walk.refuse(root, reason),
                }
                Ok(())
            });
            walk.note(root, visited);
        }
        walk
    }

    fn folder(&mut self, root: &Path, folder: &Path, in_skill: bool) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        let in_skill = in_skill || entries.iter().any(makes_skill);
        for entry in entries {
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let visited = match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder(root, &path, in_skill),
                // A link may lead to a file, or in circles.
                Ok(_) if path.is_file() => match kind(&path, in_skill) {
                    Ok(kind) => self.file(&path, relative(root, &path), kind),
                    Err(reason) => {
                        self.passed_over += usize::from(reason != IN_SKILL);
                        Ok(())
                    }
                },
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            self.note(&path, visited);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String, kind: Kind) -> io::Result<()> {
        let real = fs::canonicalize(path)?;
        if self.seen.insert(real.clone()) {
            self.files.push(Found {
                path: path.to_owned(),
                real,
                name,
                kind,
            });
        }
        Ok(())
    }

    fn refuse(&mut self, path: &Path, reason: &str) {
        self.problems.push(format!("{}: {reason}", path.display()));
    }

    fn note(&mut self, path: &Path, visited: io::Result<()>) {
        if let Err(error) = visited {
            self.refuse(path, &error.to_string());
        }
    }
}

fn is_skill(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.flatten().any(|entry| makes_skill(&entry))
}

fn makes_skill(entry: &fs::DirEntry) -> bool {
    entry.file_name().eq_ignore_ascii_case(SKILL) && entry.path().is_file()
}

fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}

const IN_SKILL: &str = "not imported: it is part of a skill, which comes with its SKILL.md";
const IS_ABOUT: &str = "not imported: by its name it tells about other files";
const UNKNOWN: &str = "not imported: expected .md, .vtt, .srt or .txt";

/// What a file is, or why it is nothing to import. The case of its name is of no matter.
fn kind(path: &Path, in_skill: bool) -> Result<Kind, &'static str> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    if name == SKILL {
        return Ok(Kind::Skill);
    }
    // A skill's other files are its own business, `requirements.txt` among them.
    if in_skill {
        return Err(IN_SKILL);
    }
    let (_, ending) = name.rsplit_once('.').ok_or(UNKNOWN)?;
    if !matches!(ending, "md" | "vtt" | "srt" | "txt") {
        return Err(UNKNOWN);
    }
    if name
        .split('.')
        .next()
        .is_some_and(|stem| ABOUT.contains(&stem))
    {
        return Err(IS_ABOUT);
    }
    Ok(match ending {
        "md" if is_definition(path) => Kind::Subagent,
        "md" => Kind::Notes,
        "vtt" => Kind::Transcript(Some(Format::WebVtt)),
        "srt" => Kind::Transcript(Some(Format::SubRip)),
        _ => Kind::Transcript(None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINITION: &str = "---\nname: a\ndescription: b\n---\n";

    fn folder(files: &[(&str, &str)]) -> io::Result<tempfile::TempDir> {
        let root = tempfile::tempdir()?;
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap_or(root.path()))?;
            fs::write(path, text)?;
        }
        Ok(root)
    }

    fn found(walk: &Walk) -> Vec<(&str, Kind)> {
        let files = walk.files.iter();
        files
            .map(|found| (found.name.as_str(), found.kind))
            .collect()
    }

    #[test]
    fn files_are_found_in_order_and_told_apart() -> io::Result<()> {
        let root = folder(&[
            ("b/2.vtt", ""),
            ("b/1.SRT", ""),
            ("a.txt", ""),
            ("notes.md", "# Notes"),
            ("README.md", ""),
            ("License.de.txt", ""),
            ("LICENSE", ""),
            ("picture.png", ""),
            (".hidden/x.md", ""),
            ("tools/SKILL.md", DEFINITION),
            ("tools/requirements.txt", ""),
            ("tools/more/part.md", DEFINITION),
            ("01-core/agent.md", DEFINITION),
        ])?;
        let root = root.path();
        let missing = root.join("missing");
        let walk = Walk::through(&[root.to_owned(), root.join("a.txt"), missing.clone()]);
        assert_eq!(
            found(&walk),
            [
                ("01-core/agent.md", Kind::Subagent),
                ("a.txt", Kind::Transcript(None)),
                ("b/1.SRT", Kind::Transcript(Some(Format::SubRip))),
                ("b/2.vtt", Kind::Transcript(Some(Format::WebVtt))),
                ("notes.md", Kind::Notes),
                ("tools/SKILL.md", Kind::Skill),
            ]
        );
        assert_eq!(walk.files[0].folder().as_deref(), Some("01-core"));
        assert_eq!(walk.passed_over, 4, "README, two licences and a picture");
        assert!(walk.problems[0].starts_with(&format!("{}: ", missing.display())));
        assert_eq!(walk.problems.len(), 1);
        Ok(())
    }

    #[test]
    fn a_given_path_that_is_nothing_to_import_is_a_problem() -> io::Result<()> {
        let names = [
            "minutes.json",
            "meeting.docx",
            "no-ending",
            "README.md",
            "tools/requirements.txt",
            "tools/more/deep/part.md",
            "tools/more",
        ];
        let root = folder(&[
            ("minutes.json", "{}"),
            ("meeting.docx", ""),
            ("no-ending", ""),
            ("README.md", ""),
            ("tools/SKILL.md", DEFINITION),
            ("tools/requirements.txt", ""),
            ("tools/more/deep/part.md", DEFINITION),
        ])?;
        let given = names.map(|name| root.path().join(name));
        let walk = Walk::through(&given);
        assert!(walk.files.is_empty(), "{:?}", walk.files);
        for (path, problem) in given.iter().zip(&walk.problems) {
            assert!(
                problem.starts_with(&format!("{}: not imported", path.display())),
                "{problem}"
            );
        }
        assert_eq!(walk.problems.len(), names.len());
        Ok(())
    }

    #[test]
    fn the_case_of_a_name_is_of_no_matter() -> io::Result<()> {
        let root = folder(&[
            ("one/skill.md", DEFINITION),
            ("one/part.md", DEFINITION),
            ("two/Skill.MD", DEFINITION),
            ("agent.MD", DEFINITION),
            ("talk.VTT", ""),
            ("Readme.MD", ""),
        ])?;
        let walk = Walk::through(&[root.path().to_owned()]);
        assert_eq!(
            found(&walk),
            [
                ("agent.MD", Kind::Subagent),
                ("one/skill.md", Kind::Skill),
                ("talk.VTT", Kind::Transcript(Some(Format::WebVtt))),
                ("two/Skill.MD", Kind::Skill),
            ]
        );
        let part = Walk::through(&[root.path().join("one/part.md")]);
        assert!(part.files.is_empty() && part.problems.len() == 1);
        Ok(())
    }

    #[test]
    fn a_file_is_the_same_however_it_is_named_and_no_other() -> io::Result<()> {
        let root = folder(&[("monday/talk.vtt", ""), ("tuesday/talk.vtt", "")])?;
        let root = root.path();
        let one = |path: PathBuf| Walk::through(&[path]).files.remove(0);
        let monday = one(root.join("monday"));
        for path in [
            root.join("monday/talk.vtt"),
            root.join("tuesday/../monday"),
            root.join("./monday/./talk.vtt"),
        ] {
            assert_eq!(
                one(path.clone()).identity(),
                monday.identity(),
                "{}",
                path.display()
            );
        }
        let all = Walk::through(&[root.to_owned()]).files;
        assert_eq!(all[0].identity(), monday.identity());
        assert_ne!(all[1].identity(), monday.identity());
        assert_eq!(monday.names()[..2], ["talk.vtt", "monday/talk.vtt"]);
        let twice = Walk::through(&[root.join("monday/talk.vtt"), root.join("monday")]);
        assert_eq!(twice.files.len(), 1);
        assert!(twice.problems.is_empty());
        Ok(())
    }
}
