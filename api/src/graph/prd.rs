//! The briefs that come out of meetings and go to approval.

use super::prelude::*;
use super::{
    connection::newest,
    constraints::length,
    prd_content::BriefContent,
    shared::{goal_of_project, open_project},
    write::{Write, change, given, mutations},
};
use crate::{
    Error,
    auth::Action,
    domain::{
        check, markdown, money,
        phase::{self, OpenTickets},
    },
    store::Tx,
};
use async_graphql::{Enum, InputObject, MaybeUndefined, SimpleObject};
use entity::{
    BigInt, Id, Json, Large, api_usage,
    execution_plan::{self, ExecutionPlanStatus},
    meeting,
    prd::{self, PrdStatus},
    ticket::{self, TicketStatus},
};
use futures_util::try_join;
use sea_orm::ActiveValue::Set;

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
            let plan = match self.row.status {
                PrdStatus::Approved => self.latest_plan(ctx).await?,
                _ => None,
            };
            let open = match plan.as_deref() {
                Some(plan) if plan.status == ExecutionPlanStatus::Active => {
                    let tickets = ctx.scope().count_words::<ticket::Entity>(Status, PlanId, &plan.id).await?;
                    OpenTickets {
                        at_work: tickets.of(TicketStatus::Ready) + tickets.of(TicketStatus::Claimed),
                        waiting: tickets.of(TicketStatus::Waiting),
                    }
                }
                _ => OpenTickets::default(),
            };
            let phase = phase::phase(self.row.status, plan.map(|plan| plan.status), open);
            Ok(phase.map(EngagementPhase::from))
        }

        /// What all calls of providers for it cost; null for viewers.
        async fn cost_total(&self, ctx: &Context<'_>) -> Nullable<CostTotal> {
            use api_usage::Column::{CostMicros, PrdId};
            if !ctx.may(Action::ReadCosts) {
                return Ok(None);
            }
            let micros = ctx.scope().sum::<api_usage::Entity>(CostMicros, PrdId, &self.row.id).await?;
            let cost_micros = BigInt(micros);
            Ok(Some(CostTotal { cost_micros, cost_usd: money::usd(cost_micros) }))
        }

        /// The whole brief as a Markdown document, to be downloaded.
        async fn markdown(&self, ctx: &Context<'_>) -> Nullable<String> {
            Ok(Some(markdown::brief(&self.whole(ctx).await?)))
        }
    }
}

impl PRDObject {
    /// The row with the large columns that a document shows.
    async fn whole(&self, ctx: &Context<'_>) -> crate::Result<prd::Model> {
        use prd::Column::{
            AcceptanceCriteria, Assumptions, Objectives, OutOfScope, Requirements, Risks,
            SelectedArchitecture,
        };
        let (scope, id) = (ctx.scope(), &self.row.id);
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
            ..(*self.row).clone()
        })
    }

    async fn latest_plan(
        &self,
        ctx: &Context<'_>,
    ) -> crate::Result<Option<Arc<execution_plan::Model>>> {
        let of_brief = execution_plan::Column::PrdId;
        newest::<ExecutionPlan>(ctx, of_brief, &self.row.id).await
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

/// A new brief.
#[derive(InputObject, Clone)]
#[graphql(name = "CreatePRDInput")]
pub struct CreatePRDInput {
    /// The project it is for.
    project_id: Id,
    /// The goal it serves, in the same project.
    goal_id: Option<Id>,
    /// The meeting it came out of.
    meeting_id: Option<Id>,
    /// What it is about, 1 to 300 characters.
    title: String,
    /// What lists show of it, at most 5,000 characters.
    #[graphql(default)]
    summary: String,
    /// What it says.
    content: Option<BriefContent>,
    /// A key of your choice, good for 24 hours: sent again with the same input, nothing is done twice and the answer is the
    /// row as it is now; with another input it is `IDEMPOTENCY_MISMATCH`. What is left out is not the same as null.
    #[graphql(directive = length::apply(1, 200))]
    idempotency_key: Option<String>,
}

impl Write for CreatePRDInput {
    type Entity = prd::Entity;
    const ACTION: Action = Action::EditBrief;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<prd::Model> {
        let project = open_project(tx, &self.project_id).await?;
        goal_of_project(tx, self.goal_id.as_ref(), &project.id).await?;
        let meeting = tx
            .get_some::<meeting::Entity>(self.meeting_id.as_ref())
            .await?;
        let row = prd::ActiveModel {
            project_id: Set(project.id),
            goal_id: Set(self.goal_id),
            meeting_id: Set(self.meeting_id),
            transcript_id: Set(meeting.and_then(|meeting| meeting.current_transcript_id)),
            title: Set(check::line("title", &self.title, 1, 300)?),
            summary: Set(check::text("summary", &self.summary, 0, 5000)?),
            status: Set(PrdStatus::Draft),
            version: Set(1),
            created_by_id: Set(tx.scope().actor().user_id().cloned()),
            ..self.content.unwrap_or_default().columns()?
        };
        tx.insert(row, "brief.created").await
    }
}

/// Changes to a brief that is not decided yet. What is left out stays; what always has a value cannot be null.
#[derive(InputObject, Clone)]
#[graphql(name = "UpdatePRDInput")]
pub struct UpdatePRDInput {
    /// The brief.
    id: Id,
    /// The version you read; another one means that somebody was faster.
    expected_version: i32,
    /// What it is about, 1 to 300 characters.
    title: MaybeUndefined<String>,
    /// What lists show of it, at most 5,000 characters.
    summary: MaybeUndefined<String>,
    /// What it says; of this, too, what is left out stays.
    content: MaybeUndefined<BriefContent>,
    /// A key of your choice, good for 24 hours: sent again with the same input, nothing is done twice and the answer is the
    /// row as it is now; with another input it is `IDEMPOTENCY_MISMATCH`. What is left out is not the same as null.
    #[graphql(directive = length::apply(1, 200))]
    idempotency_key: Option<String>,
}

impl Write for UpdatePRDInput {
    type Entity = prd::Entity;
    const ACTION: Action = Action::EditBrief;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<prd::Model> {
        let before = tx.get::<prd::Entity>(&self.id).await?;
        if before.version != self.expected_version {
            let now = before.version;
            return Err(Error::Conflict(format!(
                "This brief is at version {now} by now. Read it again."
            )));
        }
        if !matches!(
            before.status,
            PrdStatus::Draft | PrdStatus::NeedsClarification | PrdStatus::PendingApproval
        ) {
            return Err(Error::Conflict(
                "A decided brief is not edited; write one that supersedes it.".to_owned(),
            ));
        }
        let changes = prd::ActiveModel {
            title: change("title", self.title, |title| {
                check::line("title", &title, 1, 300)
            })?,
            summary: change("summary", self.summary, |text| {
                check::text("summary", &text, 0, 5000)
            })?,
            version: Set(before.version + 1),
            ..given("content", self.content)?
                .unwrap_or_default()
                .columns()?
        };
        tx.update(&before, changes, "brief.edited").await
    }
}

mutations! { PRDMutation {
    /// Writes a brief by hand.
    create_prd(CreatePRDInput) -> CreatePRDPayload { prd: PRD };
    /// Changes a brief that is not decided yet, and counts its version up.
    update_prd(UpdatePRDInput) -> UpdatePRDPayload { prd: PRD };
} }
