//! The briefs that come out of meetings and go to approval.

use super::prelude::*;
use super::{
    found::{newest, rows_where},
    progress::{ApprovalProgress, progress, required},
    steps::{Shown, allowed, only_if, without_idle_approval},
};
use crate::{
    auth::Action,
    domain::{
        machine::PRDStep,
        markdown, money,
        phase::{self, OpenTickets},
    },
    store::Row,
    workflow::{self, Decision as _},
};
use async_graphql::{Enum, SimpleObject, value};
use entity::{
    BigInt, Json, Large, api_usage, clarification_request,
    execution_plan::{self, ExecutionPlanStatus},
    prd::{self, PrdStatus},
    ticket::{self, TicketStatus},
};
use futures_util::try_join;

/// So many of the latest questions about a brief are looked at to tell whether another may be asked.
const MOST_ASKED: i32 = 50;

node! {
    /// A brief: what is to be built and why, drafted from a meeting or written by hand.
    PRD in prd (prd, prds) {
        columns {
            id: IdFilter,
            project_id: IdFilter,
            goal_id: IdFilter,
            meeting_id: IdFilter,
            transcript_id: IdFilter,
            supersedes_id: IdFilter,
            title: StringFilter,
            summary: StringFilter,
            goal_text: StringFilter,
            target_users: StringFilter,
            success_metrics: StringFilter,
            scope: StringFilter,
            non_scope: StringFilter,
            requirement_count: IntFilter,
            timeline: StringFilter,
            confidence: FloatFilter,
            version: IntFilter,
            status: EnumFilter<prd::PrdStatus>,
            approval_due_at: DateTimeFilter,
            approval_reminded_at: DateTimeFilter,
            paused_at: DateTimeFilter,
            paused_by_id: IdFilter,
            target_repo: StringFilter,
            google_doc_id: StringFilter,
            google_doc_url: StringFilter,
            created_by_id: IdFilter,
            decided_by_id: IdFilter,
            decided_at: DateTimeFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The project it is for.
            project: Project by project_id,
            /// The goal it serves; null when it serves none in particular.
            goal: Goal by goal_id,
            /// The meeting it came out of; null when written by hand or when the meeting was deleted.
            meeting: Meeting by meeting_id,
            /// The transcript version it was drafted from; null when written by hand.
            transcript: Transcript by transcript_id,
            /// The approved brief it revises; null when it is the first.
            supersedes: PRD by supersedes_id,
            /// Who paused it; null while it is not paused.
            paused_by: User by paused_by_id,
            /// Who wrote it; null when the system did or the person is gone.
            created_by: User by created_by_id,
            /// Who decided last; null while nobody has.
            decided_by: User by decided_by_id,
        }
        many {
            /// Later briefs that revise this one.
            superseded_by: PRD by supersedes_id,
            /// Places in the code that the brief touches.
            symbol_links: PRDSymbolLink by prd_id,
            /// Plans to carry it out, newest attempt first.
            execution_plans: ExecutionPlan by prd_id,
            /// All work for this brief.
            tickets: Ticket by prd_id,
            /// Decisions on this brief, newest first.
            approvals: Approval by prd_id,
            /// Questions asked while drafting this brief.
            clarifications: ClarificationRequest by prd_id,
            /// Model calls spent on this brief.
            api_usages: ApiUsage by prd_id,
            /// The brief's life, newest first: what happened to it, its plans, tickets, questions and decisions.
            activity: AuditLog by prd_id,
        }
        large {
            /// What it should achieve, one sentence each.
            objectives: Json<Vec<String>>,
            /// What it asks for, the most important first.
            requirements: Json<Vec<prd::Requirement>>,
            /// The statements that must hold for the whole to count as done.
            acceptance_criteria: Json<Vec<String>>,
            /// What is deliberately left out.
            out_of_scope: Json<Vec<String>>,
            /// What was taken for granted when it was written.
            assumptions: Json<Vec<String>>,
            /// What could go wrong.
            risks: Json<Vec<prd::Risk>>,
            /// The ways to build it that were compared, each as the architect wrote it.
            architecture_options: Json<Vec<serde_json::Value>>,
            /// The design of the way that was chosen; null before there is one.
            architecture_design: Json<serde_json::Value>,
            /// The name of the way that was chosen; null before the choice.
            selected_architecture: String,
            /// How several models judged it: votes, critique, consensus, cost and timing; null when they were not asked.
            council: Json<serde_json::Value>,
        }
    }
    fields {

        /// What you may do with it now, in the order in which it comes up; empty when nothing.
        async fn allowed_steps(&self, ctx: &Context<'_>) -> Nullable<Vec<PRDStep>> {
            Ok(Some(allowed(ctx, &self.row()?).await?))
        }

        /// How many people approved it as it is, of those who must.
        async fn approval_progress(&self, ctx: &Context<'_>) -> Nullable<ApprovalProgress> {
            Ok(Some(progress::<PRDStep>(ctx, &self.row()?).await?))
        }

        /// The latest plan to carry it out, whatever became of it; null before there is one.
        async fn latest_execution_plan(&self, ctx: &Context<'_>) -> Nullable<ExecutionPlan> {
            Ok(self.latest_plan(ctx).await?.map(ExecutionPlan::from))
        }

        /// How far its work has come, told from its status, its latest plan's and the plan's tickets'. While it is not
        /// approved: `LISTEN` for a draft, `CLARIFY` when it needs clarification, `DECIDE` when it is pending approval.
        /// Then `PLAN` without an open plan, `COMMIT` while the plan is pending approval, `BUILD` while the plan is
        /// active, or `VERIFY` when a ticket of it waits for a person and none is ready or claimed, and `LEARN` when the
        /// plan is done. Null when it was rejected or superseded.
        async fn phase(&self, ctx: &Context<'_>) -> Nullable<EngagementPhase> {
            use ticket::Column::{PlanId, Status};
            let status = self.row()?.status;
            let plan = match status {
                PrdStatus::Approved => self.latest_plan(ctx).await?.map(|plan| plan.model::<execution_plan::Entity>()).transpose()?,
                _ => None,
            };
            let open = match &plan {
                Some(plan) if plan.status == ExecutionPlanStatus::Active => {
                    let tickets = ctx.scope().count_words::<ticket::Entity>(Status, PlanId, &plan.id).await?;
                    OpenTickets {
                        at_work: tickets.of(TicketStatus::Ready) + tickets.of(TicketStatus::Claimed),
                        waiting: tickets.of(TicketStatus::Waiting),
                    }
                }
                _ => OpenTickets::default(),
            };
            let phase = phase::phase(status, plan.map(|plan| plan.status), open);
            Ok(phase.map(EngagementPhase::from))
        }

        /// What all calls of providers for it cost; null for viewers.
        async fn cost_total(&self, ctx: &Context<'_>) -> Nullable<CostTotal> {
            use api_usage::Column::{CostMicros, PrdId};
            if !ctx.may(Action::ReadCosts) {
                return Ok(None);
            }
            let micros = ctx.scope().sum::<api_usage::Entity>(CostMicros, PrdId, &self.id()?).await?;
            let cost_micros = BigInt(micros);
            Ok(Some(CostTotal { cost_micros, cost_usd: money::usd(cost_micros) }))
        }

        /// The whole brief as a Markdown document, to be downloaded.
        async fn markdown(&self, ctx: &Context<'_>) -> Nullable<String> {
            Ok(Some(markdown::brief(&self.whole(ctx).await?)))
        }
    }
}

impl Shown for PRDStep {
    async fn possible(
        ctx: &Context<'_>,
        row: &prd::Model,
        mut steps: Vec<Self>,
    ) -> crate::Result<Vec<Self>> {
        let is = |one: Self| move |step: &Self| *step == one;
        only_if(&mut steps, is(Self::Ask), may_ask(ctx, row)).await?;
        only_if(&mut steps, is(Self::Approve), may_be_approved(ctx, row)).await?;
        let takes_a_place = |step: &Self| matches!(step, Self::Approve | Self::Submit);
        only_if(&mut steps, takes_a_place, has_place(ctx, row)).await?;
        only_if(&mut steps, is(Self::Delete), may_be_deleted(ctx, row)).await?;
        without_idle_approval(ctx, row, steps).await
    }
}

/// Nothing is taken from under an agent's hands, or from a brief that is being revised.
async fn may_be_deleted(ctx: &Context<'_>, row: &prd::Model) -> crate::Result<bool> {
    use ticket::Column::{PrdId, Status};
    let claimed = ctx
        .scope()
        .count_words::<ticket::Entity>(Status, PrdId, &row.id);
    if claimed.await?.of(TicketStatus::Claimed) > 0 {
        return Ok(false);
    }
    let open = value!({ "status": { "in": ["DRAFT", "NEEDS_CLARIFICATION", "PENDING_APPROVAL"] } });
    let revises = prd::Column::SupersedesId;
    let revisions = rows_where::<PRD>(ctx, revises, row.id.as_str(), Some(open), 1).await?;
    Ok(revisions.is_empty())
}

async fn may_ask(ctx: &Context<'_>, row: &prd::Model) -> crate::Result<bool> {
    let about = clarification_request::Column::PrdId;
    let of_brief = value!({ "ticketId": { "isNull": true } });
    let id = row.id.as_str();
    let asked =
        rows_where::<ClarificationRequest>(ctx, about, id, Some(of_brief), MOST_ASKED).await?;
    let asked = asked
        .iter()
        .map(|row| row.model::<clarification_request::Entity>());
    Ok(workflow::may_ask(
        &asked.collect::<crate::Result<Vec<_>>>()?,
    ))
}

/// Several people approve only what was handed in.
async fn may_be_approved(ctx: &Context<'_>, row: &prd::Model) -> crate::Result<bool> {
    let required = required::<PRDStep>(ctx).await?;
    Ok(required <= 1 || PRDStep::may_be_counted(row, required).is_ok())
}

/// Nothing takes the place of what another revision replaced.
async fn has_place(ctx: &Context<'_>, row: &prd::Model) -> crate::Result<bool> {
    let Some(revised) = &row.supersedes_id else {
        return Ok(true);
    };
    let revised = ctx.scope().find::<prd::Entity>(revised).await?;
    Ok(revised.is_none_or(|revised| workflow::may_be_replaced(&revised).is_ok()))
}

impl PRDFields {
    /// The row with the large columns that a document shows.
    async fn whole(&self, ctx: &Context<'_>) -> crate::Result<prd::Model> {
        use prd::Column::{
            AcceptanceCriteria, Assumptions, Objectives, OutOfScope, Requirements, Risks,
            SelectedArchitecture,
        };
        let (scope, row) = (ctx.scope(), self.row()?);
        let id = &row.id;
        let (
            objectives,
            requirements,
            acceptance_criteria,
            out_of_scope,
            assumptions,
            risks,
            chosen,
        ) = try_join!(
            scope.large::<prd::Entity, _>(Objectives, id),
            scope.large::<prd::Entity, _>(Requirements, id),
            scope.large::<prd::Entity, _>(AcceptanceCriteria, id),
            scope.large::<prd::Entity, _>(OutOfScope, id),
            scope.large::<prd::Entity, _>(Assumptions, id),
            scope.large::<prd::Entity, _>(Risks, id),
            scope.large::<prd::Entity, _>(SelectedArchitecture, id),
        )?;
        Ok(prd::Model {
            objectives: Large(objectives),
            requirements: Large(requirements),
            acceptance_criteria: Large(acceptance_criteria),
            out_of_scope: Large(out_of_scope),
            assumptions: Large(assumptions),
            risks: Large(risks),
            selected_architecture: Large(chosen),
            ..row.clone()
        })
    }

    async fn latest_plan(&self, ctx: &Context<'_>) -> crate::Result<Option<Arc<Row>>> {
        let of_brief = execution_plan::Column::PrdId;
        newest::<ExecutionPlan>(ctx, of_brief, &self.id()?).await
    }
}

/// How far the work for a brief has come, in the order in which it passes through.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "phase::Phase")]
pub enum EngagementPhase {
    /// The brief is being drafted.
    Listen,
    /// Its author asked something.
    Clarify,
    /// The brief waits for a decision.
    Decide,
    /// The brief is approved, and no plan for it is open.
    Plan,
    /// The plan waits for a decision.
    Commit,
    /// The plan is carried out.
    Build,
    /// What is left of the plan waits for people.
    Verify,
    /// The plan is done.
    Learn,
}

/// What several calls of providers cost together.
#[derive(SimpleObject)]
pub struct CostTotal {
    /// In millionths of a US dollar.
    cost_micros: BigInt,
    /// In US dollars, such as `0.001500`.
    cost_usd: String,
}
