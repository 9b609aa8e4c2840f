//! The pieces of work that agents claim.

use super::prelude::*;
use entity::{Json, ticket};

node! {
    /// A piece of work for one role: the chief of staff's planning of a brief, or a step of a plan.
    Ticket in ticket (ticket, tickets) {
        columns {
            id: IdFilter,
            project_id: IdFilter,
            goal_id: IdFilter,
            meeting_id: IdFilter,
            prd_id: IdFilter,
            plan_id: IdFilter,
            step_index: IntFilter,
            parent_ticket_id: IdFilter,
            role_slug: StringFilter,
            subagent_slug: StringFilter,
            title: StringFilter,
            status: EnumFilter<ticket::TicketStatus>,
            waiting_reason: EnumFilter<ticket::WaitingReason>,
            priority: IntFilter,
            target_repo: StringFilter,
            claimed_by_token_id: IdFilter,
            claimed_by: StringFilter,
            claimed_at: DateTimeFilter,
            lease_expires_at: DateTimeFilter,
            heartbeat_at: DateTimeFilter,
            attempt_count: IntFilter,
            max_attempts: IntFilter,
            next_attempt_at: DateTimeFilter,
            timeout_seconds: IntFilter,
            error: StringFilter,
            error_signature: StringFilter,
            confidence: FloatFilter,
            requires_approval: BooleanFilter,
            approved_by_id: IdFilter,
            approved_at: DateTimeFilter,
            open_dependency_count: IntFilter,
            external_system: EnumFilter<ticket::ExternalSystem>,
            external_key: StringFilter,
            external_status: StringFilter,
            external_synced_at: DateTimeFilter,
            created_by: StringFilter,
            completed_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The project it works in.
            project: Project by project_id,
            /// The goal it serves; null when it serves none in particular.
            goal: Goal by goal_id,
            /// The meeting it came out of; null when it came from elsewhere.
            meeting: Meeting by meeting_id,
            /// The brief it helps to carry out; null when it belongs to none.
            prd: PRD by prd_id,
            /// The plan it is a step of; null at the top.
            plan: ExecutionPlan by plan_id,
            /// The ticket it was split from; null at the top.
            parent_ticket: Ticket by parent_ticket_id,
            /// The agent that holds it; null while none does.
            claimed_by_token: AgentToken by claimed_by_token_id,
            /// Who approved its result; null while nobody has.
            approved_by: User by approved_by_id,
        }
        many {
            /// Plans this ticket made, newest attempt first.
            execution_plans: ExecutionPlan by parent_ticket_id,
            /// Tickets it was split into.
            child_tickets: Ticket by parent_ticket_id,
            /// What must be done before this ticket.
            dependencies: TicketDependency by ticket_id,
            /// What waits for this ticket.
            dependents: TicketDependency by depends_on_ticket_id,
            /// Runs of agents on this ticket.
            jobs: AgentJob by ticket_id,
            /// Tasks of the first generation.
            #[graphql(deprecation = "Use `jobs`: tasks of the first generation are no longer made.")]
            agent_tasks: AgentTask by ticket_id,
            /// Decisions on this ticket's result, newest first.
            approvals: Approval by ticket_id,
            /// Questions asked while working on this ticket.
            clarifications: ClarificationRequest by ticket_id,
            /// Model calls spent on this ticket.
            api_usages: ApiUsage by ticket_id,
        }
        large {
            /// What is to be done in full, in at most 10,000 characters. Empty when the title says it all.
            description: String,
            /// What its agent is given besides the title and the description; its shape depends on the role.
            payload: Json<serde_json::Value>,
            /// What its agent handed in; null before it did. Its shape depends on the role.
            result: Json<serde_json::Value>,
        }
    }
}
