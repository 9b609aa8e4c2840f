//! What a workspace's roles were like after each change.

use super::prelude::*;
use entity::{Json, agent_role_version};

node! {
    /// What a workspace's role was like after a change. `restoreAgentRoleVersion` brings it back.
    AgentRoleVersion in agent_role_version (agent_role_version, agent_role_versions) {
        columns {
            id: IdFilter,
            role_id: IdFilter,
            version: IntFilter,
            note: StringFilter,
            created_by_id: IdFilter,
            created_at: DateTimeFilter,
        }
        one {
            /// The role it is of.
            role: AgentRole by role_id,
            /// Who changed it; null when the system did or the person is gone.
            created_by: User by created_by_id,
        }
        large {
            /// What the role was like.
            snapshot: Json<agent_role_version::AgentRoleSnapshot>,
        }
    }
}
