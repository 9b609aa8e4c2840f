//! Text of a transcript, as people paste or upload it, to typed segments.
//!
//! Owns the three formats and how one is told from another. Knows nothing of meetings, storage or
//! tenants, and never guesses who spoke: a segment without a named speaker has an empty one. No word
//! that was said is lost, and nobody is a speaker who is not written as one; `promises` tries both.

mod cue;
mod header;
mod label;
pub(crate) mod lines;
mod name;
mod plain;
mod subrip;
mod tag;
mod time;
mod webvtt;

use std::collections::HashSet;

use entity::transcript::TranscriptSegment;

use super::parse_error::ParseError;

/// How the text of a transcript is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Lines such as `Ann: good morning`.
    Plain,
    /// Web Video Text Tracks, `.vtt`.
    WebVtt,
    /// SubRip subtitles, `.srt`.
    SubRip,
}

/// A transcript that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parsed {
    /// The format it was in.
    pub(crate) format: Format,
    /// What was said, in the order of the text; never empty, and no segment is without text.
    pub(crate) segments: Vec<TranscriptSegment>,
    /// The named speakers, in the order they first spoke.
    pub(crate) speakers: Vec<String>,
    /// The last end time, rounded to seconds; 0 when the text has none.
    pub(crate) duration_seconds: i32,
    /// How many words were said.
    pub(crate) word_count: i32,
    /// All of it, `Speaker: text` for each segment.
    pub(crate) full_text: String,
}

/// Reads a transcript; `format` is detected when it is `None`.
///
/// # Errors
/// The first line that is not what its format demands; line 1 when there is nothing said at all.
pub(crate) fn parse(text: &str, format: Option<Format>) -> Result<Parsed, ParseError> {
    let text = lines::readable(text)?;
    let format = format.unwrap_or_else(|| detect(text));
    let mut segments = match format {
        Format::Plain => plain::parse(text),
        Format::WebVtt => webvtt::parse(text)?,
        Format::SubRip => subrip::parse(text)?,
    };
    segments.retain(|segment| !segment.text.is_empty());
    if segments.is_empty() {
        return Err(ParseError::new(
            1,
            "expected something that was said, found no speech in the whole text",
        ));
    }
    Ok(summarise(format, segments, |speaker| vec![speaker]))
}

/// Tells the format by its first lines; whatever is neither of the subtitle formats is plain.
fn detect(text: &str) -> Format {
    let mut filled = lines::numbered(text)
        .map(|(_, line)| line.trim())
        .filter(|line| !line.is_empty());
    match (filled.next(), filled.next()) {
        (Some(header), _) if webvtt::is_header(header) => Format::WebVtt,
        (Some(number), Some(timing)) if subrip::is_start(number, timing) => Format::SubRip,
        _ => Format::Plain,
    }
}

/// Counts what the segments hold. `names` takes apart who is given as a segment's speaker.
pub(crate) fn summarise(
    format: Format,
    segments: Vec<TranscriptSegment>,
    names: impl Fn(&str) -> Vec<&str>,
) -> Parsed {
    let mut speakers = Vec::new();
    let mut known = HashSet::new();
    let mut full_text = String::new();
    let mut words = 0;
    let mut end = 0.0_f64;
    for segment in &segments {
        if !segment.speaker.is_empty() {
            let new = names(&segment.speaker)
                .into_iter()
                .filter(|name| known.insert(*name));
            speakers.extend(new.map(str::to_owned));
            full_text.push_str(&segment.speaker);
            full_text.push_str(": ");
        }
        full_text.push_str(&segment.text);
        full_text.push('\n');
        words += segment.text.split_whitespace().count();
        end = end.max(segment.end_time.unwrap_or(0.0));
    }
    full_text.pop();
    Parsed {
        format,
        speakers,
        // `as` saturates, which is what a clip of more than 68 years deserves.
        duration_seconds: end.round() as i32,
        word_count: i32::try_from(words).unwrap_or(i32::MAX),
        full_text,
        segments,
    }
}

#[cfg(test)]
mod promises;

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        "# Title\n\n[00:01] **Ann:** good\nmorning\n\nBo (00:00:09): \u{1F600}: yes";
    const WEBVTT: &str = "\u{feff}WEBVTT - x\n\nNOTE é\n\n\
        1\n00:01.000 --> 00:02.000 align:start\n<v Ann>a &amp; b</v> <i>c</i>\n";
    const SUBRIP: &str = "1\r\n00:00:01,000 --> 00:00:02,500\r\n- Ann: {\\an8}hé\r\n- <i>no</i>\r\n\r\n\
        2\r\n00:00:03.000 --> 00:00:04.000\r\nx\r\n";

    #[test]
    fn the_format_is_detected() -> Result<(), ParseError> {
        for (text, format) in [
            (PLAIN, Format::Plain),
            (WEBVTT, Format::WebVtt),
            (SUBRIP, Format::SubRip),
            ("WEBVTTX: hello", Format::Plain),
            ("\n WEBVTT\n\n00:01.000 --> 00:02.000\nx", Format::WebVtt),
            ("1\nAnn: hello --> there", Format::Plain),
            ("\n\n7\n00:00:01,000 --> 00:00:02,000\nx", Format::SubRip),
            ("2026: a year", Format::Plain),
        ] {
            assert_eq!(parse(text, None)?.format, format, "{text:?}");
        }
        Ok(())
    }

    #[test]
    fn a_transcript_is_counted() -> Result<(), ParseError> {
        let parsed = parse(
            "WEBVTT\n\n00:01.000 --> 01:02.600\n<v Bo>one two\n\n00:02.000 --> 00:03.000\nthree\n\n00:02.000 --> 00:03.000\nAnn: four",
            None,
        )?;
        assert_eq!(parsed.speakers, ["Bo", "Ann"]);
        assert_eq!(parsed.duration_seconds, 63);
        assert_eq!(parsed.word_count, 4);
        assert_eq!(parsed.full_text, "Bo: one two\nthree\nAnn: four");
        Ok(())
    }

    #[test]
    fn nothing_said_is_an_error_at_line_1() {
        for text in ["", " \n\t\r\n", "\u{feff}", "#", "Ann:", "WEBVTT\n"] {
            assert_eq!(
                parse(text, None).err().map(|error| error.line),
                Some(1),
                "{text:?}"
            );
        }
        assert_eq!(
            parse("Ann: x", Some(Format::WebVtt))
                .err()
                .map(|error| error.line),
            Some(1)
        );
    }

    #[test]
    fn a_nul_is_an_error_at_its_line() {
        let error = parse("Ann: a\r\nb\rc\0", None).err();
        assert_eq!(error.map(|error| error.line), Some(3));
    }

    #[test]
    fn no_slice_of_a_transcript_panics() {
        for text in [PLAIN, WEBVTT, SUBRIP] {
            for (cut, _) in text.char_indices() {
                for part in [&text[..cut], &text[cut..]] {
                    for format in [
                        None,
                        Some(Format::Plain),
                        Some(Format::WebVtt),
                        Some(Format::SubRip),
                    ] {
                        let _ = parse(part, format);
                    }
                }
            }
        }
    }
}
