//! What a project is for.

use super::prelude::*;
use entity::goal;

node! {
    /// A result the company wants from a project; goals form a tree.
    Goal in goal (goal, goals) {
        columns {
            id: IdFilter,
            project_id: IdFilter,
            title: StringFilter,
            description: StringFilter,
            outcome: StringFilter,
            parent_goal_id: IdFilter,
            status: EnumFilter<goal::GoalStatus>,
            target_date: DateTimeFilter,
            created_by_id: IdFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The workspace the goal belongs to.
            tenant: Tenant by tenant_id,
            /// The project it belongs to.
            project: Project by project_id,
            /// The goal above it; null at the top of the tree.
            parent: Goal by parent_goal_id,
            /// Who wrote it; null when the system did or the person is gone.
            created_by: User by created_by_id,
        }
        many {
            /// The goals below it.
            children: Goal by parent_goal_id,
            /// Meetings that served this goal.
            meetings: Meeting by goal_id,
            /// Briefs that serve this goal.
            prds: PRD by goal_id,
            /// Work that serves this goal.
            tickets: Ticket by goal_id,
            /// Tasks of the first generation.
            #[graphql(deprecation = "Use `tickets`: tasks of the first generation are no longer made.")]
            agent_tasks: AgentTask by goal_id,
        }
    }
}
