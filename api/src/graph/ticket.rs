//! The pieces of work that agents claim.

use super::prelude::*;
use super::{
    by_slug::by_slug,
    connection::newest,
    decisions::decisions,
    progress::{ApprovalProgress, progress},
    steps::{Shown, allowed, only_if, without_idle_approval},
    write::{Once, Write, mutations},
};
use crate::{
    Error,
    auth::Action,
    domain::{check, machine::TicketStep},
    store::Tx,
    workflow::{self, active_role, goal_of_project, open_project},
};
use async_graphql::InputObject;
use entity::{
    Id, Json, Large, agent_job, agent_role, execution_plan, prd, subagent_definition,
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

        /// What you may do with it now, in the order in which it comes up; empty when nothing.
        async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<TicketStep>> {
            Ok(Some(allowed(ctx, &self.row()?).await?))
        }

        /// How many people approved its result as it is, of those who must.
        async fn approval_progress(&self, ctx: &Context<'_>) -> Nullable<ApprovalProgress> {
            Ok(Some(progress::<TicketStep>(ctx, &self.row()?).await?))
        }

        /// The role that can claim it, as it counts for the workspace; null when there is none any more.
        async fn role(&self, ctx: &Context<'_>) -> Nullable<AgentRole> {
            let slug = self.row()?.role_slug;
            let role = by_slug::<AgentRole>(ctx, agent_role::Column::Slug, &slug).await?;
            Ok(role.map(AgentRole::from))
        }

        /// The specialist that it is meant for, as it counts for the workspace; null when it names none, or there is none any
        /// more.
        async fn subagent(&self, ctx: &Context<'_>) -> Nullable<SubagentDefinition> {
            let Some(slug) = self.row()?.subagent_slug else { return Ok(None) };
            let column = subagent_definition::Column::Slug;
            let found = by_slug::<SubagentDefinition>(ctx, column, &slug).await?;
            Ok(found.map(SubagentDefinition::from))
        }

        /// Its latest run; null while no agent was sent to work on it.
        async fn latest_job(&self, ctx: &Context<'_>) -> Nullable<AgentJob> {
            let of_ticket = agent_job::Column::TicketId;
            let job = newest::<AgentJob>(ctx, of_ticket, &self.id()?).await?;
            Ok(job.map(AgentJob::from))
        }
    }
}

impl Shown for TicketStep {
    async fn possible(
        ctx: &Context<'_>,
        row: &ticket::Model,
        mut steps: Vec<Self>,
    ) -> crate::Result<Vec<Self>> {
        only_if(
            &mut steps,
            |step| *step == Self::Retry,
            may_be_retried(ctx, row),
        )
        .await?;
        without_idle_approval(ctx, row, steps).await
    }
}

async fn may_be_retried(ctx: &Context<'_>, row: &ticket::Model) -> crate::Result<bool> {
    let scope = ctx.scope();
    let brief = match &row.prd_id {
        Some(brief) => scope.find::<prd::Entity>(brief).await?,
        None => None,
    };
    let plan = match &row.plan_id {
        Some(plan) => scope.find::<execution_plan::Entity>(plan).await?,
        None => None,
    };
    let may = workflow::may_be_retried(row, brief.as_deref(), plan.as_deref());
    Ok(may.is_ok())
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
    #[graphql(flatten)]
    once: Once,
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
        active_role(tx, "roleSlug", &self.role_slug).await?;
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

decisions! { TicketDecisionMutation of ticket: Ticket by TicketStep {
    /// Approves a ticket's result. With the last approval that is needed it is done, and what waited for it goes on.
    approve_ticket(ApproveTicketInput) -> ApproveTicketPayload: Approve, seen note;
    /// Turns a ticket's result down: it has failed, and its plan is made anew, or a person is told who must look at it.
    reject_ticket(RejectTicketInput) -> RejectTicketPayload: Reject, seen reason;
    /// Stops a ticket that has not ended. What waits for it goes on waiting: stop that too, or have the plan made anew.
    cancel_ticket(CancelTicketInput) -> CancelTicketPayload: Cancel, note;
    /// Has a failed ticket done again, while its plan is active.
    retry_ticket(RetryTicketInput) -> RetryTicketPayload: Retry, note;
} }
