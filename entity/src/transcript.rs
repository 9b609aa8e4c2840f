//! `transcripts`: what was said in a meeting, in versions. An edit is a new version; none is ever changed.

use crate::prelude::*;

text_enum! {
    /// Where a version of a transcript came from.
    TranscriptSource {
        /// Written down from a recording.
        Whisper,
        /// Written down live, during a call with the product's own voice.
        GeminiLive,
        /// Delivered by the bot that sat in the call.
        Bot,
        /// Pasted by a person.
        Paste,
        /// Corrected by a person, or brought back from an older version.
        Edit,
    }
}

/// What one person said without being interrupted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct TranscriptSegment {
    /// Who spoke; empty when nobody is named.
    pub speaker: String,
    /// What they said.
    pub text: String,
    /// When they began, in seconds from the start; null in a pasted transcript without times.
    pub start_time: Option<f64>,
    /// When they stopped, in seconds from the start; null in a pasted transcript without times.
    pub end_time: Option<f64>,
    /// How sure the transcription is, from 0 to 1; null when it did not tell.
    pub confidence: Option<f64>,
}

/// One version of what was said in a meeting.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "transcripts", rename_all = "camelCase")]
#[graphql(name = "TranscriptRow")]
pub struct Model {
    /// The version's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The meeting it is of.
    pub meeting_id: Id,
    /// Its number among the meeting's versions, from 1.
    pub version: i32,
    /// Where it came from.
    pub source: TranscriptSource,
    /// What was said, turn by turn.
    #[graphql(skip)]
    pub segments: Large<Json<Vec<TranscriptSegment>>>,
    /// What was said, as one text.
    #[graphql(skip)]
    pub full_text: Large<String>,
    /// How long it took, in seconds; 0 when not known.
    pub duration: i32,
    /// How many words it has.
    pub word_count: i32,
    /// The names of those who spoke, in the order they first did.
    pub speakers: Json<Vec<String>>,
    /// The language spoken, as a BCP 47 tag such as `en`; null when not known.
    pub language: Option<String>,
    /// The transcription that wrote it; null for other sources.
    pub transcription_id: Option<Id>,
    /// Who edited it; null unless it is an edit, or when the person is gone.
    pub edited_by_id: Option<Id>,
    /// What the edit was for; null when nobody said.
    pub edit_note: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
}

owned!(Transcript, large [Segments, FullText]);
