//! Conversations that briefs are drafted from, however they reached the product.

use super::prelude::*;
use entity::{Json, meeting};

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
            transcript: Transcript by current_transcript_id,
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
}
