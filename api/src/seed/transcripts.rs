//! Transcripts: what was said, with times, before and after someone corrected it.

use super::{agenda::Who, meetings::Meeting, workspace::Workspace};
use crate::{
    domain::transcript::{self as text, Format},
    error::{Error, Result},
};
use entity::{
    Id, Json, Large,
    meeting::{self, MeetingParticipantStats, MeetingSource},
    transcript::{self, TranscriptSegment, TranscriptSource},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;

/// How fast people talk, in words a second.
const PACE: f64 = 2.1;
/// Seconds between two turns.
const PAUSE: f64 = 1.4;

/// A transcript that was read and given times.
pub(super) struct Spoken {
    pub(super) segments: Vec<TranscriptSegment>,
    pub(super) speakers: Vec<String>,
    pub(super) seconds: i32,
    words: i32,
    full_text: String,
}

impl Spoken {
    /// Reads lines such as `Mira: good morning`.
    pub(super) fn read(lines: &str) -> Result<Self> {
        let parsed = text::parse(lines, Some(Format::Plain)).map_err(Error::internal)?;
        let mut segments = parsed.segments;
        let mut clock = 2.0;
        for segment in &mut segments {
            let words = segment.text.split_whitespace().count() as f64;
            let end = clock + words / PACE;
            segment.start_time = Some(tenths(clock));
            segment.end_time = Some(tenths(end));
            segment.confidence = Some(0.99 - 0.01 * (words % 9.0));
            clock = end + PAUSE;
        }
        let (speakers, words, full_text) = (parsed.speakers, parsed.word_count, parsed.full_text);
        Ok(Self {
            segments,
            speakers,
            seconds: clock.round() as i32,
            words,
            full_text,
        })
    }

    /// How much each person spoke.
    pub(super) fn stats(&self) -> Vec<MeetingParticipantStats> {
        let of = |name: &String| {
            let turns: Vec<_> = self
                .segments
                .iter()
                .filter(|segment| segment.speaker == *name)
                .collect();
            let seconds = turns
                .iter()
                .filter_map(|turn| Some(turn.end_time? - turn.start_time?))
                .sum();
            let words: usize = turns
                .iter()
                .map(|turn| turn.text.split_whitespace().count())
                .sum();
            MeetingParticipantStats {
                name: name.clone(),
                speaking_seconds: Some(tenths(seconds)),
                word_count: i32::try_from(words).unwrap_or(i32::MAX),
            }
        };
        self.speakers.iter().map(of).collect()
    }
}

fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// Writes what was said, first as it was heard, then as someone corrects it; the meeting points to the last version.
pub(super) async fn write(
    ws: &mut Workspace<'_>,
    row: &meeting::Model,
    meeting: &Meeting,
    transcription: Option<Id>,
) -> Result<()> {
    let Some(meant) = &meeting.transcript else {
        return Ok(());
    };
    let heard = meeting
        .corrections
        .iter()
        .fold(meant.clone(), |text, (meant, heard)| {
            text.replace(meant, heard)
        });
    let source = match meeting.source {
        MeetingSource::Upload => TranscriptSource::Whisper,
        MeetingSource::Paste => TranscriptSource::Paste,
        MeetingSource::VoiceDialin => TranscriptSource::GeminiLive,
        _ => TranscriptSource::Bot,
    };
    let spoken = Spoken::read(&heard)?;
    let version = transcript::ActiveModel {
        source: Set(source),
        transcription_id: Set(transcription),
        ..filled(&row.id, &spoken)
    };
    let name = format!("transcript:{}", meeting.key);
    add(ws, &row.id, &name, version, "transcript.created").await?;
    if meeting.corrections.is_empty() {
        return Ok(());
    }
    let mut corrected = Spoken::read(meant)?;
    for (new, old) in corrected.segments.iter_mut().zip(&spoken.segments) {
        // What a person typed has no confidence.
        new.confidence = new.confidence.filter(|_| new.text == old.text);
    }
    let words: Vec<&str> = meeting.corrections.keys().map(String::as_str).collect();
    let note = format!("Misheard: {}", words.join(", "));
    let id = row.id.clone();
    ws.at(ws.soon(2.4), Who::Person(UserRole::Member), |ws| {
        Box::pin(async move {
            let version = transcript::ActiveModel {
                version: Set(2),
                source: Set(TranscriptSource::Edit),
                edited_by_id: Set(Some(ws.user(UserRole::Member)?)),
                edit_note: Set(Some(note)),
                ..filled(&id, &corrected)
            };
            add(ws, &id, &name, version, "transcript.edited").await
        })
    });
    Ok(())
}

/// Adds a version of a meeting's transcript, which counts from now on.
async fn add(
    ws: &mut Workspace<'_>,
    meeting: &Id,
    name: &str,
    version: transcript::ActiveModel,
    action: &'static str,
) -> Result<()> {
    let latest = ws.tx.insert(version, action).await?;
    ws.remember(name.to_owned(), &latest.id);
    let changes = meeting::ActiveModel {
        current_transcript_id: Set(Some(latest.id)),
        duration_seconds: Set(Some(latest.duration)),
        word_count: Set(Some(latest.word_count)),
        ..Default::default()
    };
    let row = ws.row::<meeting::Entity>(meeting).await?;
    let read = ws.tx.update(&row, changes, "meeting.transcribed").await;
    read.map(drop)
}

fn filled(meeting: &Id, spoken: &Spoken) -> transcript::ActiveModel {
    transcript::ActiveModel {
        meeting_id: Set(meeting.clone()),
        segments: Set(Large::new(Json(spoken.segments.clone()))),
        full_text: Set(Large::new(spoken.full_text.clone())),
        duration: Set(spoken.seconds),
        word_count: Set(spoken.words),
        speakers: Set(Json(spoken.speakers.clone())),
        language: Set(Some("en".to_owned())),
        ..Default::default()
    }
}
