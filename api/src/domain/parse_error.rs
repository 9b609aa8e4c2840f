//! What is wrong with a text somebody handed in, and where.

use std::error::Error;
use std::fmt;

/// How much of an offending line an error quotes, in characters.
const EXCERPT: usize = 60;

/// A text could not be read; its `Display` is fit for the person who wrote the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParseError {
    /// The line at fault, counted from 1.
    pub(crate) line: usize,
    /// What was expected there, and what was found.
    pub(crate) reason: String,
}

impl ParseError {
    /// An error at `line` (counted from 1).
    pub(crate) fn new(line: usize, reason: impl Into<String>) -> Self {
        Self {
            line,
            reason: reason.into(),
        }
    }

    /// An error at `line` that quotes the start of what stood there instead.
    pub(crate) fn found(line: usize, expected: &str, found: &str) -> Self {
        let found = found.trim();
        let reason = match found.char_indices().nth(EXCERPT) {
            Some((end, _)) => format!("expected {expected}, found `{}…`", &found[..end]),
            None if found.is_empty() => format!("expected {expected}, found an empty line"),
            None => format!("expected {expected}, found `{found}`"),
        };
        Self { line, reason }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.reason)
    }
}

impl Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_line() {
        let error = ParseError::new(12, "expected a cue");
        assert_eq!(error.to_string(), "line 12: expected a cue");
    }

    #[test]
    fn what_was_found_is_quoted_and_cut() {
        let reason = |found: &str| ParseError::found(1, "a number", found).reason;
        assert_eq!(reason(" x "), "expected a number, found `x`");
        assert_eq!(reason(" "), "expected a number, found an empty line");
        assert!(reason(&"ä".repeat(100)).ends_with("ä…`"));
    }
}
