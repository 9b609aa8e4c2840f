//! Which files are definitions.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::frontmatter::is_fence;

/// The file in a folder that makes the folder a skill.
const SKILL: &str = "SKILL.md";

/// How many folders above a file may make it a part of a skill.
const SKILL_DEPTH: usize = 4;

/// Markdown that goes with definitions, and is none even with frontmatter; in lower case.
const ABOUT: [&str; 5] = ["readme", "license", "licence", "changelog", "contributing"];

/// Whether the file at `path` is to be read as a definition: a `SKILL.md`, or Markdown with
/// frontmatter that is neither a README or the like nor part of a skill.
///
/// Looks at the folders around it and at the first line; what cannot be opened is no definition.
pub(crate) fn is_definition(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    if name == SKILL {
        return true;
    }
    let Some((stem, "md")) = name.rsplit_once('.') else {
        return false;
    };
    if ABOUT.contains(&stem.to_ascii_lowercase().as_str()) {
        return false;
    }
    let mut folders = path.ancestors().skip(1).take(SKILL_DEPTH);
    !folders.any(|folder| folder.join(SKILL).is_file())
        && File::open(path).is_ok_and(has_frontmatter)
}

/// Whether a file starts like frontmatter; a file without any newline is not read whole to find out.
fn has_frontmatter(file: File) -> bool {
    let mut line = Vec::new();
    let read = BufReader::new(file.take(64)).read_until(b'\n', &mut line);
    let line = String::from_utf8_lossy(&line);
    read.is_ok() && is_fence(line.strip_prefix('\u{feff}').unwrap_or(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_told_from_other_files() -> std::io::Result<()> {
        let folder = std::env::temp_dir().join(format!("definitions-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("skill/more"))?;
        for (name, text, expected) in [
            ("skill/SKILL.md", "", true),
            ("skill/more/part.md", "---\nname: a\n---", false),
            ("agent.md", "---\r\nname: a\n", true),
            ("marked.md", "\u{feff}---\n", true),
            ("plain.md", "# Title\n", false),
            ("ruled.md", "----\n", false),
            ("README.md", "---\n", false),
            ("agent.txt", "---\n", false),
            ("LICENSE", "---\n", false),
        ] {
            let path = folder.join(name);
            std::fs::write(&path, text)?;
            assert_eq!(is_definition(&path), expected, "{name}");
        }
        assert!(!is_definition(&folder.join("missing.md")));
        std::fs::remove_dir_all(&folder)?;
        Ok(())
    }
}
