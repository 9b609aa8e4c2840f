//! What was said in a meeting, in versions. An edit is a new version; none is ever changed.

use super::prelude::*;
use super::segments::SegmentPage;
use entity::transcript;

node! {
    /// One version of what was said in a meeting.
    Transcript in transcript (transcript, transcripts) {
        columns {
            id: IdFilter,
            meeting_id: IdFilter,
            version: IntFilter,
            source: EnumFilter<transcript::TranscriptSource>,
            duration: IntFilter,
            word_count: IntFilter,
            language: StringFilter,
            transcription_id: IdFilter,
            edited_by_id: IdFilter,
            edit_note: StringFilter,
            created_at: DateTimeFilter,
        }
        one {
            /// The meeting it writes down.
            meeting: Meeting by meeting_id,
            /// The transcription job it came out of; null when it was pasted, captured or edited.
            transcription: WhisperTranscription by transcription_id,
            /// Who edited it; null for versions nobody edited.
            edited_by: User by edited_by_id,
        }
        many {
            /// Briefs drafted from this version.
            prds: PRD by transcript_id,
        }
        large {
            /// What was said, as one text.
            full_text: String,
        }
    }
    fields {

        /// What was said, in order, a page at a time. The full text is not read for it.
        async fn segments(
            &self,
            ctx: &Context<'_>,
            #[graphql(desc = "So many segments: 50 if not given, at most 200.")] first: Option<i32>,
            #[graphql(desc = "Start after this cursor.")] after: Option<Cursor>,
        ) -> Nullable<SegmentPage> {
            let column = transcript::Column::Segments;
            let (scope, id) = (ctx.scope(), self.id()?);
            let segments = scope.large::<transcript::Entity, _>(column, &id).await?;
            Ok(Some(SegmentPage::new(scope, &id, segments.unwrap_or_default(), first, after.as_ref())?))
        }
    }
}
