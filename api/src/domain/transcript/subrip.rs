//! SubRip subtitles: a number, a timing, some lines of text, a blank line.

use entity::transcript::TranscriptSegment;

use super::cue::{ARROW, Clock, dialogue, payload};
use super::lines::numbered;
use super::tag::pieces;
use crate::domain::parse_error::ParseError;

const CLOCK: Clock = Clock {
    // The full stop is wrong, and common.
    marks: &[',', '.'],
    needs_hours: true,
    example: "00:00:01,000 --> 00:00:04,000",
};

/// Whether these two lines are how SubRip starts, if only roughly: a slip in the first timing is to be told, not
/// taken for plain text.
pub(super) fn is_start(number: &str, timing: &str) -> bool {
    let starts_with_time = timing.starts_with(|first: char| first.is_ascii_digit());
    is_number(number) && starts_with_time && timing.contains(ARROW)
}

fn is_number(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads SubRip. The numbers need not be in order: editing leaves gaps, and times order the text.
pub(super) fn parse(text: &str) -> Result<Vec<TranscriptSegment>, ParseError> {
    let mut segments = Vec::new();
    let mut lines = numbered(text)
        .map(|(number, line)| (number, line.trim()))
        .peekable();
    while let Some((number, line)) = lines.next() {
        if line.is_empty() {
            continue;
        }
        if !is_number(line) {
            return Err(ParseError::found(number, "the number of a subtitle", line));
        }
        let (number, line) = lines.next().unwrap_or((number, ""));
        let times = CLOCK.timing(number, line)?;
        let payload = payload(&mut lines)?;
        let text: String = pieces(&payload)
            .into_iter()
            .map(|piece| piece.text)
            .collect();
        dialogue(&without_overrides(&text), times, &mut segments);
    }
    Ok(segments)
}

/// Drops the `{\an8}` kind of position and style codes.
fn without_overrides(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{\\") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        plain.push_str(&rest[..start]);
        rest = &rest[start + length + 1..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::super::cue::segment;
    use super::*;

    #[test]
    fn subtitles_become_turns() -> Result<(), ParseError> {
        let text = "\n1\r\n00:00:01,000 --> 00:00:02,500 X1:40\r\n{\\an8}<i>Good</i>\r\n<font color=\"red\">morning</font>\r\n\r\n\r\n\
            7\n01:00:00.000 --> 01:00:01.000\n- Ann: hi\n- ho\n\n8\n01:00:02,000 --> 01:00:03,000\n\n9\n01:00:04,000 --> 01:00:04,000\nBo: 1 < 2 {x}";
        let expected = [
            segment("", "Good\nmorning", (1.0, 2.5)),
            segment("Ann", "hi", (3600.0, 3601.0)),
            segment("", "ho", (3600.0, 3601.0)),
            segment("Bo", "1 < 2 {x}", (3604.0, 3604.0)),
        ];
        assert_eq!(parse(text)?, expected);
        Ok(())
    }

    #[test]
    fn a_malformed_subtitle_is_an_error_at_its_line() {
        for (text, line) in [
            ("one\n00:00:01,000 --> 00:00:02,000\na", 1),
            ("1\n00:01,000 --> 00:02,000\na", 2),
            ("1\n00:00:02,000 --> 00:00:01,000\na", 2),
            ("1", 1),
            ("1\n00:00:01,000 --> 00:00:02,000\na\n\nb\n", 5),
            (
                "1\r00:00:01,000 --> 00:00:02,000\ra\r2\r00:00:03,000 --> 00:00:04,000\rb",
                5,
            ),
        ] {
            assert_eq!(
                parse(text).err().map(|error| error.line),
                Some(line),
                "{text:?}"
            );
        }
    }
}
