//! Plain text: turns that start with `Speaker:` and go on until the next one does.

use entity::transcript::TranscriptSegment;

use super::label::label;
use super::lines::{Paragraphs, heading, numbered};

/// Reads plain text; a text without a single speaker is one segment of nobody.
pub(super) fn parse(text: &str) -> Vec<TranscriptSegment> {
    let mut segments = Vec::new();
    let mut turn: Option<(TranscriptSegment, Paragraphs)> = None;
    // Minutes often open with a date and a list of names: not speech, unless it is all there is.
    let mut preamble = Paragraphs::default();
    for (_, line) in numbered(text) {
        if heading(line.trim_start()).is_some() {
            continue;
        }
        if let Some(label) = label(line) {
            let segment = TranscriptSegment {
                speaker: label.speaker.to_owned(),
                start_time: label.start_time,
                ..TranscriptSegment::default()
            };
            segments.extend(
                turn.replace((segment, Paragraphs::starting(label.text)))
                    .map(close),
            );
        } else {
            turn.as_mut()
                .map_or(&mut preamble, |(_, text)| text)
                .push(line);
        }
    }
    segments.extend(turn.map(close));
    if segments.is_empty() {
        segments.push(close((TranscriptSegment::default(), preamble)));
    }
    segments
}

fn close((segment, text): (TranscriptSegment, Paragraphs)) -> TranscriptSegment {
    TranscriptSegment {
        text: text.finish(),
        ..segment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(text: &str) -> Vec<(String, String)> {
        let turns = parse(text).into_iter();
        turns.map(|turn| (turn.speaker, turn.text)).collect()
    }

    fn owned(turns: &[(&str, &str)]) -> Vec<(String, String)> {
        let turns = turns.iter();
        turns
            .map(|(speaker, text)| ((*speaker).into(), (*text).into()))
            .collect()
    }

    #[test]
    fn turns_go_on_until_the_next_speaker() {
        let text = "Monday, in the small room\n\nAnn: one\ntwo\r\n\r\n\r\nthree\n## Break\nBo: four\rAnn:\nfive\nBo: six";
        let expected = [
            ("Ann", "one\ntwo\n\nthree"),
            ("Bo", "four"),
            ("Ann", "five"),
            ("Bo", "six"),
        ];
        assert_eq!(turns(text), owned(&expected));
    }

    #[test]
    fn the_same_speaker_twice_is_two_turns() {
        assert_eq!(
            turns("Ann: a\nAnn: b"),
            owned(&[("Ann", "a"), ("Ann", "b")])
        );
    }

    #[test]
    fn a_text_of_nobody_is_one_segment() {
        let text = "# Dictation\nfirst line\nsecond\n\nsee https://example.test: done\n";
        assert_eq!(
            turns(text),
            owned(&[("", "first line\nsecond\n\nsee https://example.test: done")])
        );
    }

    #[test]
    fn times_beside_the_name_are_start_times() {
        let starts: Vec<_> = parse("[00:01:00] Ann: a\nBo (1:05): b\nAnn: c")
            .into_iter()
            .map(|turn| turn.start_time)
            .collect();
        assert_eq!(starts, [Some(60.0), Some(65.0), None]);
    }
}
