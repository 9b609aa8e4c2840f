//! SubRip subtitles: a number, a timing, some lines of text, a blank line.

use entity::transcript::TranscriptSegment;

use super::cue::{ARROW, Rules, dialogue, is_number};
use super::label::Labels;
use super::lines::numbered;
use super::tag::without_tags;
use crate::domain::parse_error::ParseError;

const RULES: Rules = Rules {
    example: "00:00:01,000 --> 00:00:04,000",
    start: "the number of a subtitle, and below it a timing such as `00:00:01,000 --> 00:00:04,000`",
    has_names: false,
    is_comment: |_, _| false,
};

/// Whether these two lines are how SubRip starts, if only roughly: a slip in the first timing is to be told, not
/// taken for plain text.
pub(super) fn is_start(number: &str, timing: &str) -> bool {
    let starts_with_time = timing.starts_with(|first: char| first.is_ascii_digit());
    is_number(number) && starts_with_time && timing.contains(ARROW)
}

/// Reads SubRip. The numbers need not be in order, nor be there: editing leaves gaps, and times order the text.
pub(super) fn parse(text: &str) -> Result<Vec<TranscriptSegment>, ParseError> {
    let lines: Vec<_> = numbered(text).collect();
    let mut cues = RULES.cues(&lines)?;
    for cue in &mut cues {
        cue.text = without_overrides(&without_tags(&cue.text));
    }
    let labels = Labels::of(cues.iter().flat_map(|cue| cue.text.lines()));
    let mut segments = Vec::new();
    for cue in &cues {
        dialogue(&cue.text, cue.times, &labels, &mut segments);
    }
    Ok(segments)
}

/// Drops the `{\an8}` kind of position and style codes. What has spaces in it is text, except for a font's name.
fn without_overrides(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{\\") {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        // Looking no further than the next brace keeps a text full of them linear.
        let end = rest[1..].find(['{', '}']).map_or(rest.len(), |end| end + 1);
        let code = &rest[..end];
        let is_code = rest[end..].starts_with('}')
            && (!code.contains(char::is_whitespace) || code.starts_with("{\\fn"));
        if is_code {
            rest = &rest[end + 1..];
        } else {
            plain.push_str(code);
            rest = &rest[end..];
        }
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
    fn words_in_brackets_are_words() -> Result<(), ParseError> {
        let text = "1\n00:00:01,000 --> 00:00:03,000\n\
            Nora: Make it a Vec<String> and mail <nora@acme.example> <inaudible>\n{\\bf bold words} {\\fnArial Black}x {\\";
        let expected = "Make it a Vec<String> and mail <nora@acme.example> <inaudible>\n{\\bf bold words} x {\\";
        assert_eq!(parse(text)?, [segment("Nora", expected, (1.0, 3.0))]);
        Ok(())
    }

    #[test]
    fn what_tools_leave_out_is_not_missed() -> Result<(), ParseError> {
        for text in [
            // Numbers, blank lines, hours, thousandths; blank lines and arrows within the text.
            "00:00:01,000 --> 00:00:02,000\na\n00:00:03,000 --> 00:00:04,000\nb\n",
            "1\n00:00:01,000 --> 00:00:02,000\na\n2\n00:00:03,000 --> 00:00:04,000\nb",
            "1\r00:01,0 --> 00:02\ra\r\r2\r0:00:03.000 --> 0:00:04.000\rb",
            "1\n00:00:01,000 --> 00:00:02,000\n\na\n\n\n2\n00:00:03,000 --> 00:00:04,000\n \nb\n",
        ] {
            let expected = [segment("", "a", (1.0, 2.0)), segment("", "b", (3.0, 4.0))];
            assert_eq!(parse(text)?, expected, "{text:?}");
        }
        let text = "1\n00:00:01,000 --> 00:00:02,000\na\n\nb --> c\n\n2026\n";
        assert_eq!(parse(text)?, [segment("", "a\nb --> c\n2026", (1.0, 2.0))]);
        Ok(())
    }

    #[test]
    fn a_malformed_subtitle_is_an_error_at_its_line() {
        for (text, line) in [
            ("one\n00:00:01,000 --> 00:00:02,000\na", 1),
            ("1\n00:01;000 --> 00:02,000\na", 2),
            ("1\n00:00:02,000 --> 00:00:01,000\na", 2),
            ("1", 1),
            (
                "1\n00:00:01,000 --> 00:00:02,000\na\n\n2\n00:61:00,000 --> 01:02:00,000\nb",
                6,
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
