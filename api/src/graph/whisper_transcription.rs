//! The runs that write a recording down, and how far each has come.

use super::prelude::*;
use crate::{auth::Action, domain::money};
use entity::{BigInt, whisper_transcription};

node! {
    /// The writing down of one recording. A meeting has at most one that is queued or running.
    WhisperTranscription in whisper_transcription (whisper_transcription, whisper_transcriptions) {
        columns {
            id: IdFilter,
            meeting_id: IdFilter,
            status: EnumFilter<whisper_transcription::WhisperTranscriptionStatus>,
            provider: EnumFilter<whisper_transcription::WhisperTranscriptionProvider>,
            model: StringFilter,
            language: StringFilter,
            domain_prompt: StringFilter,
            file_name: StringFilter,
            content_type: StringFilter,
            size_bytes: BigIntFilter,
            chunk_count: IntFilter,
            chunks_done: IntFilter,
            duration_seconds: IntFilter,
            attempt: IntFilter,
            error: StringFilter,
            started_at: DateTimeFilter,
            completed_at: DateTimeFilter,
            audio_deleted_at: DateTimeFilter,
            requested_by_id: IdFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The meeting whose recording it transcribes.
            meeting: Meeting by meeting_id,
            /// Who asked for it; null when the system did or the person is gone.
            requested_by: User by requested_by_id,
        }
        many {
            /// The transcript versions that came out of this job.
            transcripts: Transcript by transcription_id,
        }
    }
    fields {

        /// What the providers charged, in millionths of a US dollar; null until it is known, and for viewers.
        async fn cost_micros(&self, ctx: &Context<'_>) -> Nullable<BigInt> {
            Ok(self.row()?.cost_micros.filter(|_| ctx.may(Action::ReadCosts)))
        }

        /// The cost in US dollars, such as `0.001500`; null until it is known, and for viewers.
        async fn cost_usd(&self, ctx: &Context<'_>) -> Nullable<String> {
            let cost = self.row()?.cost_micros.filter(|_| ctx.may(Action::ReadCosts));
            Ok(cost.map(money::usd))
        }
    }
}
