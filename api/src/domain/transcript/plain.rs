//! Plain text: turns that start with `Speaker:`, or below a name and a time, and go on until the next one does.

use entity::transcript::TranscriptSegment;

use super::cue::{Times, is_timing, times, undashed};
use super::header::headers;
use super::label::Labels;
use super::lines::{Paragraphs, heading, numbered};
use super::name::stands_alone;

/// What recorders write below a transcript.
const FOOTERS: [&str; 5] = [
    "Transcribed by ",
    "Transcription ended",
    "Meeting ended after ",
    "Recording ended",
    "This editable transcript was computer generated",
];

/// Reads plain text. What stands before the first speaker, under a heading or below a time without a name is nobody's.
pub(super) fn parse(text: &str) -> Vec<TranscriptSegment> {
    let lines: Vec<&str> = numbered(text).map(|(_, line)| line).collect();
    let labels = Labels::of(lines.iter().copied());
    let headers = headers(&lines);
    // Below headers, a colon belongs to what was said.
    let has_headers = headers.iter().flatten().count() > labels.certain;
    let has_names = names_below_timings(&lines);
    let mut turns = Turns::default();
    let mut is_name = false;
    for (line, header) in lines.iter().zip(&headers) {
        if is_name {
            turns.speaker(line.trim());
            is_name = false;
        } else if let Some(times) = times(line).filter(|_| is_timing(line)) {
            turns.begin("", (Some(times.0), Some(times.1)), "");
            is_name = has_names;
        } else if let Some((_, title)) = heading(line.trim_start()) {
            turns.begin("", (None, None), title);
        } else if FOOTERS
            .iter()
            .any(|footer| line.trim_start().starts_with(footer))
        {
            turns.begin("", (None, None), line);
        } else if has_headers {
            match header {
                Some(header) => turns.begin(header.speaker, (header.start_time, None), ""),
                None => turns.go_on(line),
            }
        } else {
            let caption =
                undashed(line.trim_start()).filter(|_| line.trim_start().starts_with(">>"));
            match (labels.read(caption.unwrap_or(line)), caption) {
                (Some(label), _) => {
                    turns.begin(label.speaker, (label.start_time, None), label.text);
                }
                (None, Some(text)) => turns.begin("", (None, None), text),
                (None, None) => turns.go_on(line),
            }
        }
    }
    turns.close();
    turns.segments
}

/// Whether each block below a timing starts with a name on a line of its own, as in what Teams exports.
fn names_below_timings(lines: &[&str]) -> bool {
    let mut blocks = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| is_timing(line) && times(line).is_some())
        .peekable();
    let is_text = |at: usize| {
        lines
            .get(at)
            .is_some_and(|line| !line.trim().is_empty() && !is_timing(line))
    };
    blocks.peek().is_some()
        && blocks.all(|(at, _)| is_text(at + 1) && stands_alone(lines[at + 1]) && is_text(at + 2))
}

/// The turns so far, the last one still open.
#[derive(Default)]
struct Turns {
    segments: Vec<TranscriptSegment>,
    turn: TranscriptSegment,
    text: Paragraphs,
}

impl Turns {
    /// Ends the open turn and begins one with the rest of a line. The times of a turn in which nobody said anything yet
    /// are those of the next.
    fn begin(&mut self, speaker: &str, (start, end): (Option<f64>, Option<f64>), text: &str) {
        let pending: Option<Times> = match (self.turn.start_time, self.turn.end_time) {
            (Some(start), Some(end)) if self.turn.speaker.is_empty() && self.text.is_empty() => {
                Some((start, end))
            }
            _ => None,
        };
        self.close();
        self.turn = TranscriptSegment {
            speaker: speaker.to_owned(),
            start_time: start.or(pending.map(|(start, _)| start)),
            end_time: end.or(pending.map(|(_, end)| end)),
            ..TranscriptSegment::default()
        };
        self.text = Paragraphs::starting(text);
    }

    /// Names who speaks in the open turn.
    fn speaker(&mut self, name: &str) {
        name.clone_into(&mut self.turn.speaker);
    }

    fn go_on(&mut self, line: &str) {
        self.text.push(line);
    }

    /// Ends the open turn; one without words is none.
    fn close(&mut self) {
        let turn = std::mem::take(&mut self.turn);
        let text = std::mem::take(&mut self.text).finish();
        if !text.is_empty() {
            self.segments.push(TranscriptSegment { text, ..turn });
        }
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

    fn timed(text: &str) -> Vec<(String, String, Option<f64>, Option<f64>)> {
        let turns = parse(text).into_iter();
        turns
            .map(|turn| (turn.speaker, turn.text, turn.start_time, turn.end_time))
            .collect()
    }

    #[test]
    fn turns_go_on_until_the_next_speaker() {
        let text = "Monday, in the small room\n\nAnn: one\ntwo\r\n\r\n\r\nthree\n## Break\nBo: four\rAnn:\nfive\nBo: six";
        let expected = [
            ("", "Monday, in the small room"),
            ("Ann", "one\ntwo\n\nthree"),
            ("", "Break"),
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
    fn a_text_of_nobody_is_nobodys() {
        let text = "# Dictation\nfirst line\nsecond\n\nsee https://example.test: done\n";
        assert_eq!(
            turns(text),
            owned(&[(
                "",
                "Dictation\nfirst line\nsecond\n\nsee https://example.test: done"
            )])
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

    #[test]
    fn a_number_that_calls_in_is_somebody() {
        let text = "Nora Field: Who is on the phone?\n14155550123: This is Omar, I disagree.\nNora Field: Noted.\n";
        let expected = [
            ("Nora Field", "Who is on the phone?"),
            ("14155550123", "This is Omar, I disagree."),
            ("Nora Field", "Noted."),
        ];
        assert_eq!(turns(text), owned(&expected));
    }

    #[test]
    fn names_with_times_above_the_text_are_speakers() {
        let text = "Nora Field  0:02  \nGood morning, let us start with the release.\n\n\
            Omar Reyes  0:09  \nThe build is green since yesterday, and the budget is approved.\n\n\
            Nora Field  0:15  \nQuestion: who writes the notes?\nBo: not I.\n\nOmar Reyes  0:21  \nI do.\n\n\
            Transcribed by https://otter.ai\n";
        let turn =
            |speaker: &str, text: &str, start| (speaker.to_owned(), text.to_owned(), start, None);
        let expected = [
            turn(
                "Nora Field",
                "Good morning, let us start with the release.",
                Some(2.0),
            ),
            turn(
                "Omar Reyes",
                "The build is green since yesterday, and the budget is approved.",
                Some(9.0),
            ),
            turn(
                "Nora Field",
                "Question: who writes the notes?\nBo: not I.",
                Some(15.0),
            ),
            turn("Omar Reyes", "I do.", Some(21.0)),
            turn("", "Transcribed by https://otter.ai", None),
        ];
        assert_eq!(timed(text), expected);
    }

    #[test]
    fn names_below_timings_are_speakers_if_all_are() {
        let text = "0:0:0.0 --> 0:0:4.510\nNora Field\nGood morning everyone.\n\
            0:0:5.20 --> 0:0:9.330\nOmar Reyes\nReminder: the demo is at three.\n";
        let turn = |speaker: &str, text: &str, start, end| {
            (speaker.to_owned(), text.to_owned(), Some(start), Some(end))
        };
        let expected = [
            turn("Nora Field", "Good morning everyone.", 0.0, 4.51),
            turn("Omar Reyes", "Reminder: the demo is at three.", 5.2, 9.33),
        ];
        assert_eq!(timed(text), expected);

        let text = "00:00:01 --> 00:00:02\nHello\nthere\n\n00:00:03 --> 00:00:04\nNora: yes\n";
        let expected = [
            turn("", "Hello\nthere", 1.0, 2.0),
            turn("Nora", "yes", 3.0, 4.0),
        ];
        assert_eq!(timed(text), expected);
    }

    #[test]
    fn what_meets_no_speaker_is_nobodys_and_not_lost() {
        let text = "Date: 20 November\nAttendees: Nora, Omar\n\nNora: hi\nNote: x\n>> no\n>> OMAR: yes\nso: on";
        let expected = [
            ("", "Date: 20 November\nAttendees: Nora, Omar"),
            ("Nora", "hi\nNote: x"),
            ("", "no"),
            ("OMAR", "yes\nso: on"),
        ];
        assert_eq!(turns(text), owned(&expected));
    }
}
