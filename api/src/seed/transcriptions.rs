//! The runs that write recordings down.

use super::{meetings::Meeting, usage::Call, workspace::Workspace};
use crate::{domain::machine::TranscriptionStep, error::Result, workflow::ANALYST};
use entity::{
    BigInt, Id, Json, Secret,
    api_usage::ApiOperation,
    meeting::{self, MeetingStatus},
    whisper_transcription::{self, WhisperTranscriptionProvider, WhisperTranscriptionStatus},
};
use sea_orm::ActiveValue::Set;

/// Begins the run that makes a transcript of a recording.
pub(super) async fn begin(
    ws: &mut Workspace<'_>,
    row: &meeting::Model,
    meeting: &Meeting,
    seconds: i32,
) -> Result<()> {
    let queued = whisper_transcription::ActiveModel {
        meeting_id: Set(row.id.clone()),
        status: Set(WhisperTranscriptionStatus::Queued),
        provider_chain: Set(Json(vec![
            WhisperTranscriptionProvider::Local,
            WhisperTranscriptionProvider::Openai,
        ])),
        language: Set(Some("en".to_owned())),
        domain_prompt: Set(meeting.context.clone()),
        audio_key: Set(Secret(Some(format!(
            "recordings/{}/{}.m4a",
            ws.slug, meeting.key
        )))),
        file_name: Set(Some(format!("{}.m4a", meeting.key))),
        content_type: Set(Some("audio/x-m4a".to_owned())),
        size_bytes: Set(Some(BigInt(61_440_000 + 1_024 * i64::from(seconds)))),
        chunk_count: Set(3),
        duration_seconds: Set(Some(seconds)),
        requested_by_id: Set(row.uploaded_by_id.clone()),
        ..Default::default()
    };
    let queued = ws.tx.insert(queued, "transcription.created").await?;
    ws.remember(format!("transcription:{}", row.id), &queued.id);
    let failed = meeting.status == MeetingStatus::Failed;
    let running = whisper_transcription::ActiveModel {
        chunks_done: Set(i32::from(!failed)),
        attempt: Set(if failed { 2 } else { 1 }),
        started_at: Set(Some(ws.moment)),
        ..Default::default()
    };
    let running = ws.tx.take(&queued, TranscriptionStep::Start, running).await;
    running.map(drop)
}

/// Ends that run as its meeting ended.
pub(super) async fn end(ws: &mut Workspace<'_>, row: &meeting::Model, seconds: i32) -> Result<Id> {
    let id = ws.id(&format!("transcription:{}", row.id))?;
    let running = ws.row::<whisper_transcription::Entity>(&id).await?;
    let ended = whisper_transcription::ActiveModel {
        audio_key: Set(Secret(None)),
        completed_at: Set(Some(ws.moment)),
        audio_deleted_at: Set(Some(ws.moment)),
        ..Default::default()
    };
    let (ended, step) = match &row.failure_reason {
        Some(failure) => {
            let failed = whisper_transcription::ActiveModel {
                error: Set(Some(failure.clone())),
                ..ended
            };
            (failed, TranscriptionStep::Fail)
        }
        None => {
            let done = whisper_transcription::ActiveModel {
                provider: Set(Some(WhisperTranscriptionProvider::Openai)),
                model: Set(Some("whisper-1".to_owned())),
                chunks_done: Set(running.chunk_count),
                cost_micros: Set(Some(BigInt(100 * i64::from(seconds)))),
                ..ended
            };
            (done, TranscriptionStep::Finish)
        }
    };
    let ended = ws.tx.take(&running, step, ended).await?;
    if ended.status == WhisperTranscriptionStatus::Succeeded {
        ws.calls.push(Call {
            project: Some(row.project_id.clone()),
            seconds,
            ..Call::new(ANALYST, ApiOperation::Transcribe, ws.moment)
        });
    }
    Ok(ended.id)
}
