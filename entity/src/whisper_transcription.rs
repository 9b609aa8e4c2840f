//! `whisper_transcriptions`: the runs that write a recording down, and how far each has come.

use crate::prelude::*;

text_enum! {
    /// Where the writing down of a recording stands.
    WhisperTranscriptionStatus {
        /// Waiting to begin.
        Queued,
        /// At work, as `chunksDone` of `chunkCount` tells.
        Running,
        /// Done: the meeting has a new version of its transcript.
        Succeeded,
        /// All providers failed, as `error` says; it can be queued again.
        Failed,
        /// Called off.
        Cancelled,
    }
}

text_enum! {
    /// Who writes a recording down.
    WhisperTranscriptionProvider {
        /// The server itself, at no cost.
        Local,
        /// OpenAI.
        Openai,
        /// Deepgram.
        Deepgram,
    }
}

/// The writing down of one recording. A meeting has at most one that is queued or running.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "whisper_transcriptions", rename_all = "camelCase")]
#[graphql(name = "WhisperTranscriptionRow")]
pub struct Model {
    /// The transcription's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The meeting whose recording it is.
    pub meeting_id: Id,
    /// Where it stands.
    pub status: WhisperTranscriptionStatus,
    /// The provider that succeeded; null until one has.
    pub provider: Option<WhisperTranscriptionProvider>,
    /// The providers to try, in this order, until one succeeds.
    pub provider_chain: Json<Vec<WhisperTranscriptionProvider>>,
    /// The provider's model, such as `whisper-1`; null until one was used.
    pub model: Option<String>,
    /// The language spoken, as a BCP 47 tag such as `en`; null to let the provider find out.
    pub language: Option<String>,
    /// Names and terms the provider is told to expect, in at most 1,000 characters.
    pub domain_prompt: Option<String>,
    /// Where the recording is stored; null once it was deleted.
    #[sea_orm(nullable)]
    #[graphql(skip)]
    pub audio_key: Secret<String>,
    /// The recording's name when it was uploaded; null when it was not.
    pub file_name: Option<String>,
    /// The recording's media type, such as `audio/mpeg`; null when not known.
    pub content_type: Option<String>,
    /// The recording's size in bytes, at most 200 MB; null when not known.
    pub size_bytes: Option<BigInt>,
    /// Into how many pieces of at most 24 MB the recording was cut; 0 until then.
    pub chunk_count: i32,
    /// How many of them are written down.
    pub chunks_done: i32,
    /// How long the recording is, in seconds; null until measured.
    pub duration_seconds: Option<i32>,
    /// What the providers charged, in micro-USD; null until done.
    #[graphql(skip)]
    pub cost_micros: Option<BigInt>,
    /// How often it was begun, this time included.
    pub attempt: i32,
    /// Why it failed; null unless it did.
    pub error: Option<String>,
    /// When it began; null while queued.
    pub started_at: Option<Timestamp>,
    /// When it ended, well or not; null until then.
    pub completed_at: Option<Timestamp>,
    /// When the recording was deleted; null while it is kept.
    pub audio_deleted_at: Option<Timestamp>,
    /// Who asked for it; null when the system did or the person is gone.
    pub requested_by_id: Option<Id>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(WhisperTranscription, secret[AudioKey]);
