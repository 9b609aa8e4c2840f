//! What WebVTT and SubRip have in common: timed blocks of text with tags in them.

use entity::transcript::TranscriptSegment;

use super::label::Labels;
use super::time::cue_time;
use crate::domain::parse_error::ParseError;

/// The mark between two times, and so of a timing line.
pub(super) const ARROW: &str = "-->";

/// From when to when, in seconds.
pub(super) type Times = (f64, f64);

/// A timed block, as it is written.
#[derive(Debug, PartialEq)]
pub(super) struct Cue {
    /// When it is shown.
    pub(super) times: Times,
    /// Its lines, with tags.
    pub(super) text: String,
}

/// What tells the two formats apart.
pub(super) struct Rules {
    /// What a timing line looks like, for people.
    pub(super) example: &'static str,
    /// What a cue starts with, for people.
    pub(super) start: &'static str,
    /// Whether a line above a timing, with an empty one above it, names the cue whatever it is; else only a number does.
    pub(super) has_names: bool,
    /// Whether a block that starts with this line, before or after the first cue, is none of anybody's words.
    pub(super) is_comment: fn(&str, bool) -> bool,
}

impl Rules {
    /// Reads cues. Each goes on until the next: an empty line within a text ends no cue, though players stop there.
    ///
    /// # Errors
    /// The first line that is no timing where there must be one.
    pub(super) fn cues(&self, lines: &[(usize, &str)]) -> Result<Vec<Cue>, ParseError> {
        let mut cues: Vec<Cue> = Vec::new();
        let mut ahead = lines.iter().copied().enumerate();
        while let Some((at, (number, line))) = ahead.next() {
            let before = at.checked_sub(1).map_or("", |before| lines[before].1);
            let is_timing_next = lines.get(at + 1).is_some_and(|(_, next)| is_timing(next));
            if is_timing(line) {
                let times = self.timing(number, line)?;
                let text = String::new();
                cues.push(Cue { times, text });
            } else if is_timing_next
                && (is_number(line) || self.has_names && before.is_empty() && !line.is_empty())
            {
                // The number or the name of the cue below.
            } else if before.trim().is_empty() && (self.is_comment)(line, !cues.is_empty()) {
                let mut comment = ahead.clone();
                while comment
                    .next()
                    .is_some_and(|(_, (_, line))| !line.is_empty() && !is_timing(line))
                {
                    ahead.next();
                }
            } else if let Some(cue) = cues.last_mut() {
                cue.text.push_str(line);
                cue.text.push('\n');
            } else if !line.trim().is_empty() {
                let (number, line) = match lines.get(at + 1) {
                    Some((number, next)) if is_number(line) => (*number, *next),
                    _ => (number, line),
                };
                return Err(ParseError::found(number, self.start, line));
            }
        }
        Ok(cues)
    }

    /// Reads `start --> end`; what follows the end (settings, coordinates) is of no interest here.
    fn timing(&self, number: usize, line: &str) -> Result<Times, ParseError> {
        let times = times(line).ok_or_else(|| {
            let expected = format!("a timing such as `{}`", self.example);
            ParseError::found(number, &expected, line)
        })?;
        if times.1 < times.0 {
            let expected = "an end that is not before the start";
            return Err(ParseError::found(number, expected, line));
        }
        Ok(times)
    }
}

/// The two times of a timing line.
pub(super) fn times(line: &str) -> Option<Times> {
    let (start, rest) = line.split_once(ARROW)?;
    let end = rest.split_whitespace().next()?;
    Some((cue_time(start.trim())?, cue_time(end)?))
}

/// Whether a line is a timing, if only by its form: a slip in one is to be told, not taken for words.
pub(super) fn is_timing(line: &str) -> bool {
    let is_time = |byte: u8| byte.is_ascii_digit() || b":., \t".contains(&byte);
    line.split_once(ARROW)
        .is_some_and(|(start, _)| start.contains(':') && start.bytes().all(is_time))
}

/// Whether a line is a number and nothing else.
pub(super) fn is_number(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// Adds what is said in text without a voice: `Ann: hello` names a speaker, a dash starts a turn.
pub(super) fn dialogue(
    text: &str,
    times: Times,
    labels: &Labels<'_>,
    segments: &mut Vec<TranscriptSegment>,
) {
    let mut started = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let spoken = undashed(line);
        let found = labels.read(spoken.unwrap_or(line));
        if let (true, None, None, Some(segment)) = (started, spoken, &found, segments.last_mut()) {
            segment.text.push('\n');
            segment.text.push_str(line);
            continue;
        }
        started = true;
        let (speaker, text) = found.map_or(("", spoken.unwrap_or(line)), |label| {
            (label.speaker, label.text)
        });
        segments.push(segment(speaker, text, times));
    }
}

/// The line without the dash that starts a turn in subtitles, or the `>>` that does in captions.
pub(super) fn undashed(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix(">>") {
        return Some(rest.trim_start_matches('>').trim_start());
    }
    let rest = line.strip_prefix(['-', '–'])?;
    let starts = |first: char| first.is_whitespace() || first.is_alphabetic();
    rest.starts_with(starts).then(|| rest.trim_start())
}

/// A segment of a cue.
pub(super) fn segment(speaker: &str, text: &str, (start, end): Times) -> TranscriptSegment {
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
        let text = "- Ann: a\nb\n-c\n- 5\n-5 d\nBo: e\n>> f\n>>> Cy: g\nQuestion: h";
        dialogue(text, (0.0, 1.0), &Labels::of(text.lines()), &mut segments);
        let turns: Vec<_> = segments
            .iter()
            .map(|turn| (turn.speaker.as_str(), turn.text.as_str()))
            .collect();
        assert_eq!(
            turns,
            [
                ("Ann", "a\nb"),
                ("", "c"),
                ("", "5\n-5 d"),
                ("Bo", "e"),
                ("", "f"),
                ("Cy", "g\nQuestion: h")
            ]
        );
    }

    #[test]
    fn timings_are_told_from_words() {
        for line in ["00:01 --> x", "0:0:0.0 --> 0:0:4.510", " 00:01.000 -->"] {
            assert!(is_timing(line), "{line:?}");
        }
        for line in ["A --> B", "5 --> 6", "see 10:30 --> there", "00:01", "-->"] {
            assert!(!is_timing(line), "{line:?}");
        }
    }
}
