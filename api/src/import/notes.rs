//! Notes of a meeting, one Markdown file, to who was there, what was on the agenda and who said what.
//!
//! Made for notes such as TC39 publishes: an attendee list that gives everybody an abbreviation,
//! `##` headings for the agenda and `ABC: text` for what was said. Headings, metadata and the
//! summaries under `###` headings are not speech and do not become segments.

mod code;
mod date;
mod label;
mod page;
mod roster;
mod speaker;

use std::path::Path;

use chrono::NaiveDate;
use entity::transcript::TranscriptSegment;

use self::roster::Roster;
use crate::domain::parse_error::ParseError;
use crate::domain::transcript::lines;

/// The notes of one meeting.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MeetingNotes {
    /// The first heading, or the file's name when there is none.
    pub(crate) title: String,
    /// The day of the meeting: by the file's name or else by the title, which is more often a copy
    /// of yesterday's.
    pub(crate) held_on: Option<NaiveDate>,
    /// Who was there: the attendee list, then presenters it forgot.
    pub(crate) participants: Vec<Participant>,
    /// The agenda, in the order of the notes, no topic twice.
    pub(crate) topics: Vec<String>,
    /// What was said; never empty. The speaker is a full name when the notes tell it, else what
    /// stood there.
    pub(crate) segments: Vec<TranscriptSegment>,
}

/// Somebody who took part in a meeting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Participant {
    /// The full name.
    pub(crate) name: String,
    /// What the notes call them.
    pub(crate) abbreviation: Option<String>,
    /// Whom they are with.
    pub(crate) organisation: Option<String>,
    /// Whether they took part from afar; `None` when the notes do not tell.
    pub(crate) remote: Option<bool>,
}

/// Reads the notes in a file of this name.
///
/// # Errors
/// Line 1 when this is no meeting (neither a date nor anybody who attended), the last line when
/// nobody said anything, and the line of a NUL character.
pub(crate) fn parse(file_name: &str, text: &str) -> Result<MeetingNotes, ParseError> {
    let text = lines::readable(text)?;
    let rows: Vec<&str> = lines::numbered(text).map(|(_, line)| line).collect();
    let stem = Path::new(file_name)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let headings = rows.iter().filter_map(|line| lines::heading(line));
    let title = headings
        .filter(|(level, text)| *level == 1 && !text.is_empty())
        .map(|(_, text)| text)
        .next();
    let title = title.unwrap_or(&stem).to_owned();
    let held_on = date::find(&stem).or_else(|| date::find(&title));

    let roster = Roster::read(&rows);
    if held_on.is_none() && roster.participants.is_empty() {
        return Err(ParseError::new(
            1,
            "expected notes of a meeting, with a date in the title or in the file's name or with a list of attendees",
        ));
    }
    let page = page::read(&rows, &roster);
    if page.segments.is_empty() {
        return Err(ParseError::new(
            lines::numbered(text.trim_end()).count(),
            "expected somebody to say something, as in `ABC: text`, before the end of the notes",
        ));
    }
    Ok(MeetingNotes {
        title,
        held_on,
        participants: roster.participants,
        topics: page.topics,
        segments: page.segments,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTES: &str = "# 2nd May 2031 | 7th Meeting\n\n-----\n\n**Attendees:**\n\n\
        | Name | Abbreviation | Organization |\n|------|------|------|\n\
        | Ann Archer | AAR | Acme |\n| Bo Berg | BB | |\n| | | |\n\n\
        AAR: Welcome.\n\n## Tools: the `hammer`\n\nPresenter: Cy Cole (CCO)\n\n\
        - [slides](https://example.test)\n\nCCO: It has\n\n- a head\n\n\
        ```\nBB: no turn\n```\n\nBB/AAR: Nice.\n\n### Conclusion\n\n- accepted\n";

    #[test]
    fn notes_are_read() -> Result<(), ParseError> {
        let notes = parse("2031-05-may-03.md", NOTES)?;
        assert_eq!(notes.title, "2nd May 2031 | 7th Meeting");
        assert_eq!(notes.held_on, NaiveDate::from_ymd_opt(2031, 5, 3));
        assert_eq!(notes.topics, ["Tools: the hammer"]);
        let names: Vec<_> = notes
            .participants
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(names, ["Ann Archer", "Bo Berg", "Cy Cole"]);
        let turns: Vec<_> = notes
            .segments
            .iter()
            .map(|turn| (turn.speaker.as_str(), turn.text.as_str()))
            .collect();
        assert_eq!(
            turns,
            [
                ("Ann Archer", "Welcome."),
                ("Cy Cole", "It has\n\n- a head\n\n```\nBB: no turn\n```"),
                ("Bo Berg / Ann Archer", "Nice."),
            ]
        );
        Ok(())
    }

    #[test]
    fn the_file_name_serves_when_there_is_no_title() -> Result<(), ParseError> {
        let notes = parse("2031-05-02.md", "AB: hi")?;
        assert_eq!(
            (notes.title.as_str(), notes.held_on),
            ("2031-05-02", NaiveDate::from_ymd_opt(2031, 5, 2))
        );
        assert!(parse("x.md", "# 2 May 2031\nAB: hi")?.held_on.is_some());
        Ok(())
    }

    #[test]
    fn what_is_no_meeting_is_an_error() {
        for (name, text, line) in [
            ("a.md", "", 1),
            ("readme.md", "# A library\n\nNB: read this\n", 1),
            (
                "2031-05-02.md",
                "# Notes\n\n## Topic\n\nNothing yet: sorry\n",
                5,
            ),
            ("2031-05-02.md", "# Notes\nAB: x\nAB: \0", 3),
        ] {
            assert_eq!(
                parse(name, text).err().map(|error| error.line),
                Some(line),
                "{text:?}"
            );
        }
    }

    #[test]
    fn no_slice_of_notes_panics() {
        for (cut, _) in NOTES.char_indices() {
            let _ = parse("2031-05-02.md", &NOTES[..cut]);
            let _ = parse("x.md", &NOTES[cut..]);
        }
    }
}
