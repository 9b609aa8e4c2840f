//! Which files are definitions.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::frontmatter::is_fence;

/// Whether Markdown is a definition: whether it starts with frontmatter.
///
/// Looks at the first line; what cannot be opened is no definition.
pub(crate) fn is_definition(path: &Path) -> bool {
    File::open(path).is_ok_and(has_frontmatter)
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
        let folder = tempfile::tempdir()?;
        for (name, text, expected) in [
            ("agent.md", "---\r\nname: a\n", true),
            ("marked.md", "\u{feff}---\n", true),
            ("plain.md", "# Title\n", false),
            ("ruled.md", "----\n", false),
            ("empty.md", "", false),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text)?;
            assert_eq!(is_definition(&path), expected, "{name}");
        }
        assert!(!is_definition(&folder.path().join("missing.md")));
        Ok(())
    }
}
