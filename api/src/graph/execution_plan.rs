//! How an approved brief is carried out, one row an attempt.

use super::prelude::*;
use super::{
    constraints::length,
    shared::{all_of, count, means, open_project},
    write::{Write, mutations},
};
use crate::{
    Error,
    auth::Action,
    domain::{check, plan},
    error::named,
    store::Tx,
};
use async_graphql::InputObject;
use entity::{
    Id, Json, Large,
    execution_plan::{self, ExecutionPlanStatus as PlanStatus},
    prd::{self, PrdStatus},
    project_graph,
    ticket::{self, TicketStatus},
    ticket_dependency,
};
use sea_orm::{ActiveValue::Set, sea_query::ExprTrait};

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

        /// Whether the code changed since the plan was made: its map's hash differs from the project's present one. Null
        /// when either is unknown.
        async fn graph_stale(&self, ctx: &Context<'_>) -> Nullable<bool> {
            let Some(planned) = &self.row.graph_content_hash else { return Ok(None) };
            let project = project_graph::Column::ProjectId;
            let graph = ctx.scope().find_by::<project_graph::Entity>(project, &self.row.project_id).await?;
            Ok(graph.map(|graph| graph.content_hash != *planned))
        }
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
    /// and skills that it names are active.
    steps: Vec<execution_plan::PlanStep>,
    /// A key of your choice, good for 24 hours: sent again with the same input, nothing is done twice and the answer is the
    /// row as it is now; with another input it is `IDEMPOTENCY_MISMATCH`. What is left out is not the same as null.
    #[graphql(directive = length::apply(1, 200))]
    idempotency_key: Option<String>,
}

impl Write for CreateExecutionPlanInput {
    type Entity = execution_plan::Entity;
    const ACTION: Action = Action::EditTicket;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<execution_plan::Model> {
        plan::check_steps(&self.steps, &means(tx, &self.steps).await?)?;
        let summary = check::text("channelSummary", &self.channel_summary, 1, 2000)?;
        let prd = tx.get::<prd::Entity>(&self.prd_id).await?;
        if prd.status != PrdStatus::Approved {
            return Err(Error::Conflict(format!(
                "Only an approved brief gets a plan; this one is {}.",
                named(prd.status)
            )));
        }
        open_project(tx, &prd.project_id).await?;
        let parent = chief_of_staff_ticket(tx, &prd).await?;
        let of_parent = execution_plan::Column::ParentTicketId;
        let earlier = tx
            .rows::<execution_plan::Entity>(|place| {
                all_of(place.column(of_parent).eq(parent.id.as_str()))
            })
            .await?;
        if earlier.iter().any(|plan| {
            matches!(
                plan.status,
                PlanStatus::PendingApproval | PlanStatus::Active
            )
        }) {
            return Err(Error::Conflict(
                "This brief has an open plan already.".to_owned(),
            ));
        }
        let row = execution_plan::ActiveModel {
            prd_id: Set(prd.id.clone()),
            project_id: Set(prd.project_id.clone()),
            parent_ticket_id: Set(parent.id.clone()),
            attempt: Set(earlier.iter().map(|plan| plan.attempt).max().unwrap_or(0) + 1),
            status: Set(PlanStatus::PendingApproval),
            step_count: Set(count(self.steps.len())),
            steps: Set(Large::new(Json(self.steps.clone()))),
            channel_summary: Set(summary),
            ..Default::default()
        };
        let plan = tx.insert(row, "plan.created").await?;
        write_tickets(tx, &prd, &plan, &parent, self.steps).await?;
        Ok(plan)
    }
}

/// The brief's top ticket, under which all its plans hang.
async fn chief_of_staff_ticket(tx: &mut Tx<'_>, prd: &prd::Model) -> crate::Result<ticket::Model> {
    let found = tx
        .rows::<ticket::Entity>(|place| {
            all_of(place.column(ticket::Column::PrdId).eq(prd.id.as_str()))
                .add(
                    place
                        .column(ticket::Column::RoleSlug)
                        .eq(plan::CHIEF_OF_STAFF),
                )
                .add(place.column(ticket::Column::PlanId).is_null())
        })
        .await?;
    if let Some(ticket) = found.into_iter().next() {
        return Ok(ticket);
    }
    let row = ticket::ActiveModel {
        project_id: Set(prd.project_id.clone()),
        goal_id: Set(prd.goal_id.clone()),
        meeting_id: Set(prd.meeting_id.clone()),
        prd_id: Set(Some(prd.id.clone())),
        role_slug: Set(plan::CHIEF_OF_STAFF.to_owned()),
        title: Set(format!("Plan: {}", prd.title).chars().take(200).collect()),
        description: Set(Large::new(prd.summary.clone())),
        status: Set(TicketStatus::Ready),
        created_by: Set(tx.scope().actor().name()),
        ..Default::default()
    };
    tx.insert(row, "ticket.created").await
}

/// One ticket a step, blocked until the plan is approved, with its dependencies.
async fn write_tickets(
    tx: &mut Tx<'_>,
    prd: &prd::Model,
    plan: &execution_plan::Model,
    parent: &ticket::Model,
    steps: Vec<execution_plan::PlanStep>,
) -> crate::Result<()> {
    let mut written: Vec<Id> = Vec::with_capacity(steps.len());
    for (position, step) in steps.iter().enumerate() {
        let row = ticket::ActiveModel {
            project_id: Set(plan.project_id.clone()),
            goal_id: Set(prd.goal_id.clone()),
            meeting_id: Set(prd.meeting_id.clone()),
            prd_id: Set(Some(prd.id.clone())),
            plan_id: Set(Some(plan.id.clone())),
            step_index: Set(Some(count(position))),
            parent_ticket_id: Set(Some(parent.id.clone())),
            role_slug: Set(step.role_slug.clone()),
            subagent_slug: Set(step.subagent_slug.clone()),
            skills: Set(Json(step.skills.clone())),
            title: Set(step.title.clone()),
            description: Set(Large::new(step.description.clone())),
            status: Set(TicketStatus::Blocked),
            target_repo: Set(prd.target_repo.clone()),
            open_dependency_count: Set(count(step.depends_on.len())),
            created_by: Set(tx.scope().actor().name()),
            ..Default::default()
        };
        written.push(tx.insert(row, "ticket.created").await?.id);
    }
    for (position, step) in steps.iter().enumerate() {
        for dependency in &step.depends_on {
            let first = usize::try_from(*dependency)
                .ok()
                .and_then(|first| written.get(first));
            let row = ticket_dependency::ActiveModel {
                ticket_id: Set(written[position].clone()),
                depends_on_ticket_id: Set(first
                    .cloned()
                    .ok_or_else(|| Error::internal("an unchecked step"))?),
                ..Default::default()
            };
            tx.insert(row, "ticket.dependency_added").await?;
        }
    }
    Ok(())
}

mutations! { ExecutionPlanMutation {
    /// Makes a plan for an approved brief and a ticket for each of its steps. The tickets wait until the plan is approved.
    create_execution_plan(CreateExecutionPlanInput) -> CreateExecutionPlanPayload { execution_plan: ExecutionPlan };
} }
