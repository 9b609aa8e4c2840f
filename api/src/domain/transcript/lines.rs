//! Lines of a text that may come from any system, and the paragraphs they add up to.

use crate::domain::parse_error::ParseError;

/// The text without its byte order mark.
///
/// # Errors
/// Line 1 of a text without a visible character, and the line of a NUL, which no text has and no
/// database stores.
pub(crate) fn readable(text: &str) -> Result<&str, ParseError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(ParseError::new(1, "expected some text, found none"));
    }
    match text.find('\0') {
        Some(position) => Err(ParseError::new(
            numbered(&text[..position]).count().max(1),
            "expected text, found a NUL character",
        )),
        None => Ok(text),
    }
}

/// The lines with their numbers, from 1; a line ends with CR, LF or both.
pub(crate) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = Some(text);
    let lines = std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let after = &text[end..];
        let after = after.strip_prefix("\r\n").unwrap_or(&after[1..]);
        rest = Some(after);
        Some(&text[..end])
    });
    (1..).zip(lines)
}

/// Whether the line is a Markdown heading, and of which level.
pub(crate) fn heading(line: &str) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    let separated = rest.is_empty() || rest.starts_with([' ', '\t']);
    ((1..=6).contains(&level) && separated)
        .then(|| (level, rest.trim().trim_end_matches('#').trim_end()))
}

/// Text put together line by line; any number of blank lines between two others is one.
#[derive(Debug, Default)]
pub(crate) struct Paragraphs {
    text: String,
    gap: bool,
}

impl Paragraphs {
    /// Starts with the rest of a line.
    pub(crate) fn starting(line: &str) -> Self {
        let mut paragraphs = Self::default();
        paragraphs.push(line.trim_start());
        paragraphs
    }

    /// Adds a line, or notes the end of a paragraph when it is blank.
    pub(crate) fn push(&mut self, line: &str) {
        let line = line.trim_end();
        if line.is_empty() {
            self.gap = !self.text.is_empty();
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str(if self.gap { "\n\n" } else { "\n" });
        }
        self.gap = false;
        self.text.push_str(line);
    }

    /// Whether there is no text yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds a line as it is, for text in which blank lines and indentation matter.
    pub(crate) fn push_verbatim(&mut self, line: &str) {
        if line.is_empty() {
            self.text.push('\n');
        } else {
            self.push(line);
        }
    }

    /// What was put together; blank lines at the end are gone.
    pub(crate) fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_newline_ends_a_line() {
        let lines: Vec<_> = numbered("a\r\nb\rc\nd\n\re").collect();
        assert_eq!(
            lines,
            [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, ""), (6, "e")]
        );
    }

    #[test]
    fn headings_are_told_from_text() {
        assert_eq!(heading("## Next steps ##"), Some((2, "Next steps")));
        assert_eq!(heading("#"), Some((1, "")));
        for line in ["#tag", "####### seven", "text # 1", ""] {
            assert_eq!(heading(line), None, "{line:?}");
        }
    }

    #[test]
    fn blank_lines_part_paragraphs() {
        let mut text = Paragraphs::starting(" a ");
        for line in ["b", "", " ", "  c", ""] {
            text.push(line);
        }
        assert_eq!(text.finish(), "a\nb\n\n  c");
    }
}
