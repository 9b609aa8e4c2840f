//! The journal of a run.

use super::prelude::*;
use entity::{Json, agent_job_event};

node! {
    /// An entry in the journal of a run, in the words of the daemon.
    AgentJobEvent in agent_job_event (agent_job_event, agent_job_events) {
        columns {
            id: IdFilter,
            job_id: IdFilter,
            agent_token_id: IdFilter,
            seq: IntFilter,
            attempt: IntFilter,
            kind: EnumFilter<agent_job_event::AgentJobEventKind>,
            text: StringFilter,
            created_at: DateTimeFilter,
        }
        one {
            /// The run whose journal it is in.
            job: AgentJob by job_id,
            /// The agent that wrote it; null when its token is gone.
            agent_token: AgentToken by agent_token_id,
        }
        large {
            /// What belongs to it, such as a command and what it printed; null when nothing does.
            data: Json<serde_json::Value>,
        }
    }
}
