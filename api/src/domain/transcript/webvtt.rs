//! WebVTT, as the W3C specifies it, but strict where leniency would lose words.
//!
//! A player skips a cue it cannot read; whoever imports a transcript wants to know.

use std::borrow::Cow;

use entity::transcript::TranscriptSegment;

use super::cue::{Rules, dialogue, is_timing, segment};
use super::label::Labels;
use super::lines::numbered;
use super::tag::{Piece, pieces};
use crate::domain::parse_error::ParseError;

const RULES: Rules = Rules {
    example: "00:01.000 --> 00:04.000",
    start: "a timing such as `00:01.000 --> 00:04.000`",
    has_names: true,
    is_comment,
};

/// Whether a first line makes a text WebVTT.
pub(super) fn is_header(line: &str) -> bool {
    let line = line.strip_prefix("WEBVTT");
    line.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Reads WebVTT.
pub(super) fn parse(text: &str) -> Result<Vec<TranscriptSegment>, ParseError> {
    // Pasting adds blank lines in front, which the specification would not have.
    let lines = numbered(text).skip_while(|(_, line)| line.trim().is_empty());
    let lines: Vec<_> = lines.collect();
    let (number, header) = lines.first().copied().unwrap_or((1, ""));
    if !is_header(header.trim()) {
        return Err(ParseError::found(number, "the header `WEBVTT`", header));
    }
    // Metadata such as `Kind: captions` belongs to the header, up to a blank line or the first cue.
    let is_metadata = |(_, line): &&(usize, &str)| !line.trim().is_empty() && !is_timing(line);
    let header = lines.iter().take_while(is_metadata).count();

    let mut spoken = Vec::new();
    for cue in RULES.cues(&lines[header..])? {
        let pieces = pieces(&cue.text).into_iter();
        spoken.extend(pieces.map(|piece| (piece, cue.times)));
    }
    for (piece, _) in &mut spoken {
        piece.voice = piece
            .voice
            .take()
            .map(unescaped)
            .filter(|name| !name.is_empty());
        piece.text = unescaped(std::mem::take(&mut piece.text));
    }
    let voiceless = spoken.iter().filter(|(piece, _)| piece.voice.is_none());
    let labels = Labels::of(voiceless.flat_map(|(piece, _)| piece.text.lines()));
    let mut segments = Vec::new();
    for (Piece { voice, text }, times) in &spoken {
        match voice {
            Some(speaker) => {
                let lines = text.lines().map(str::trim);
                let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
                segments.push(segment(speaker, &lines.join("\n"), *times));
            }
            None => dialogue(text, *times, &labels, &mut segments),
        }
    }
    Ok(segments)
}

/// Whether a block that starts like this is a comment, or, before the first cue, a style sheet or a region.
fn is_comment(line: &str, has_cues: bool) -> bool {
    let note = line.strip_prefix("NOTE");
    !has_cues && matches!(line.trim_end(), "STYLE" | "REGION")
        || note.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Puts characters in the place of HTML's references, named and numeric. What is none stays as it is; a NUL, which no
/// database stores, was never one.
fn unescaped(text: String) -> String {
    match htmlize::unescape(text.as_str()) {
        Cow::Owned(plain) => plain,
        Cow::Borrowed(_) => text,
    }
}

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
    fn every_reference_of_html_is_read() -> Result<(), ParseError> {
        for (payload, speaker, text) in [
            (
                "<v Nora Field>It&#8217;s caf&eacute; time &mdash; R&amp;D &#x266B; &hellip;</v>",
                "Nora Field",
                "It’s café time — R&D ♫ …",
            ),
            ("<v Zo&euml; O&#39;Neil>x", "Zoë O'Neil", "x"),
            (
                "AT&T &#0; &#xD800; &nosuch; &",
                "",
                "AT&T \u{fffd} \u{fffd} &nosuch; &",
            ),
            ("&gt;&gt; NORA: yes", "NORA", "yes"),
        ] {
            assert_eq!(
                cue(payload)?,
                [(speaker.to_owned(), text.to_owned())],
                "{payload:?}"
            );
        }
        Ok(())
    }

    #[test]
    fn a_line_of_spaces_is_not_an_empty_line() -> Result<(), ParseError> {
        let text = "WEBVTT\nKind: captions\nLanguage: en\n\n\
            00:00:00.000 --> 00:00:01.829 align:start position:0%\n \nso<00:00:00.389><c> welcome</c><00:00:01.000><c> back</c>\n\n\
            00:00:01.829 --> 00:00:01.839 align:start position:0%\nso welcome back\n \n\n\
            00:00:01.839 --> 00:00:03.500 align:start position:0%\nso welcome back\nto<00:00:02.000><c> the</c><00:00:02.500><c> show</c>\n";
        let expected = [
            segment("", "so welcome back", (0.0, 1.829)),
            segment("", "so welcome back", (1.829, 1.839)),
            segment("", "so welcome back\nto the show", (1.839, 3.5)),
        ];
        assert_eq!(parse(text)?, expected);
        Ok(())
    }

    #[test]
    fn no_words_are_lost_where_blocks_run_together() -> Result<(), ParseError> {
        let expected = [segment("", "a", (1.0, 2.0)), segment("", "b", (3.0, 4.0))];
        for text in [
            "WEBVTT\n\n00:01.000 --> 00:02.000\na\n00:03.000 --> 00:04.000\nb",
            "WEBVTT\n\n00:01.000 --> 00:02.000\na\n2\n00:03.000 --> 00:04.000\nb",
            "WEBVTT\n00:01,000 --> 00:02,000\na\n \n00:00:03.000 --> 00:00:04.000\n\nb",
            "WEBVTT\n\nNOTE no\n00:01.000 --> 00:02.000\na\n\nNOTE\nno\n\nx\n00:03.000 --> 00:04.000\nb",
        ] {
            assert_eq!(parse(text)?, expected, "{text:?}");
        }
        let text = "WEBVTT\n\n00:01.000 --> 00:02.000\na\n\nSTYLE --> b\n";
        assert_eq!(parse(text)?, [segment("", "a\nSTYLE --> b", (1.0, 2.0))]);
        Ok(())
    }

    #[test]
    fn a_malformed_cue_is_an_error_at_its_line() {
        for (text, line) in [
            ("WEBVTT\n\n00:01.000 --> 00:0x.000\na", 3),
            ("WEBVTT\n\nid\n00:01: --> 00:02\na", 4),
            ("WEBVTT\n\n00:02.000 --> 00:01.000\na", 3),
            ("WEBVTT\n\nid\nno timing", 3),
            ("WEBVTT\r\n\r\nid", 3),
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
