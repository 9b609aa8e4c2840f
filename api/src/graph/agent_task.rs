//! Work from before there were tickets. Read only.

use super::prelude::*;
use entity::{Json, agent_task};

node! {
    /// Legacy: a piece of work from before there were tickets. Kept to be read; none is created or changed any more.
    AgentTask in agent_task (agent_task, agent_tasks)
    deprecated "Use `agentJobs`: tasks of the first generation are no longer made." {
        columns {
            id: IdFilter,
            ticket_id: IdFilter,
            meeting_id: IdFilter,
            project_id: IdFilter,
            goal_id: IdFilter,
            agent_type: StringFilter,
            status: EnumFilter<agent_task::AgentTaskStatus>,
            confidence: FloatFilter,
            requires_approval: BooleanFilter,
            approved_by: StringFilter,
            approved_at: DateTimeFilter,
            error: StringFilter,
            retry_count: IntFilter,
            completed_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The ticket it belonged to; null when it belonged to none.
            ticket: Ticket by ticket_id,
            /// The meeting it came out of; null when it came from elsewhere.
            meeting: Meeting by meeting_id,
            /// The project it worked in; null when in none.
            project: Project by project_id,
            /// The goal it served; null when none in particular.
            goal: Goal by goal_id,
        }
        large {
            /// What the agent was given.
            input: Json<serde_json::Value>,
            /// What the agent handed in; null when it did not.
            output: Json<serde_json::Value>,
        }
    }
}
