//! What WebVTT and SubRip have in common: timed blocks of text with tags in them.

use std::iter::Peekable;

use entity::transcript::TranscriptSegment;

use super::label::label;
use super::time::cue_time;
use crate::domain::parse_error::ParseError;

/// The mark between two times, and so of a timing line.
pub(super) const ARROW: &str = "-->";

/// How a format writes its times.
pub(super) struct Clock {
    /// What may stand before the thousandths.
    pub(super) marks: &'static [char],
    /// Whether hours must be written.
    pub(super) needs_hours: bool,
    /// What a timing line looks like, for people.
    pub(super) example: &'static str,
}

impl Clock {
    /// Reads `start --> end`; what follows the end (settings, coordinates) is of no interest here.
    pub(super) fn timing(&self, number: usize, line: &str) -> Result<(f64, f64), ParseError> {
        let (start, end) = self.times(line).ok_or_else(|| {
            ParseError::found(
                number,
                &format!("a timing such as `{}`", self.example),
                line,
            )
        })?;
        if end < start {
            return Err(ParseError::found(
                number,
                "an end that is not before the start",
                line,
            ));
        }
        Ok((start, end))
    }

    fn times(&self, line: &str) -> Option<(f64, f64)> {
        let (start, rest) = line.split_once(ARROW)?;
        let end = rest.split_whitespace().next()?;
        let time = |text| cue_time(text, self.marks, self.needs_hours);
        Some((time(start.trim())?, time(end)?))
    }
}

/// Takes the lines of a cue's text, up to a blank one.
pub(super) fn payload<'a>(
    lines: &mut Peekable<impl Iterator<Item = (usize, &'a str)>>,
) -> Result<String, ParseError> {
    let mut payload = String::new();
    while let Some((number, line)) = lines.next_if(|(_, line)| !line.is_empty()) {
        if line.contains(ARROW) {
            return Err(ParseError::found(
                number,
                "a blank line before the next cue",
                line,
            ));
        }
        payload.push_str(line);
        payload.push('\n');
    }
    Ok(payload)
}

/// Adds what is said in text without a voice: `Ann: hello` names a speaker, a dash starts a turn.
pub(super) fn dialogue(
    text: &str,
    (start, end): (f64, f64),
    segments: &mut Vec<TranscriptSegment>,
) {
    let mut started = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let spoken = undashed(line);
        let found = label(spoken.unwrap_or(line));
        if let (true, None, None, Some(segment)) = (started, spoken, &found, segments.last_mut()) {
            segment.text.push('\n');
            segment.text.push_str(line);
            continue;
        }
        started = true;
        let (speaker, text) = found.map_or(("", spoken.unwrap_or(line)), |label| {
            (label.speaker, label.text)
        });
        segments.push(segment(speaker, text, (start, end)));
    }
}

/// The line without the dash that starts a turn in subtitles.
fn undashed(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['-', '–'])?;
    let starts = |first: char| first.is_whitespace() || first.is_alphabetic();
    rest.starts_with(starts).then(|| rest.trim_start())
}

/// A segment of a cue.
pub(super) fn segment(speaker: &str, text: &str, (start, end): (f64, f64)) -> TranscriptSegment {
    TranscriptSegment {
        speaker: speaker.to_owned(),
        text: text.to_owned(),
        start_time: Some(start),
        end_time: Some(end),
        confidence: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_and_names_start_turns() {
        let mut segments = Vec::new();
        dialogue(
            "- Ann: a\nb\n-c\n- 5\n-5 d\nBo: e",
            (0.0, 1.0),
            &mut segments,
        );
        let turns: Vec<_> = segments
            .iter()
            .map(|turn| (turn.speaker.as_str(), turn.text.as_str()))
            .collect();
        assert_eq!(
            turns,
            [("Ann", "a\nb"), ("", "c"), ("", "5\n-5 d"), ("Bo", "e")]
        );
    }
}
