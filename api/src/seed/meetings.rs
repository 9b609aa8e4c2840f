//! Meetings in all their states, and the runs that write recordings down.

use super::{
    agenda::Who,
    transcriptions,
    transcripts::{self, Spoken},
    workspace::{Workspace, count, raw},
};
use crate::{
    domain::machine::{MeetingConsequence, MeetingStep, step_to},
    error::{Error, Result},
    store::standing,
};
use entity::{
    Json, Large, Timestamp,
    meeting::{
        self, MeetingInsights, MeetingParticipant, MeetingParticipantRole, MeetingSource,
        MeetingStatus,
    },
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An entry of `meetings.yaml`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meeting {
    pub(super) key: String,
    project: String,
    goal: Option<String>,
    title: String,
    pub(super) context: Option<String>,
    pub(super) source: MeetingSource,
    pub(super) status: MeetingStatus,
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

/// What a meeting goes through, and when: hours after it began or was uploaded.
const CALL: [(MeetingStatus, f64); 4] = [
    (MeetingStatus::Joining, -0.02),
    (MeetingStatus::InProgress, 0.0),
    (MeetingStatus::Processing, 1.0),
    (MeetingStatus::Completed, 1.2),
];
const UPLOAD: [(MeetingStatus, f64); 3] = [
    (MeetingStatus::Transcribing, 0.05),
    (MeetingStatus::Processing, 0.4),
    (MeetingStatus::Completed, 0.6),
];

pub(super) fn tell(ws: &mut Workspace<'_>, mut meeting: Meeting) -> Result<()> {
    let spoken = { meeting.transcript.as_deref() }
        .map(Spoken::read)
        .transpose()?;
    if let Some(spoken) = &spoken {
        meeting.people.clone_from(&spoken.speakers);
    }
    let insights = meeting.insights.take().zip(spoken.as_ref());
    meeting.insights = insights.map(|(read, spoken)| MeetingInsights {
        participant_stats: spoken.stats(),
        ..read
    });
    let seconds = spoken.as_ref().map_or(1500, |spoken| spoken.seconds);
    let (start, host) = (ws.ago(meeting.ago), meeting.host(ws));
    let is_call = meeting.is_call();
    let (created, steps) = match meeting.source {
        _ if is_call => (ws.later(start, -46.0).min(ws.ago(1.5)), &CALL[..]),
        MeetingSource::Upload => (ws.later(start, 0.4), &UPLOAD[..]),
        _ => (ws.later(start, 0.4), &[][..]),
    };
    let first = meeting.clone();
    ws.at(created, Who::Person(host), move |ws| {
        Box::pin(write(ws, first, start, seconds))
    });
    if meeting.status == MeetingStatus::Cancelled {
        let stopped = ws.later(start, -6.0);
        ws.at(stopped, Who::Person(host), move |ws| {
            Box::pin(go_on(ws, meeting, MeetingStatus::Cancelled, seconds))
        });
        return Ok(());
    }
    let begun = if is_call { start } else { created };
    for (status, hours) in steps {
        let status = match (status, meeting.status) {
            (MeetingStatus::Processing, MeetingStatus::Failed) => MeetingStatus::Failed,
            (status, _) => *status,
        };
        if meeting.is_before(status) {
            break;
        }
        let told = meeting.clone();
        ws.at(
            ws.later(begun, *hours),
            Who::Server("recorder"),
            move |ws| Box::pin(go_on(ws, told, status, seconds)),
        );
    }
    Ok(())
}

impl Meeting {
    fn is_call(&self) -> bool {
        self.url.is_some() || self.source == MeetingSource::VoiceDialin
    }

    /// Who wrote it down: who uploaded it, or invited to it.
    fn host(&self, ws: &Workspace<'_>) -> UserRole {
        let known = |name: &String| ws.people.iter().find(|(known, _)| known == name);
        let host = self.people.iter().find_map(known).map(|(_, role)| *role);
        self.by.or(host).unwrap_or(UserRole::Member)
    }

    /// Whether it has not come to this state yet.
    fn is_before(&self, status: MeetingStatus) -> bool {
        use MeetingStatus::{Completed, Failed, InProgress, Joining, Processing, Transcribing};
        let order = [
            Joining,
            InProgress,
            Transcribing,
            Processing,
            Failed,
            Completed,
        ];
        let place = |of: MeetingStatus| order.iter().position(|status| *status == of);
        place(self.status) < place(status)
    }
}

async fn write(
    ws: &mut Workspace<'_>,
    meeting: Meeting,
    start: Timestamp,
    seconds: i32,
) -> Result<()> {
    let (participants, is_call) = (participants(ws, &meeting), meeting.is_call());
    let is_paste = meeting.source == MeetingSource::Paste;
    let ended = raw(start, f64::from(seconds) / 3600.0);
    let status = match meeting.source {
        _ if is_call => MeetingStatus::Scheduled,
        MeetingSource::Upload => MeetingStatus::Uploading,
        _ => meeting.status,
    };
    let row = meeting::ActiveModel {
        project_id: Set(ws.id(&format!("project:{}", meeting.project))?),
        goal_id: Set(ws.some("goal", meeting.goal.as_ref())?),
        title: Set(meeting.title.clone()),
        context: Set(meeting.context.clone()),
        source: Set(meeting.source),
        status: Set(status),
        external_id: Set(is_call.then(|| format!("{}-{}", ws.slug, meeting.key))),
        meeting_url: Set(meeting.url.clone()),
        start_time: Set(start),
        end_time: Set(is_paste.then_some(ended)),
        participant_count: Set(count(&participants)),
        participants: Set(Large::new(Json(participants))),
        uploaded_by_id: Set(meeting.by.map(|role| ws.user(role)).transpose()?),
        metadata: Set(Large::new(Json(json!({ "language": "en" })))),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "meeting.created").await?;
    ws.remember(format!("meeting:{}", meeting.key), &row.id);
    if is_paste {
        transcripts::write(ws, &row, &meeting, None).await?;
    }
    Ok(())
}

/// A meeting comes to its next state, with what that brings about.
async fn go_on(
    ws: &mut Workspace<'_>,
    meeting: Meeting,
    status: MeetingStatus,
    seconds: i32,
) -> Result<()> {
    use MeetingStatus::{Completed, Failed, InProgress, Processing, Transcribing};
    let id = ws.id(&format!("meeting:{}", meeting.key))?;
    let row = ws.row::<meeting::Entity>(&id).await?;
    let mut changes = meeting::ActiveModel::default();
    match status {
        InProgress if meeting.live.is_some() => {
            changes.metadata = Set(Large::new(Json(meeting.live.clone().unwrap_or_default())));
        }
        Processing | Failed => {
            let ended = raw(row.start_time, f64::from(seconds) / 3600.0);
            changes.end_time = Set(Some(ended));
            changes.failure_reason = Set(meeting.failure.clone());
        }
        Completed => changes.insights = Set(Large(meeting.insights.clone().map(Json))),
        _ => {}
    }
    let row = if status == MeetingStatus::Cancelled {
        ws.tx.take(&row, MeetingStep::Cancel, changes).await?
    } else {
        let step = step_to::<MeetingConsequence>(&standing::<meeting::Entity>(&row)?, status)?;
        let step = step.ok_or_else(|| Error::internal("a meeting that stays where it is"))?;
        ws.tx.take(&row, step, changes).await?
    };
    let is_upload = meeting.source == MeetingSource::Upload;
    if status == Transcribing {
        transcriptions::begin(ws, &row, &meeting, seconds).await?;
    }
    let transcription = match status {
        Processing | Failed if is_upload => Some(transcriptions::end(ws, &row, seconds).await?),
        _ => None,
    };
    if status == Processing {
        transcripts::write(ws, &row, &meeting, transcription).await?;
    }
    Ok(())
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
