//! The pieces of work that agents claim.

use super::prelude::*;
use super::{
    by_slug::by_slug,
    decisions::decisions,
    found::newest,
    progress::{ApprovalProgress, progress},
    steps::{Shown, allowed, only_if, without_idle_approval},
    why_unclaimed::{WhyUnclaimed, why_unclaimed},
};
use crate::{domain::machine::TicketStep, workflow};
use entity::{Json, agent_job, agent_role, execution_plan, prd, subagent_definition, ticket};

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
            /// What is or was set aside for model calls for this ticket.
            budget_reservations: BudgetReservation by ticket_id,
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

        /// Why nobody works on it; null when somebody does, a person must act, or it has ended. For people.
        async fn why_unclaimed(&self, ctx: &Context<'_>) -> Nullable<WhyUnclaimed> {
            Ok(why_unclaimed(ctx, &self.row()?).await?)
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

/// The brief and the plan that a ticket belongs to, if it does.
///
/// # Errors
/// If the database fails.
pub(super) async fn brief_and_plan(
    ctx: &Context<'_>,
    row: &ticket::Model,
) -> crate::Result<(Option<Arc<prd::Model>>, Option<Arc<execution_plan::Model>>)> {
    let scope = ctx.scope();
    let brief = match &row.prd_id {
        Some(brief) => scope.find::<prd::Entity>(brief).await?,
        None => None,
    };
    let plan = match &row.plan_id {
        Some(plan) => scope.find::<execution_plan::Entity>(plan).await?,
        None => None,
    };
    Ok((brief, plan))
}

async fn may_be_retried(ctx: &Context<'_>, row: &ticket::Model) -> crate::Result<bool> {
    let (brief, plan) = brief_and_plan(ctx, row).await?;
    let may = workflow::may_be_retried(row, brief.as_deref(), plan.as_deref());
    Ok(may.is_ok())
}

decisions! { TicketDecisionMutation of ticket: Ticket by TicketStep {
    /// Approves a ticket's result. With the last approval that is needed it is done, and what waited for it goes on.
    approve_ticket(ApproveTicketInput) -> ApproveTicketPayload: Approve, seen note;
    /// Turns a ticket's result down: it has failed, and its plan is made anew, or a person is told who must look at it.
    reject_ticket(RejectTicketInput) -> RejectTicketPayload: Reject, seen reason;
    /// Stops a ticket that has not ended. What waits for it goes on waiting: stop that too, or have the plan made anew.
    cancel_ticket(CancelTicketInput) -> CancelTicketPayload: Cancel, note;
    /// Takes a ticket out of the hands of the agent that works on it: it can be claimed again at once.
    requeue_ticket(RequeueTicketInput) -> RequeueTicketPayload: Requeue, note;
    /// Has a failed ticket done again, while its plan is active.
    retry_ticket(RetryTicketInput) -> RetryTicketPayload: Retry, note;
} }
