//! Writes meetings, one transaction each.

use entity::meeting::{self, MeetingSource, MeetingStatus};
use entity::transcript::{self, TranscriptSource};
use entity::{Id, Json, Large};
use sea_orm::{ActiveValue::Set, Condition, sea_query::ExprTrait};
use serde_json::{Map, Value, json};

use super::read::{Source, problem};
use super::recording::Recording;
use super::run::Summary;
use crate::domain::parse_error::ParseError;
use crate::domain::transcript::Parsed;
use crate::error::Result;
use crate::store::{Scope, Tx};

/// In a meeting's metadata, the SHA-256 of the file it was read from.
const CONTENT_HASH: &str = "contentHash";
/// In a meeting's metadata, the SHA-256 of what was said by the file. Not of the current transcript: who edited that
/// in the product would lose the edit to the next import of a file that did not change.
const TEXT_HASH: &str = "textHash";

/// Writes a meeting, or what changed in its file since the last import.
///
/// # Errors
/// If the database fails; then nothing of this meeting was written.
pub(super) async fn write(
    scope: &Scope,
    project: &Id,
    source: &Source,
    recording: Recording,
    summary: &mut Summary,
) -> Result<()> {
    let external_id = format!("import:{}", source.name);
    let key = Id::from(external_id.as_str());
    let known = scope
        .find_by::<meeting::Entity>(meeting::Column::ExternalId, &key)
        .await?;
    let noted = match &known {
        Some(known) => {
            let column = meeting::Column::Metadata;
            scope
                .large::<meeting::Entity, Json<Value>>(column, &known.id)
                .await?
        }
        None => None,
    };
    let mut metadata = match noted {
        Some(Json(Value::Object(metadata))) => metadata,
        _ => Map::new(),
    };
    if metadata
        .get(CONTENT_HASH)
        .is_some_and(|hash| *hash == source.hash)
    {
        summary.unchanged += 1;
        return Ok(());
    }
    if known
        .as_ref()
        .is_some_and(|known| known.project_id != *project)
    {
        let reason = format!(
            "expected a path of its own, found `{}` in another project",
            source.name
        );
        summary
            .malformed
            .push(problem(&source.path, &ParseError::new(1, reason)));
        return Ok(());
    }
    let is_new_text = metadata
        .get(TEXT_HASH)
        .is_none_or(|hash| *hash != recording.text_hash);
    metadata.insert("path".to_owned(), json!(source.name));
    metadata.insert("agenda".to_owned(), json!(recording.agenda));
    metadata.insert(CONTENT_HASH.to_owned(), json!(source.hash));
    metadata.insert(TEXT_HASH.to_owned(), json!(recording.text_hash));

    let mut tx = scope.begin().await?;
    let participants = recording.participants();
    let mut row = meeting::ActiveModel {
        title: Set(recording.title),
        participant_count: Set(i32::try_from(participants.len()).unwrap_or(i32::MAX)),
        participants: Set(Large::new(Json(participants))),
        metadata: Set(Large::new(Json(Value::Object(metadata)))),
        ..Default::default()
    };
    if let Some(held_at) = recording.held_at {
        row.start_time = Set(held_at);
    }
    let before = match &known {
        Some(known) => tx.get::<meeting::Entity>(&known.id).await?,
        None => {
            let began = recording.held_at.or(source.modified);
            let new = meeting::ActiveModel {
                project_id: Set(project.clone()),
                source: Set(MeetingSource::Paste),
                status: Set(MeetingStatus::Completed),
                external_id: Set(Some(external_id)),
                start_time: Set(began.unwrap_or(tx.now())),
                ..std::mem::take(&mut row)
            };
            tx.insert(new, "meeting.created").await?
        }
    };
    if is_new_text {
        let version = add_version(&mut tx, &before.id, recording.spoken).await?;
        row.current_transcript_id = Set(Some(version.id));
        row.duration_seconds = Set(Some(version.duration));
        row.word_count = Set(Some(version.word_count));
        summary.transcript_versions += 1;
    }
    let action = if is_new_text {
        "meeting.transcribed"
    } else {
        "meeting.updated"
    };
    tx.update(&before, row, action).await?;
    tx.commit().await?;
    summary.meetings += 1;
    Ok(())
}

async fn add_version(tx: &mut Tx<'_>, meeting: &Id, spoken: Parsed) -> Result<transcript::Model> {
    let versions = tx
        .rows::<transcript::Entity>(|place| {
            Condition::all().add(
                place
                    .column(transcript::Column::MeetingId)
                    .eq(meeting.as_str()),
            )
        })
        .await?;
    let last = versions.iter().map(|version| version.version).max();
    let row = transcript::ActiveModel {
        meeting_id: Set(meeting.clone()),
        version: Set(last.unwrap_or(0) + 1),
        source: Set(TranscriptSource::Paste),
        segments: Set(Large::new(Json(spoken.segments))),
        full_text: Set(Large::new(spoken.full_text)),
        duration: Set(spoken.duration_seconds),
        word_count: Set(spoken.word_count),
        speakers: Set(Json(spoken.speakers)),
        ..Default::default()
    };
    tx.insert(row, "transcript.created").await
}
