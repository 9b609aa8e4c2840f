//! How an approved brief is carried out, one row an attempt.

use super::prelude::*;
use super::{
    constraints::{length, size},
    decisions::decisions,
    found::rows_by,
    progress::{ApprovalProgress, progress},
    steps::{Shown, allowed, without_idle_approval},
    write::{Once, Write, mutations},
};
use crate::{
    Error,
    auth::Action,
    domain::{check, machine::ExecutionPlanStep, plan::trimmed},
    store::Tx,
    workflow::{self, NewPlan},
};
use async_graphql::InputObject;
use entity::{
    BigInt, Id, Json,
    execution_plan::{self, ExecutionPlanStatus},
    project_graph, ticket,
};
use sea_orm::ActiveValue::Set;

/// More tickets than a plan has.
const MOST_TICKETS: i32 = 20;

node! {
    /// A plan for carrying out a brief. A plan that fails is not repaired: the next attempt is a new plan.
    ExecutionPlan in execution_plan (execution_plan, execution_plans) {
        columns {
            id: IdFilter,
            prd_id: IdFilter,
            project_id: IdFilter,
            parent_ticket_id: IdFilter,
            attempt: IntFilter,
            cycle: IntFilter,
            status: EnumFilter<execution_plan::ExecutionPlanStatus>,
            approval_due_at: DateTimeFilter,
            approval_reminded_at: DateTimeFilter,
            paused_at: DateTimeFilter,
            paused_by_id: IdFilter,
            model: StringFilter,
            step_count: IntFilter,
            channel_summary: StringFilter,
            replan_reason: StringFilter,
            error_signature: StringFilter,
            critique_score: IntFilter,
            revised: BooleanFilter,
            candidate_count: IntFilter,
            graph_content_hash: StringFilter,
            budget_exceeded: BooleanFilter,
            is_fallback: BooleanFilter,
            estimated_tokens: BigIntFilter,
            estimated_cost_micros: BigIntFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The brief it carries out.
            prd: PRD by prd_id,
            /// The project it works in.
            project: Project by project_id,
            /// The chief-of-staff ticket that made it.
            parent_ticket: Ticket by parent_ticket_id,
            /// Who paused it; null while it is not paused.
            paused_by: User by paused_by_id,
        }
        many {
            /// The plan's steps as work.
            tickets: Ticket by plan_id,
            /// Decisions on this plan, newest first.
            approvals: Approval by plan_id,
            /// Model calls spent on this plan.
            api_usages: ApiUsage by plan_id,
        }
        large {
            /// What is done in which order, in one to six steps.
            steps: Json<Vec<execution_plan::PlanStep>>,
            /// How each model voted on the drafts; null when there was no vote.
            council_votes: Json<serde_json::Value>,
        }
    }
    fields {

        /// What you may do with it now, in the order in which it comes up; empty when nothing.
        async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<ExecutionPlanStep>> {
            Ok(Some(allowed(ctx, &self.row()?).await?))
        }

        /// How many people approved it as it is, of those who must.
        async fn approval_progress(&self, ctx: &Context<'_>) -> Nullable<ApprovalProgress> {
            Ok(Some(progress::<ExecutionPlanStep>(ctx, &self.row()?).await?))
        }

        /// Whether nothing of it can go on although it is active, because tickets of it were stopped: cancel it, or have it made
        /// anew.
        async fn is_stuck(&self, ctx: &Context<'_>) -> Nullable<bool> {
            if self.row()?.status != ExecutionPlanStatus::Active {
                return Ok(Some(false));
            }
            let tickets = rows_by::<Ticket>(ctx, ticket::Column::PlanId, self.id()?.as_str(), MOST_TICKETS).await?;
            let tickets = tickets.iter().map(|ticket| ticket.model::<ticket::Entity>());
            Ok(Some(!workflow::goes_on(&tickets.collect::<crate::Result<Vec<_>>>()?)))
        }

        /// Whether the code changed since the plan was made: its map's hash differs from the project's present one. Null
        /// when either is unknown.
        async fn graph_stale(&self, ctx: &Context<'_>) -> Nullable<bool> {
            let row = self.row()?;
            let Some(planned) = row.graph_content_hash else { return Ok(None) };
            let project = project_graph::Column::ProjectId;
            let graph = ctx.scope().find_by::<project_graph::Entity>(project, &row.project_id).await?;
            Ok(graph.map(|graph| graph.content_hash != planned))
        }
    }
}

impl Shown for ExecutionPlanStep {
    async fn possible(
        ctx: &Context<'_>,
        row: &execution_plan::Model,
        steps: Vec<Self>,
    ) -> crate::Result<Vec<Self>> {
        without_idle_approval(ctx, row, steps).await
    }
}

/// A plan for an approved brief. Its steps become tickets.
#[derive(InputObject, Clone)]
pub struct CreateExecutionPlanInput {
    /// The brief it carries out, which is approved.
    prd_id: Id,
    /// What chat channels are told about it, 1 to 2,000 characters.
    channel_summary: String,
    /// The steps, 1 to 6. A step waits for the steps it depends on, named by their positions from 0. The roles, specialists
    /// and skills that it names are active. Left out, the plan has one step, for the brief as a whole: `isFallback`.
    #[graphql(directive = size::apply(1, 6))]
    steps: Option<Vec<execution_plan::PlanStep>>,
    /// How many tokens carrying it out should take.
    estimated_tokens: Option<BigInt>,
    /// What carrying it out should cost, in millionths of a US dollar. A rule may approve a plan that is cheap enough.
    estimated_cost_micros: Option<BigInt>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreateExecutionPlanInput {
    type Entity = execution_plan::Entity;
    const ACTION: Action = Action::EditTicket;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<execution_plan::Model> {
        let new = NewPlan {
            channel_summary: self.channel_summary,
            steps: self.steps,
            estimated_tokens: natural("estimatedTokens", self.estimated_tokens)?,
            estimated_cost_micros: natural("estimatedCostMicros", self.estimated_cost_micros)?,
            drafted: execution_plan::ActiveModel::default(),
        };
        workflow::create_plan(tx, &self.prd_id, new).await
    }
}

/// A plan as the chief of staff made it.
#[derive(InputObject, Clone)]
pub struct PlanContent {
    /// What chat channels are told about it, 1 to 2,000 characters.
    channel_summary: String,
    /// The steps, as in `createExecutionPlan`.
    #[graphql(directive = size::apply(1, 6))]
    steps: Option<Vec<execution_plan::PlanStep>>,
    /// How many tokens carrying it out should take.
    estimated_tokens: Option<BigInt>,
    /// What carrying it out should cost, in millionths of a US dollar.
    estimated_cost_micros: Option<BigInt>,
    /// The model that made it, in at most 200 characters.
    #[graphql(directive = length::apply(1, 200))]
    model: Option<String>,
}

impl PlanContent {
    pub(super) fn new_plan(self) -> crate::Result<NewPlan> {
        let named = |error: Error| match error {
            Error::BadUserInput { field, reason } => {
                Error::bad_input(format!("plan.{field}"), reason)
            }
            other => other,
        };
        let (tokens, cost) = (self.estimated_tokens, self.estimated_cost_micros);
        let steps = self.steps.map(trimmed).transpose().map_err(named)?;
        let summary = check::text("channelSummary", &self.channel_summary, 1, 2000);
        Ok(NewPlan {
            channel_summary: summary.map_err(named)?,
            steps,
            estimated_tokens: natural("estimatedTokens", tokens).map_err(named)?,
            estimated_cost_micros: natural("estimatedCostMicros", cost).map_err(named)?,
            drafted: execution_plan::ActiveModel {
                model: Set(self.model),
                ..Default::default()
            },
        })
    }
}

/// An estimate, which is not below nothing.
fn natural(field: &str, number: Option<BigInt>) -> crate::Result<Option<i64>> {
    match number {
        Some(BigInt(number)) if number < 0 => Err(Error::bad_input(field, "cannot be negative")),
        number => Ok(number.map(|BigInt(number)| number)),
    }
}

mutations! { ExecutionPlanMutation {
    /// Makes a plan for an approved brief and a ticket for each of its steps. The tickets wait until the plan is approved; a
    /// rule of the workspace may approve it at once.
    create_execution_plan(CreateExecutionPlanInput) -> CreateExecutionPlanPayload { execution_plan: ExecutionPlan };
} }

decisions! { ExecutionPlanDecisionMutation of execution_plan: ExecutionPlan by ExecutionPlanStep {
    /// Approves a plan. With the last approval that is needed, its tickets that wait for no other are handed out.
    approve_plan(ApprovePlanInput) -> ApprovePlanPayload: Approve, seen note;
    /// Turns a plan down, and stops its tickets. Its brief has no plan then.
    reject_plan(RejectPlanInput) -> RejectPlanPayload: Reject, seen reason;
    /// Turns a plan down, and has another one made as you say.
    redirect_plan(RedirectPlanInput) -> RedirectPlanPayload: Redirect, seen reason;
    /// Holds back the tickets of a plan that nobody works on yet. What is under way is finished.
    pause_plan(PausePlanInput) -> PausePlanPayload: Pause, note;
    /// Lets a plan's work go on.
    resume_plan(ResumePlanInput) -> ResumePlanPayload: Resume, note;
    /// Stops a plan and its open tickets. Its brief has no plan then.
    cancel_plan(CancelPlanInput) -> CancelPlanPayload: Cancel, note;
    /// Drops an open plan with its open tickets, and has the next attempt planned.
    replan(ReplanInput) -> ReplanPayload: Replan, reason;
    /// After a plan failed for good, has its brief planned again: a new cycle of attempts.
    retry_plan(RetryPlanInput) -> RetryPlanPayload: Retry, note;
} }
