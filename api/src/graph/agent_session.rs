//! Agents' connections, kept here so that they survive a restart of the server.

use super::prelude::*;
use chrono::TimeDelta;

/// After so much silence a daemon counts as lost.
const SILENCE: TimeDelta = TimeDelta::seconds(90);

node! {
    /// A connection of an agent's machine, and what it can do. It resumes under the same id after an interruption.
    AgentSession in agent_session (agent_session, agent_sessions) {
        columns {
            id: IdFilter,
            agent_token_id: IdFilter,
            max_active_jobs: IntFilter,
            active_jobs: IntFilter,
            connected_at: DateTimeFilter,
            last_ping_at: DateTimeFilter,
            disconnected_at: DateTimeFilter,
            instance_id: StringFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The token the daemon signed in with.
            agent_token: AgentToken by agent_token_id,
        }
        many {
            /// Jobs that it was sent.
            jobs: AgentJob by session_id,
        }
    }
    fields {

        /// Whether the machine is there: it has not left, and was heard of within the last 90 seconds.
        async fn is_connected(&self, ctx: &Context<'_>) -> Result<bool> {
            let row = self.row()?;
            let silence = ctx.scope().now().inner() - row.last_ping_at.inner();
            Ok(row.disconnected_at.is_none() && silence <= SILENCE)
        }
    }
}
