//! WebVTT, as the W3C specifies it, but strict where leniency would lose words.
//!
//! A player skips a cue it cannot read; whoever imports a transcript wants to know.

use std::borrow::Cow;

use entity::transcript::TranscriptSegment;

use super::cue::{ARROW, Clock, dialogue, payload, segment};
use super::lines::numbered;
use super::tag::pieces;
use crate::domain::parse_error::ParseError;

const CLOCK: Clock = Clock {
    marks: &['.'],
    needs_hours: false,
    example: "00:01.000 --> 00:04.000",
};

/// Whether a first line makes a text WebVTT.
pub(super) fn is_header(line: &str) -> bool {
    let line = line.strip_prefix("WEBVTT");
    line.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Reads WebVTT.
pub(super) fn parse(text: &str) -> Result<Vec<TranscriptSegment>, ParseError> {
    let lines = numbered(text).map(|(number, line)| (number, line.trim()));
    // Pasting adds blank lines in front, which the specification would not have.
    let mut lines = lines.skip_while(|(_, line)| line.is_empty()).peekable();
    let (number, header) = lines.next().unwrap_or((1, ""));
    if !is_header(header) {
        return Err(ParseError::found(number, "the header `WEBVTT`", header));
    }
    // Metadata such as `Kind: captions` belongs to the header, up to a blank line or the first cue.
    while lines
        .next_if(|(_, line)| !line.is_empty() && !line.contains(ARROW))
        .is_some()
    {}

    let mut segments = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line.is_empty() {
            continue;
        }
        if is_ignored(line) {
            while lines.next_if(|(_, line)| !line.is_empty()).is_some() {}
            continue;
        }
        let times = if line.contains(ARROW) {
            CLOCK.timing(number, line)?
        } else {
            // The line was the cue's identifier, so the timing is the next.
            let (number, line) = lines.next().unwrap_or((number, ""));
            CLOCK.timing(number, line)?
        };
        speak(&payload(&mut lines)?, times, &mut segments);
    }
    Ok(segments)
}

/// Whether a block that starts like this is a comment, a style sheet or a region.
fn is_ignored(line: &str) -> bool {
    let note = line.strip_prefix("NOTE");
    matches!(line, "STYLE" | "REGION")
        || note.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Adds the segments of one cue: one for each voice, and what is said outside of any.
fn speak(payload: &str, times: (f64, f64), segments: &mut Vec<TranscriptSegment>) {
    for piece in pieces(payload) {
        let text = unescaped(&piece.text);
        match piece.voice.as_deref().map(unescaped) {
            Some(speaker) if !speaker.is_empty() => {
                let lines: Vec<_> = text
                    .lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                    .collect();
                segments.push(segment(&speaker, &lines.join("\n"), times));
            }
            _ => dialogue(&text, times, segments),
        }
    }
}

/// Puts characters in the place of the references WebVTT knows; others stay as they are.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let found = REFERENCES.iter().find(|(name, _)| rest.starts_with(name));
        let (name, character) = found.unwrap_or(&("&", "&"));
        plain.push_str(character);
        rest = &rest[name.len()..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The references of the specification, and the quotes that tools write although they need not.
const REFERENCES: [(&str, &str); 9] = [
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&nbsp;", "\u{a0}"),
    ("&lrm;", "\u{200e}"),
    ("&rlm;", "\u{200f}"),
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&#39;", "'"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(payload: &str) -> Result<Vec<(String, String)>, ParseError> {
        let text = format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{payload}\n");
        let mut segments = parse(&text)?;
        segments.retain(|turn| !turn.text.is_empty());
        let turns = segments.into_iter();
        Ok(turns.map(|turn| (turn.speaker, turn.text)).collect())
    }

    #[test]
    fn payloads_become_turns() -> Result<(), ParseError> {
        for (payload, expected) in [
            ("hello\nthere", vec![("", "hello\nthere")]),
            ("<v Ann Bo>hello</v>", vec![("Ann Bo", "hello")]),
            ("<v Ann>a\n b\n<v Bo>c", vec![("Ann", "a\nb"), ("Bo", "c")]),
            (
                "<v Ann>a</v> (laughs)",
                vec![("Ann", "a"), ("", "(laughs)")],
            ),
            (
                "<v A &amp; B>x &lt;i&gt; &nbsp;y&lrm;&rlm; &bogus;",
                vec![("A & B", "x <i> \u{a0}y\u{200e}\u{200f} &bogus;")],
            ),
            ("Ann: a\nb\nBo: c", vec![("Ann", "a\nb"), ("Bo", "c")]),
            (
                "<c.red><b>a</b></c><00:00:01.500> b <lang en>c</lang>",
                vec![("", "a b c")],
            ),
            ("&amp;lt;", vec![("", "&lt;")]),
        ] {
            let turns = cue(payload)?;
            let turns: Vec<_> = turns
                .iter()
                .map(|(speaker, text)| (speaker.as_str(), text.as_str()))
                .collect();
            assert_eq!(turns, expected, "{payload:?}");
        }
        Ok(())
    }

    #[test]
    fn blocks_other_than_cues_are_skipped() -> Result<(), ParseError> {
        let text = "WEBVTT Title\rKind: captions\r\rNOTE\rAnn: no\r\r\
            STYLE\r::cue { color: red }\r\rREGION\rid:a\r\r\
            intro 1\r00:01.000 --> 01:00:02.000 line:0 align:end\ryes\r\rNOTE bye";
        let segments = parse(text)?;
        assert_eq!(segments, [segment("", "yes", (1.0, 3602.0))]);
        Ok(())
    }

    #[test]
    fn a_malformed_cue_is_an_error_at_its_line() {
        for (text, line) in [
            ("WEBVTT\n\n00:01.000 --> 00:0x.000\na", 3),
            ("WEBVTT\n\nid\n00:01 --> 00:02\na", 4),
            ("WEBVTT\n\n00:02.000 --> 00:01.000\na", 3),
            ("WEBVTT\n\nid\nno timing", 4),
            ("WEBVTT\r\n\r\nid", 3),
            (
                "WEBVTT\n\n00:01.000 --> 00:02.000\na\n00:02.000 --> 00:03.000\nb",
                5,
            ),
            ("WEBVTT\n\n00:01.000 -->\na", 3),
            ("webvtt\n", 1),
        ] {
            assert_eq!(
                parse(text).err().map(|error| error.line),
                Some(line),
                "{text:?}"
            );
        }
    }
}
