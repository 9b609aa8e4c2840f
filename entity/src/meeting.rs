//! `meetings`: conversations that briefs are drafted from, however they reached the product.

use crate::prelude::*;
use async_graphql::InputObject;

text_enum! {
    /// How a meeting reached the product.
    MeetingSource {
        /// A recording that someone uploaded.
        Upload,
        /// A transcript that someone pasted.
        Paste,
        /// A recording found in the Drive of a connected Google account.
        GoogleMeet,
        /// A phone call with the product's own voice.
        VoiceDialin,
        /// A Recall bot that sat in the call.
        Recall,
        /// A Vexa bot that sat in the call.
        Vexa,
    }
}

text_enum! {
    /// Where a meeting stands on its way to a transcript.
    MeetingStatus {
        /// Not begun.
        Scheduled,
        /// The bot is entering the call.
        Joining,
        /// Being held.
        InProgress,
        /// Its recording is on its way.
        Uploading,
        /// Its recording is being written down.
        Transcribing,
        /// Its transcript is being read for insights.
        Processing,
        /// Ready: it has a transcript.
        Completed,
        /// Something went wrong, as `failureReason` says; it can be transcribed again.
        Failed,
        /// Called off before it ended.
        Cancelled,
    }
}

text_enum! {
    /// What someone was in a meeting.
    MeetingParticipantRole {
        /// Took part.
        Participant,
        /// Called the meeting.
        Host,
        /// Was a bot that recorded it or spoke in it.
        AiBot,
    }
}

text_enum! {
    /// The mood of a meeting.
    MeetingSentiment {
        /// Neither.
        Neutral,
        /// People were content.
        Positive,
        /// People were worried.
        Concerned,
    }
}

/// Someone who was in a meeting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject, InputObject)]
#[serde(rename_all = "camelCase", default)]
#[graphql(input_name = "MeetingParticipantInput")]
pub struct MeetingParticipant {
    /// The name the call showed.
    pub name: String,
    /// Their address; null when the call did not tell.
    pub email: Option<String>,
    /// What they were in the meeting.
    #[graphql(default)]
    pub role: MeetingParticipantRole,
}

/// Something that someone in a meeting said they would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct MeetingActionItem {
    /// What is to be done.
    pub text: String,
    /// Who said they would, by name; null when nobody did.
    pub assignee: Option<String>,
    /// By when, as it was said, such as "Friday"; null when it was not.
    pub due: Option<String>,
}

/// How much one person spoke in a meeting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct MeetingParticipantStats {
    /// The person's name in the transcript.
    pub name: String,
    /// How long they spoke, in seconds; null when the transcript has no times.
    pub speaking_seconds: Option<f64>,
    /// How many words they spoke.
    pub word_count: i32,
}

/// What was read out of a meeting's transcript.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct MeetingInsights {
    /// The meeting in a few sentences.
    pub summary: String,
    /// What people said they would do.
    pub action_items: Vec<MeetingActionItem>,
    /// What was decided, a sentence each.
    pub decisions: Vec<String>,
    /// The mood.
    pub sentiment: MeetingSentiment,
    /// What was talked about, in a few words each, the most discussed first.
    pub topics: Vec<String>,
    /// How much each person spoke.
    pub participant_stats: Vec<MeetingParticipantStats>,
}

/// A conversation that briefs are drafted from: a call, a recording or a pasted transcript.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "meetings", rename_all = "camelCase")]
#[graphql(name = "MeetingRow")]
pub struct Model {
    /// The meeting's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The project it belongs to.
    pub project_id: Id,
    /// The goal it served, if any.
    pub goal_id: Option<Id>,
    /// What it was about; the file's name when nobody gave one.
    pub title: String,
    /// One line about it, given at upload; agents are told it. Null when none was given.
    pub context: Option<String>,
    /// How it reached the product.
    pub source: MeetingSource,
    /// Where it stands.
    pub status: MeetingStatus,
    /// The bot's or the call's id at its provider; null for uploads and pasted transcripts.
    pub external_id: Option<String>,
    /// The link people joined by; null for uploads and pasted transcripts.
    pub meeting_url: Option<String>,
    /// When it began or will begin.
    pub start_time: Timestamp,
    /// When it ended; null until then, or when not known.
    pub end_time: Option<Timestamp>,
    /// Who was in it.
    #[graphql(skip)]
    pub participants: Large<Json<Vec<MeetingParticipant>>>,
    /// How many people and bots were in it.
    pub participant_count: i32,
    /// Where its recording is stored; null when there is none or it was deleted.
    #[sea_orm(nullable)]
    #[graphql(skip)]
    pub audio_key: Secret<String>,
    /// Who uploaded or pasted it; null when a bot brought it or the person is gone.
    pub uploaded_by_id: Option<Id>,
    /// Why it failed; null unless it did.
    pub failure_reason: Option<String>,
    /// What its source knows about it: the bot's settings, the call's id, and what was captured while it went on.
    #[graphql(skip)]
    pub metadata: Large<Json<serde_json::Value>>,
    /// What was read out of its transcript; null until that was done.
    #[sea_orm(nullable)]
    #[graphql(skip)]
    pub insights: Large<Json<MeetingInsights>>,
    /// The latest version of its transcript; null until there is one.
    pub current_transcript_id: Option<Id>,
    /// How long it took, in seconds, by its latest transcript; null until there is one.
    pub duration_seconds: Option<i32>,
    /// How many words were spoken, by its latest transcript; null until there is one.
    pub word_count: Option<i32>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(Meeting, large [Participants, Metadata, Insights], secret [AudioKey]);
