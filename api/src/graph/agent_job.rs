//! The runs that a connected daemon makes for a ticket.

use super::prelude::*;
use entity::{Json, agent_job};

node! {
    /// A run on a developer's or a build machine, made for a ticket by the daemon connected there.
    AgentJob in agent_job (agent_job, agent_jobs) {
        columns {
            id: IdFilter,
            ticket_id: IdFilter,
            project_id: IdFilter,
            agent_token_id: IdFilter,
            session_id: IdFilter,
            action: StringFilter,
            status: EnumFilter<agent_job::AgentJobStatus>,
            target_repo: StringFilter,
            pr_url: StringFilter,
            progress_percent: IntFilter,
            progress_message: StringFilter,
            error: StringFilter,
            attempt: IntFilter,
            dispatched_at: DateTimeFilter,
            acked_at: DateTimeFilter,
            started_at: DateTimeFilter,
            completed_at: DateTimeFilter,
            lease_expires_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The ticket it works on.
            ticket: Ticket by ticket_id,
            /// The project it works in.
            project: Project by project_id,
            /// The agent that took it; null until one did.
            agent_token: AgentToken by agent_token_id,
            /// The connection over which it was sent; null before it was, and when that is gone.
            session: AgentSession by session_id,
        }
        large {
            /// What the daemon is given, such as the branch and the brief's text, in at most 5 MB.
            payload: Json<serde_json::Value>,
            /// What the daemon handed in, such as the changed files and the counts of tests; null before it did.
            result: Json<serde_json::Value>,
        }
    }
}
