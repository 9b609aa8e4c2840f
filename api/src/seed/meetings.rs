//! Meetings in all their states, and the runs that write recordings down.

use super::{
    transcripts::{self, Spoken},
    usage::Call,
    workspace::{Workspace, count, later},
};
use crate::error::Result;
use entity::{
    BigInt, Id, Json, Large, Secret, Timestamp,
    api_usage::ApiOperation,
    meeting::{
        self, MeetingInsights, MeetingParticipant, MeetingParticipantRole, MeetingSource,
        MeetingStatus,
    },
    user::UserRole,
    whisper_transcription::{self, WhisperTranscriptionProvider, WhisperTranscriptionStatus},
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An entry of `meetings.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meeting {
    pub(super) key: String,
    project: String,
    goal: Option<String>,
    title: String,
    context: Option<String>,
    pub(super) source: MeetingSource,
    status: MeetingStatus,
    /// Days since it began; negative when it lies ahead.
    ago: f64,
    url: Option<String>,
    by: Option<UserRole>,
    /// Who was there, the host first, unless the transcript tells.
    #[serde(default)]
    people: Vec<String>,
    failure: Option<String>,
    /// What was captured while it went on.
    live: Option<Value>,
    insights: Option<MeetingInsights>,
    /// What was meant, and what was heard instead.
    #[serde(default)]
    pub(super) corrections: BTreeMap<String, String>,
    pub(super) transcript: Option<String>,
}

pub(super) async fn write(ws: &mut Workspace<'_>, mut meeting: Meeting) -> Result<()> {
    let start = ws.ago(meeting.ago);
    let spoken = meeting
        .transcript
        .as_deref()
        .map(Spoken::read)
        .transpose()?;
    if let Some(spoken) = &spoken {
        meeting.people.clone_from(&spoken.speakers);
    }
    let seconds = spoken.as_ref().map_or(1500, |spoken| spoken.seconds);
    let ended = matches!(
        meeting.status,
        MeetingStatus::Completed | MeetingStatus::Failed | MeetingStatus::Processing
    );
    let is_call = meeting.url.is_some() || meeting.source == MeetingSource::VoiceDialin;
    let created = if is_call {
        ws.past(start, -46.0)
    } else {
        ws.past(start, 0.4)
    };
    let participants = participants(ws, &meeting);
    let insights = meeting.insights.take().zip(spoken.as_ref());
    let insights = insights.map(|(read, spoken)| MeetingInsights {
        participant_stats: spoken.stats(),
        ..read
    });
    let row = meeting::ActiveModel {
        project_id: Set(ws.id(&format!("project:{}", meeting.project))?),
        goal_id: Set(ws.some("goal", meeting.goal.as_ref())?),
        title: Set(meeting.title.clone()),
        context: Set(meeting.context.clone()),
        source: Set(meeting.source),
        status: Set(meeting.status),
        external_id: Set(is_call.then(|| format!("{}-{}", ws.slug, meeting.key))),
        meeting_url: Set(meeting.url.clone()),
        start_time: Set(start),
        end_time: Set(ended.then(|| later(start, f64::from(seconds) / 3600.0))),
        participant_count: Set(count(&participants)),
        participants: Set(Large::new(Json(participants))),
        uploaded_by_id: Set(meeting.by.map(|role| ws.user(role)).transpose()?),
        failure_reason: Set(meeting.failure.clone()),
        metadata: Set(Large::new(Json(
            meeting
                .live
                .clone()
                .unwrap_or_else(|| json!({ "language": "en" })),
        ))),
        insights: Set(Large(insights.map(Json))),
        created_at: Set(created),
        updated_at: Set(ws.past(start.max(created), 1.0)),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "meeting.created").await?;
    ws.remember(format!("meeting:{}", meeting.key), &row.id);
    let transcription = match meeting.source {
        MeetingSource::Upload => write_transcription(ws, &row, &meeting, created, seconds).await?,
        _ => None,
    };
    transcripts::write(ws, &row, &meeting, transcription).await
}

fn participants(ws: &Workspace<'_>, meeting: &Meeting) -> Vec<MeetingParticipant> {
    let bot = matches!(
        meeting.source,
        MeetingSource::Recall | MeetingSource::Vexa | MeetingSource::VoiceDialin
    );
    let person = |(place, name): (usize, &String)| MeetingParticipant {
        name: name.clone(),
        // People from outside are known by name only.
        email: ws
            .people
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, role)| ws.email(*role)),
        role: if place == 0 {
            MeetingParticipantRole::Host
        } else {
            MeetingParticipantRole::Participant
        },
    };
    let recorder = MeetingParticipant {
        name: "Notetaker".to_owned(),
        email: None,
        role: MeetingParticipantRole::AiBot,
    };
    meeting
        .people
        .iter()
        .enumerate()
        .map(person)
        .chain(bot.then_some(recorder))
        .collect()
}

/// Writes the run that makes a transcript of a recording, as far as the meeting's state says it has come.
async fn write_transcription(
    ws: &mut Workspace<'_>,
    row: &meeting::Model,
    meeting: &Meeting,
    uploaded: Timestamp,
    seconds: i32,
) -> Result<Option<Id>> {
    use WhisperTranscriptionStatus::{Failed, Running, Succeeded};
    let (status, done) = match meeting.status {
        MeetingStatus::Completed => (Succeeded, 3),
        MeetingStatus::Transcribing => (Running, 1),
        MeetingStatus::Failed => (Failed, 0),
        _ => return Ok(None),
    };
    let succeeded = status == Succeeded;
    let ended = (status != Running).then(|| ws.past(uploaded, 0.1));
    let cost = i64::from(seconds) * 100;
    let transcription = whisper_transcription::ActiveModel {
        meeting_id: Set(row.id.clone()),
        status: Set(status),
        provider: Set(succeeded.then_some(WhisperTranscriptionProvider::Openai)),
        provider_chain: Set(Json(vec![
            WhisperTranscriptionProvider::Local,
            WhisperTranscriptionProvider::Openai,
        ])),
        model: Set(succeeded.then(|| "whisper-1".to_owned())),
        language: Set(Some("en".to_owned())),
        domain_prompt: Set(meeting.context.clone()),
        audio_key: Set(Secret(
            ended
                .is_none()
                .then(|| format!("recordings/{}/{}.m4a", ws.slug, meeting.key)),
        )),
        file_name: Set(Some(format!("{}.m4a", meeting.key))),
        content_type: Set(Some("audio/x-m4a".to_owned())),
        size_bytes: Set(Some(BigInt(61_440_000 + 1_024 * i64::from(seconds)))),
        chunk_count: Set(3),
        chunks_done: Set(done),
        duration_seconds: Set(Some(seconds)),
        cost_micros: Set(succeeded.then_some(BigInt(cost))),
        attempt: Set(if status == Failed { 2 } else { 1 }),
        error: Set(meeting.failure.clone()),
        started_at: Set(Some(ws.past(uploaded, 0.02))),
        completed_at: Set(ended),
        audio_deleted_at: Set(ended),
        requested_by_id: Set(row.uploaded_by_id.clone()),
        created_at: Set(uploaded),
        updated_at: Set(ended.unwrap_or(ws.tx.now())),
        ..Default::default()
    };
    let transcription = ws.tx.insert(transcription, "transcription.created").await?;
    if succeeded {
        let call = Call::new("ba_agent", ApiOperation::Transcribe, uploaded);
        ws.calls.push(Call {
            project: Some(row.project_id.clone()),
            seconds,
            ..call
        });
    }
    Ok(Some(transcription.id))
}
