//! A meeting as a file tells it, before it is written.

use std::collections::HashSet;

use chrono::NaiveTime;
use entity::Timestamp;
use entity::meeting::MeetingParticipant;
use entity::transcript::TranscriptSegment;

use super::names::{Names, together};
use super::notes::{MeetingNotes, Participant};
use crate::domain::digest::sha256;
use crate::domain::transcript::{Format, Parsed, summarise};

/// The longest title, in characters, as everywhere else in the product.
const MAX_TITLE: usize = 300;

/// Speakers who are not one person.
const NOBODY: [&str; 5] = ["", "Unknown", "All", "Everybody", "Everyone"];

/// What a file says about a meeting.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    /// What it was about.
    pub(super) title: String,
    /// The beginning of the day it was held on, when the file tells.
    pub(crate) held_at: Option<Timestamp>,
    /// The agenda; empty for a bare transcript.
    pub(super) agenda: Vec<String>,
    /// What was said.
    pub(crate) spoken: Parsed,
    /// The SHA-256 of what was said as the file alone tells it, so that a name learnt from another file is no change.
    pub(super) text_hash: String,
    /// The attendee list; `None` for a bare transcript.
    attendees: Option<Vec<Participant>>,
}

impl Recording {
    /// A meeting of which there are notes.
    pub(super) fn of_notes(notes: MeetingNotes) -> Self {
        let midnight = |day: chrono::NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let spoken = spoken(notes.segments);
        Self {
            title: cut(&notes.title),
            held_at: notes.held_on.map(midnight).map(Timestamp::new),
            agenda: notes.topics,
            text_hash: sha256(&spoken.full_text),
            spoken,
            attendees: Some(notes.participants),
        }
    }

    /// A meeting of which there is nothing but a transcript.
    pub(super) fn of_transcript(title: &str, spoken: Parsed) -> Self {
        Self {
            title: cut(title),
            held_at: None,
            agenda: Vec::new(),
            text_hash: sha256(&spoken.full_text),
            spoken,
            attendees: None,
        }
    }

    /// Who was there: those on the list, then those who only spoke.
    pub(crate) fn participants(&self) -> Vec<MeetingParticipant> {
        let listed = self.attendees.iter().flatten();
        let listed = listed.map(|person| person.name.as_str());
        // Capitals that no list explains are more often a slip of the note-taker's than one more person.
        let has_list = self.attendees.iter().flatten().next().is_some();
        let is_slip = |name: &str| has_list && name.bytes().all(|byte| byte.is_ascii_uppercase());
        let spoke = self.spoken.speakers.iter().map(String::as_str);
        let spoke = spoke.filter(|name| !NOBODY.contains(name) && !is_slip(name));
        let mut known = HashSet::new();
        listed
            .chain(spoke)
            .filter(|name| known.insert(*name))
            .map(|name| MeetingParticipant {
                name: name.to_owned(),
                ..MeetingParticipant::default()
            })
            .collect()
    }
}

/// Gives people whom one meeting's list forgot the name that the lists of the others know.
pub(super) fn share_names<'r>(recordings: impl Iterator<Item = &'r mut Recording>) {
    let mut recordings: Vec<_> = recordings.collect();
    let people: Vec<_> = recordings
        .iter()
        .filter_map(|recording| recording.attendees.clone())
        .flatten()
        .collect();
    let names = Names::of(people.iter());
    // The speakers of a bare transcript are not called by the abbreviations of somebody's attendee lists.
    let notes = recordings
        .iter_mut()
        .filter(|recording| recording.attendees.is_some());
    for recording in notes {
        let mut segments = std::mem::take(&mut recording.spoken.segments);
        for segment in &mut segments {
            if let Some(name) = names.full(&segment.speaker) {
                segment.speaker = name;
            }
        }
        recording.spoken = spoken(segments);
    }
}

fn cut(title: &str) -> String {
    title.chars().take(MAX_TITLE).collect()
}

/// What the segments of notes hold. Those who spoke together are speakers one by one.
fn spoken(segments: Vec<TranscriptSegment>) -> Parsed {
    summarise(Format::Plain, segments, |speaker| {
        together(speaker).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::notes;
    use super::*;
    use crate::domain::parse_error::ParseError;

    #[test]
    fn a_name_is_learnt_from_another_day() -> Result<(), ParseError> {
        let read = |name: &str, text: &str| notes::parse(name, text).map(Recording::of_notes);
        let mut days = [
            read(
                "2031-05-02.md",
                "**Attendees:**\n- Ann Archer (AAR)\n\nAAR: one two",
            )?,
            read(
                "2031-05-03.md",
                "**Attendees:**\n- Bo Berg (BB)\n\nAAR: a\n\nBB/AAR: b\n\n??: c\n\nZZ: d",
            )?,
        ];
        let hash = days[1].text_hash.clone();
        share_names(days.iter_mut());
        let spoken = &days[1].spoken;
        assert_eq!(spoken.speakers, ["Ann Archer", "Bo Berg", "Unknown", "ZZ"]);
        assert_eq!(
            spoken.full_text,
            "Ann Archer: a\nBo Berg / Ann Archer: b\nUnknown: c\nZZ: d"
        );
        assert_eq!(days[1].text_hash, hash);
        let names: Vec<_> = days[1]
            .participants()
            .into_iter()
            .map(|one| one.name)
            .collect();
        assert_eq!(names, ["Bo Berg", "Ann Archer"]);
        assert_eq!(days[0].spoken.word_count, 2);
        Ok(())
    }
}
