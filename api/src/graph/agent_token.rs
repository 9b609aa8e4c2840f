//! What lets an agent's machine claim work, and which work.

use super::prelude::*;

node! {
    /// Lets an agent's machine claim work for a tenant. The token itself is shown once, when it is made.
    AgentToken in agent_token (agent_token, agent_tokens) {
        columns {
            id: IdFilter,
            name: StringFilter,
            token_hint: StringFilter,
            created_by_id: IdFilter,
            expires_at: DateTimeFilter,
            last_used_at: DateTimeFilter,
            revoked_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Who made it; null when that person is gone.
            created_by: User by created_by_id,
        }
        many {
            /// Daemons that signed in with this token.
            sessions: AgentSession by agent_token_id,
            /// What the agent with this token did.
            activity: AuditLog by agent_token_id,
            /// Tickets the agent with this token holds or held last.
            claimed_tickets: Ticket by claimed_by_token_id,
            /// Runs taken with this token.
            jobs: AgentJob by agent_token_id,
        }
    }
}
