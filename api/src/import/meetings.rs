//! Writes meetings, one transaction each.

use std::sync::Arc;

use entity::meeting::{self, MeetingSource, MeetingStatus};
use entity::transcript::{self, TranscriptSource};
use entity::{Id, Json, Large};
use sea_orm::{ActiveValue::Set, Condition, sea_query::ExprTrait};
use serde_json::{Map, Value, json};

use super::read::Source;
use super::recording::Recording;
use crate::domain::transcript::Parsed;
use crate::error::Result;
use crate::store::{Scope, Tx};

/// In a meeting's metadata, the SHA-256 of the file it was read from.
const CONTENT_HASH: &str = "contentHash";
/// In a meeting's metadata, the SHA-256 of what was said by the file. Not of the current transcript: who edited that
/// in the product would lose the edit to the next import of a file that did not change.
const TEXT_HASH: &str = "textHash";

/// What became of a meeting.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// It was imported before from the same content.
    Unchanged,
    /// It is new or has changed, perhaps in what was said.
    Written {
        /// Whether its transcript has a new version.
        is_new_text: bool,
    },
    /// Its meeting is in another project.
    Elsewhere,
}

/// Writes a meeting, or what changed in its file since the last import.
///
/// # Errors
/// If the database fails; then nothing of this meeting was written.
pub(super) async fn write(
    scope: &Scope,
    project: &Id,
    source: &Source,
    recording: Recording,
) -> Result<Outcome> {
    let key = external_id(&source.identity);
    let by = meeting::Column::ExternalId;
    let known = match scope.find_by::<meeting::Entity>(by, &key).await? {
        Some(known) => Some(known),
        None => known_by_name(scope, source, &key).await?,
    };
    let mut metadata = match &known {
        Some(known) => noted(scope, &known.id).await?,
        None => Map::new(),
    };
    let is_noted = |key, hash: &str| metadata.get(key).is_some_and(|noted| noted == hash);
    if is_noted(CONTENT_HASH, &source.hash) {
        return Ok(Outcome::Unchanged);
    }
    if known.as_ref().is_some_and(|it| it.project_id != *project) {
        return Ok(Outcome::Elsewhere);
    }
    let is_new_text = !is_noted(TEXT_HASH, &recording.text_hash);
    metadata.insert("path".to_owned(), json!(source.name));
    metadata.insert("agenda".to_owned(), json!(recording.agenda));
    metadata.insert(CONTENT_HASH.to_owned(), json!(source.hash));
    metadata.insert(TEXT_HASH.to_owned(), json!(recording.text_hash));

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
    let mut tx = scope.begin().await?;
    let before = if let Some(known) = &known {
        tx.get::<meeting::Entity>(&known.id).await?
    } else {
        // The file's date is that of its last edit; it stands in only while there is nothing better.
        let began = recording.held_at.or(source.modified);
        let new = meeting::ActiveModel {
            project_id: Set(project.clone()),
            source: Set(MeetingSource::Paste),
            status: Set(MeetingStatus::Completed),
            external_id: Set(Some(key.0)),
            start_time: Set(began.unwrap_or(tx.now())),
            ..std::mem::take(&mut row)
        };
        tx.insert(new, "meeting.created").await?
    };
    let mut action = "meeting.updated";
    if is_new_text {
        let version = add_version(&mut tx, &before.id, recording.spoken).await?;
        row.current_transcript_id = Set(Some(version.id));
        row.duration_seconds = Set(Some(version.duration).filter(|seconds| *seconds > 0));
        row.word_count = Set(Some(version.word_count));
        action = "meeting.transcribed";
    }
    tx.update(&before, row, action).await?;
    tx.commit().await?;
    Ok(Outcome::Written { is_new_text })
}

/// How a meeting is tied to a file.
fn external_id(file: &str) -> Id {
    Id(format!("import:{file}"))
}

/// The meeting of this file from when files were known by their path below the given folder, tied to the file itself
/// from now on. Other folders have files of the same name, so only the same content tells.
async fn known_by_name(
    scope: &Scope,
    source: &Source,
    key: &Id,
) -> Result<Option<Arc<meeting::Model>>> {
    let names = source.names.iter().map(|name| external_id(name).0);
    let mut tx = scope.begin().await?;
    let named = tx
        .rows::<meeting::Entity>(|place| {
            let column = place.column(meeting::Column::ExternalId);
            Condition::all().add(column.is_in(names.clone()))
        })
        .await?;
    for meeting in named {
        let noted = noted(scope, &meeting.id).await?;
        if noted
            .get(CONTENT_HASH)
            .is_some_and(|hash| *hash == source.hash)
        {
            let tied = meeting::ActiveModel {
                external_id: Set(Some(key.0.clone())),
                ..Default::default()
            };
            let meeting = tx.update(&meeting, tied, "meeting.updated").await?;
            tx.commit().await?;
            return Ok(Some(meeting.into()));
        }
    }
    Ok(None)
}

/// What an earlier import noted in a meeting's metadata.
async fn noted(scope: &Scope, meeting: &Id) -> Result<Map<String, Value>> {
    let column = meeting::Column::Metadata;
    let noted = scope.large::<meeting::Entity, Json<Value>>(column, meeting);
    Ok(match noted.await? {
        Some(Json(Value::Object(metadata))) => metadata,
        _ => Map::new(),
    })
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
