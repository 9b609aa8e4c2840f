//! The pieces of work that agents claim.

use super::prelude::*;
use super::{
    connection::newest,
    constraints::length,
    shared::{active_roles, goal_of_project, open_project},
    write::{Write, mutations},
};
use crate::{
    Error,
    auth::Action,
    domain::{check, plan::check_role},
    store::Tx,
};
use async_graphql::InputObject;
use entity::{
    Id, Json, Large, agent_job,
    ticket::{self, TicketStatus},
};
use sea_orm::ActiveValue::Set;

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
    fields {

        /// Its latest run; null while no agent was sent to work on it.
        async fn latest_job(&self, ctx: &Context<'_>) -> Nullable<AgentJob> {
            let of_ticket = agent_job::Column::TicketId;
            let job = newest::<AgentJob>(ctx, of_ticket, &self.row.id).await?;
            Ok(job.map(AgentJob::from))
        }
    }
}

/// A ticket outside of any plan.
#[derive(InputObject, Clone)]
pub struct CreateTicketInput {
    /// The project it works in.
    project_id: Id,
    /// The goal it serves, in the same project.
    goal_id: Option<Id>,
    /// What is to be done, 1 to 200 characters.
    title: String,
    /// More about it, at most 10,000 characters.
    #[graphql(default)]
    description: String,
    /// The role that can claim it, such as `dev_agent`: one that is active.
    role_slug: String,
    /// How urgent it is, 0 to 1000; low is 50, normal 100, high 200, urgent 400.
    #[graphql(default = 100)]
    priority: i32,
    /// The repository it works in, as `owner/name`.
    target_repo: Option<String>,
    /// Whether its result must be approved before it counts as done.
    #[graphql(default)]
    requires_approval: bool,
    /// A key of your choice, good for 24 hours: sent again with the same input, nothing is done twice and the answer is the
    /// row as it is now; with another input it is `IDEMPOTENCY_MISMATCH`. What is left out is not the same as null.
    #[graphql(directive = length::apply(1, 200))]
    idempotency_key: Option<String>,
}

impl Write for CreateTicketInput {
    type Entity = ticket::Entity;
    const ACTION: Action = Action::EditTicket;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<ticket::Model> {
        if !(0..=1000).contains(&self.priority) {
            return Err(Error::bad_input("priority", "must be from 0 to 1000"));
        }
        let project = open_project(tx, &self.project_id).await?;
        goal_of_project(tx, self.goal_id.as_ref(), &project.id).await?;
        check_role("roleSlug", &self.role_slug, &active_roles(tx).await?)?;
        let row = ticket::ActiveModel {
            project_id: Set(project.id),
            goal_id: Set(self.goal_id),
            role_slug: Set(self.role_slug),
            title: Set(check::line("title", &self.title, 1, 200)?),
            description: Set(Large::new(check::text(
                "description",
                &self.description,
                0,
                10_000,
            )?)),
            status: Set(TicketStatus::Ready),
            priority: Set(self.priority),
            target_repo: Set({ self.target_repo }
                .map(|repo| check::repository("targetRepo", &repo))
                .transpose()?),
            requires_approval: Set(self.requires_approval),
            created_by: Set(tx.scope().actor().name()),
            ..Default::default()
        };
        tx.insert(row, "ticket.created").await
    }
}

mutations! { TicketMutation {
    /// Writes a ticket outside of any plan; agents of its role can claim it at once.
    create_ticket(CreateTicketInput) -> CreateTicketPayload { ticket: Ticket };
} }
