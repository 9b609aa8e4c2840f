//! Conversations that briefs are drafted from, however they reached the product.

use super::prelude::*;
use super::{
    constraints::{length, size},
    shared::count,
    steps::{Shown, allowed, needs},
    write::{Once, Write, mutations},
};
use crate::{
    Error,
    auth::Action,
    domain::{
        self, check,
        machine::MeetingStep,
        parse_error::ParseError,
        transcript::{Format, Parsed},
    },
    import,
    store::Tx,
    workflow::{self, all_of, default_project, goal_of_project, open_project},
};
use async_graphql::{Enum, InputObject};
use entity::{
    Id, Json, Large, Timestamp, meeting,
    transcript::{self, TranscriptSource},
};
use sea_orm::{ActiveValue::Set, sea_query::ExprTrait};

node! {
    /// A conversation that briefs are drafted from: a call, a recording or a pasted transcript.
    Meeting in meeting (meeting, meetings) {
        columns {
            id: IdFilter,
            project_id: IdFilter,
            goal_id: IdFilter,
            title: StringFilter,
            context: StringFilter,
            source: EnumFilter<meeting::MeetingSource>,
            status: EnumFilter<meeting::MeetingStatus>,
            external_id: StringFilter,
            meeting_url: StringFilter,
            start_time: DateTimeFilter,
            end_time: DateTimeFilter,
            participant_count: IntFilter,
            uploaded_by_id: IdFilter,
            failure_reason: StringFilter,
            current_transcript_id: IdFilter,
            duration_seconds: IntFilter,
            word_count: IntFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The project it was about.
            project: Project by project_id,
            /// The goal it served; null when it served none in particular.
            goal: Goal by goal_id,
            /// Who brought it in; null when an integration did or the person is gone.
            uploaded_by: User by uploaded_by_id,
            /// The latest version of its transcript; null while there is none.
            current_transcript: Transcript by current_transcript_id,
        }
        many {
            /// All versions of its transcript, newest first.
            transcripts: Transcript by meeting_id,
            /// Transcription jobs of its recording, newest first.
            transcriptions: WhisperTranscription by meeting_id,
            /// Briefs that came out of this meeting.
            prds: PRD by meeting_id,
            /// Work that came out of this meeting.
            tickets: Ticket by meeting_id,
            /// Tasks of the first generation.
            #[graphql(deprecation = "Use `tickets`: tasks of the first generation are no longer made.")]
            agent_tasks: AgentTask by meeting_id,
        }
        large {
            /// Who was in it.
            participants: Json<Vec<meeting::MeetingParticipant>>,
            /// What its source knows about it: the bot's settings, the call's id, and what was captured while it went on.
            metadata: Json<serde_json::Value>,
            /// What was read out of its transcript; null until that was done.
            insights: Json<meeting::MeetingInsights>,
        }
    }
    fields {

        /// What you may do with it now; empty when nothing.
        async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<MeetingStep>> {
            Ok(Some(allowed(ctx, &self.row()?).await?))
        }
    }
}

impl Shown for MeetingStep {}

/// The text of a transcript, as it was pasted.
#[derive(InputObject, Clone)]
pub struct TranscriptInput {
    /// The text: lines such as `Ann: good morning`, WebVTT or SubRip, or notes in Markdown.
    text: String,
    /// Its format; found out if not given, but for `NOTES`.
    format: Option<TranscriptFormat>,
    /// Its language, as a tag such as `en` or `pt-BR`.
    language: Option<String>,
}

/// How a transcript is written down.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum TranscriptFormat {
    /// Lines such as `Ann: good morning`.
    Plain,
    /// Web Video Text Tracks, as in `.vtt` files.
    Webvtt,
    /// SubRip subtitles, as in `.srt` files.
    Srt,
    /// Notes in Markdown: a list of those who attended, `##` headings for the agenda, and lines such as `ABC: good morning`,
    /// read as `workgraph import` reads them.
    Notes,
}

/// A meeting that took place, with its transcript.
#[derive(InputObject, Clone)]
pub struct CreateMeetingInput {
    /// The project it was about; the workspace's default project if not given.
    project_id: Option<Id>,
    /// The goal it served.
    goal_id: Option<Id>,
    /// What it was called, 1 to 300 characters.
    title: String,
    /// A line about it for whoever drafts the brief, at most 2,000 characters.
    context: Option<String>,
    /// When it began; if not given, the day that notes tell, or else now.
    start_time: Option<Timestamp>,
    /// When it ended, which is not before it began.
    end_time: Option<Timestamp>,
    /// Who took part, at most 100; if not given, those whom notes list, and the transcript's speakers.
    #[graphql(directive = size::apply(0, 100))]
    participants: Option<Vec<meeting::MeetingParticipant>>,
    /// What was said.
    transcript: TranscriptInput,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreateMeetingInput {
    type Entity = meeting::Entity;
    const ACTION: Action = Action::EditMeeting;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<meeting::Model> {
        let told = parse(&self.title, &self.transcript)?;
        let language = language(&self.transcript)?;
        let begun = self.start_time.or(told.held_at).unwrap_or(tx.now());
        if self.end_time.is_some_and(|ended| ended < begun) {
            return Err(Error::bad_input("endTime", "is before it began"));
        }
        let project = match &self.project_id {
            Some(id) => open_project(tx, id).await?,
            None => default_project(tx).await?,
        };
        goal_of_project(tx, self.goal_id.as_ref(), &project.id).await?;
        let participants = self.participants.map(check_participants).transpose()?;
        let participants = participants.unwrap_or(told.participants);
        let row = meeting::ActiveModel {
            project_id: Set(project.id),
            goal_id: Set(self.goal_id),
            title: Set(check::line("title", &self.title, 1, 300)?),
            context: Set(self
                .context
                .map(|text| check::text("context", &text, 0, 2000))
                .transpose()?),
            source: Set(meeting::MeetingSource::Paste),
            status: Set(meeting::MeetingStatus::Completed),
            start_time: Set(begun),
            end_time: Set(self.end_time),
            participant_count: Set(count(participants.len())),
            participants: Set(Large::new(Json(participants))),
            uploaded_by_id: Set(tx.scope().actor().user_id().cloned()),
            ..Default::default()
        };
        let meeting = tx.insert(row, "meeting.created").await?;
        add_version(
            tx,
            meeting,
            told.spoken,
            TranscriptSource::Paste,
            language,
            None,
        )
        .await
    }
}

/// Another version of a meeting's transcript. Versions are never changed; the newest one counts.
#[derive(InputObject, Clone)]
pub struct EditTranscriptInput {
    /// The meeting.
    meeting_id: Id,
    /// What was said, in full.
    transcript: TranscriptInput,
    /// What was corrected and why, at most 2,000 characters.
    note: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for EditTranscriptInput {
    type Entity = meeting::Entity;
    const ACTION: Action = Action::EditMeeting;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<meeting::Model> {
        let spoken = parse("", &self.transcript)?.spoken;
        let language = language(&self.transcript)?;
        let note = self
            .note
            .map(|note| check::text("note", &note, 0, 2000))
            .transpose()?;
        let meeting = tx.get::<meeting::Entity>(&self.meeting_id).await?;
        add_version(tx, meeting, spoken, TranscriptSource::Edit, language, note).await
    }
}

/// What was said, and what notes tell beside that.
struct Told {
    spoken: Parsed,
    participants: Vec<meeting::MeetingParticipant>,
    held_at: Option<Timestamp>,
}

fn parse(title: &str, input: &TranscriptInput) -> crate::Result<Told> {
    let format = match input.format {
        Some(TranscriptFormat::Plain) => Some(Format::Plain),
        Some(TranscriptFormat::Webvtt) => Some(Format::WebVtt),
        Some(TranscriptFormat::Srt) => Some(Format::SubRip),
        Some(TranscriptFormat::Notes) => {
            let notes = import::notes(title, &input.text).map_err(unreadable)?;
            return Ok(Told {
                participants: notes.participants(),
                held_at: notes.held_at,
                spoken: notes.spoken,
            });
        }
        None => None,
    };
    let spoken = domain::transcript::parse(&input.text, format).map_err(unreadable)?;
    let speaker = |name: &String| meeting::MeetingParticipant {
        name: name.clone(),
        ..Default::default()
    };
    Ok(Told {
        participants: spoken.speakers.iter().map(speaker).collect(),
        held_at: None,
        spoken,
    })
}

fn unreadable(error: ParseError) -> Error {
    Error::bad_input("transcript.text", error.to_string())
}

fn language(input: &TranscriptInput) -> crate::Result<Option<String>> {
    let tag = input.language.as_deref();
    tag.map(|tag| check::language("transcript.language", tag))
        .transpose()
}

fn check_participants(
    mut all: Vec<meeting::MeetingParticipant>,
) -> crate::Result<Vec<meeting::MeetingParticipant>> {
    for (position, one) in all.iter_mut().enumerate() {
        let field = |name: &str| format!("participants[{position}].{name}");
        one.name = check::line(&field("name"), &one.name, 1, 200)?;
        if let Some(email) = &mut one.email {
            *email = check::line(&field("email"), email, 1, 320)?;
        }
    }
    Ok(all)
}

/// Writes the next version of a meeting's transcript and makes it the meeting's current one.
async fn add_version(
    tx: &mut Tx<'_>,
    meeting: meeting::Model,
    spoken: Parsed,
    source: TranscriptSource,
    language: Option<String>,
    note: Option<String>,
) -> crate::Result<meeting::Model> {
    let of_meeting = transcript::Column::MeetingId;
    let versions = tx
        .rows::<transcript::Entity>(|place| {
            all_of(place.column(of_meeting).eq(meeting.id.as_str()))
        })
        .await?;
    let edited = source == TranscriptSource::Edit;
    let row = transcript::ActiveModel {
        meeting_id: Set(meeting.id.clone()),
        version: Set(versions
            .iter()
            .map(|version| version.version)
            .max()
            .unwrap_or(0)
            + 1),
        source: Set(source),
        segments: Set(Large::new(Json(spoken.segments))),
        full_text: Set(Large::new(spoken.full_text)),
        duration: Set(spoken.duration_seconds),
        word_count: Set(spoken.word_count),
        speakers: Set(Json(spoken.speakers)),
        language: Set(language),
        edited_by_id: Set(tx.scope().actor().user_id().filter(|_| edited).cloned()),
        edit_note: Set(note),
        ..Default::default()
    };
    let version = tx
        .insert(
            row,
            if edited {
                "transcript.edited"
            } else {
                "transcript.created"
            },
        )
        .await?;
    let changes = meeting::ActiveModel {
        current_transcript_id: Set(Some(version.id)),
        // Without times nobody knows how long it took.
        duration_seconds: Set(Some(version.duration).filter(|seconds| *seconds > 0)),
        word_count: Set(Some(version.word_count)),
        ..Default::default()
    };
    tx.update(&meeting, changes, "meeting.transcribed").await
}

/// Which meeting is called off.
#[derive(InputObject, Clone)]
pub struct CancelMeetingInput {
    /// The meeting.
    id: Id,
    /// Why, for who was to take part, 1 to 5,000 characters.
    #[graphql(directive = length::apply(1, 5000))]
    reason: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CancelMeetingInput {
    type Entity = meeting::Entity;
    const ACTION: Action = needs(MeetingStep::Cancel.who());

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<meeting::Model> {
        let reason = { self.reason }
            .map(|text| check::text("reason", &text, 1, 5000))
            .transpose()?;
        workflow::step(tx, MeetingStep::Cancel, &self.id, reason).await
    }
}

mutations! { MeetingMutation {
    /// Brings in a meeting that took place, with its transcript.
    create_meeting(CreateMeetingInput) -> CreateMeetingPayload { meeting: Meeting };
    /// Adds a corrected version of a meeting's transcript.
    edit_transcript(EditTranscriptInput) -> EditTranscriptPayload { meeting: Meeting };
    /// Calls off a meeting that is not over.
    cancel_meeting(CancelMeetingInput) -> CancelMeetingPayload { meeting: Meeting };
} }
