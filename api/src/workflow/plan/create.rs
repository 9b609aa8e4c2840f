//! Plans that are made, and the ticket of the chief of staff under which they hang.

use super::outcome::OPEN;
use crate::{
    domain::{
        check,
        count::count,
        machine::{ExecutionPlanStep, TicketConsequence},
        plan::{CHIEF_OF_STAFF, check_steps, fallback, trimmed},
    },
    error::{Error, Result, named},
    store::Tx,
    workflow::{
        agent, brief, decider, notice,
        references::{Reach, all_of, reach},
        rule, ticket,
    },
};
use entity::{
    BigInt, Id, Json, Large,
    execution_plan::{self, ExecutionPlanStatus, PlanStep},
    prd::{self, PrdStatus},
    ticket::TicketStatus,
    ticket_dependency,
};
use sea_orm::{ActiveValue::Set, sea_query::ExprTrait};
use serde_json::{Value, json};

/// A plan that somebody made.
#[derive(Debug)]
pub(crate) struct NewPlan {
    pub(crate) channel_summary: String,
    /// None where nobody could make any: then it has one, for the brief as a whole.
    pub(crate) steps: Option<Vec<PlanStep>>,
    pub(crate) estimated_tokens: Option<i64>,
    pub(crate) estimated_cost_micros: Option<i64>,
    /// How it was made: the model, what critics thought of it, why it takes another's place.
    pub(crate) drafted: execution_plan::ActiveModel,
}

/// Writes a plan for an approved brief, with a ticket for each step. A rule of the workspace may approve it at once; else
/// those who decide are told.
///
/// # Errors
/// [`Error::BadUserInput`] naming what is wrong with a step; [`Error::Conflict`] when the brief is not approved or has an
/// open plan.
pub(crate) async fn create_plan(
    tx: &mut Tx<'_>,
    brief: &Id,
    new: NewPlan,
) -> Result<execution_plan::Model> {
    let summary = check::text("channelSummary", &new.channel_summary, 1, 2000)?;
    let steps = new.steps.map(trimmed).transpose()?;
    let settings = decider::settings(tx).await?;
    let brief = brief::lock(tx, brief).await?;
    if brief.status != PrdStatus::Approved {
        return Err(Error::Conflict(format!(
            "Only an approved brief gets a plan; this one is {}.",
            named(brief.status)
        )));
    }
    let is_fallback = steps.is_none();
    let steps = steps.unwrap_or_else(|| vec![fallback(&brief.title, &brief.summary)]);
    let Reach { means, rules_may } = reach(tx, &steps).await?;
    if is_fallback && !means.roles.contains(&steps[0].role_slug) {
        return Err(Error::Conflict(format!(
            "Without steps the role `{}` carries the brief out as a whole, and it is not active.",
            steps[0].role_slug
        )));
    }
    check_steps(&steps, &means)?;
    let earlier = tx
        .rows::<execution_plan::Entity>(|place| {
            let of_brief = place.column(execution_plan::Column::PrdId);
            all_of(of_brief.eq(brief.id.as_str()))
        })
        .await?;
    if let Some(open) = earlier.iter().find(|plan| OPEN.contains(&plan.status)) {
        let ends = match open.status {
            ExecutionPlanStatus::Failed => "Retry or cancel that one first",
            ExecutionPlanStatus::PendingApproval => "Redirect, replan or cancel that one first",
            _ => "Replan or cancel that one first",
        };
        return Err(Error::Conflict(format!(
            "The plan of attempt {} for this brief is {}. {ends}.",
            open.attempt,
            named(open.status)
        )));
    }
    let parent = chief_ticket(tx, &brief).await?;
    let asked = tx.whole::<entity::ticket::Entity>(&parent).await?.payload.0;
    let asked = asked.map_or(Value::Null, |payload| payload.0);
    let cycle = earlier.iter().map(|plan| plan.cycle).max().unwrap_or(1);
    let asked_cycle = asked["cycle"].as_i64().map_or(1, count);
    let text = |field: &str| asked[field].as_str().map(str::to_owned);
    let row = execution_plan::ActiveModel {
        approval_due_at: Set(decider::due(tx, &settings)),
        prd_id: Set(brief.id.clone()),
        project_id: Set(brief.project_id.clone()),
        parent_ticket_id: Set(parent.id.clone()),
        attempt: Set(earlier.iter().map(|plan| plan.attempt).max().unwrap_or(0) + 1),
        cycle: Set(Ord::max(cycle, asked_cycle)),
        status: Set(ExecutionPlanStatus::PendingApproval),
        step_count: Set(count(steps.len())),
        steps: Set(Large::new(Json(steps.clone()))),
        is_fallback: Set(is_fallback),
        channel_summary: Set(summary),
        replan_reason: match new.drafted.replan_reason {
            Set(reason) => Set(reason.or_else(|| text("reason"))),
            _ => Set(text("reason")),
        },
        error_signature: Set(text("errorSignature")),
        graph_content_hash: Set(graph_hash(tx, &brief.project_id).await?),
        estimated_tokens: Set(new.estimated_tokens.map(BigInt)),
        estimated_cost_micros: Set(new.estimated_cost_micros.map(BigInt)),
        ..new.drafted
    };
    let plan = tx.insert(row, "plan.created").await?;
    write_tickets(tx, &brief, &plan, &parent, steps).await?;
    if parent.status != TicketStatus::Done {
        let changes = entity::ticket::ActiveModel {
            // What was asked for is made; the next time something else is.
            payload: Set(Large::new(Json(planning(&brief, Value::Null)))),
            completed_at: Set(Some(tx.now())),
            ..ticket::unclaimed()
        };
        let parent = tx.take(&parent, TicketConsequence::Plan, changes).await?;
        agent::drop_jobs(tx, std::slice::from_ref(&parent)).await?;
    }
    // Who may not decide states no cost by which a rule then does.
    let rules_may = rules_may && decider::is_trusted(tx);
    match rule::for_plan(&settings, &plan, rules_may) {
        Some(rule) => rule::decide(tx, ExecutionPlanStep::Approve, plan, rule).await,
        None => {
            notice::ask_to_decide_plan(tx, &settings, &plan, &brief).await?;
            Ok(plan)
        }
    }
}

/// Whether a ticket asks for the plan of its brief.
pub(in crate::workflow) fn is_asked_for(ticket: &entity::ticket::Model) -> bool {
    ticket.role_slug == CHIEF_OF_STAFF && ticket.prd_id.is_some() && ticket.plan_id.is_none()
}

/// What the project's code looked like.
async fn graph_hash(tx: &Tx<'_>, project: &Id) -> Result<Option<String>> {
    use entity::project_graph::{Column, Entity};
    let found = tx
        .unlocked_rows::<Entity>(|place| {
            all_of(place.column(Column::ProjectId).eq(project.as_str()))
        })
        .await?;
    Ok(found.into_iter().next().map(|graph| graph.content_hash))
}

/// The brief's ticket for the chief of staff, under which all of its plans hang. There is one at most.
pub(in crate::workflow) async fn chief_ticket(
    tx: &mut Tx<'_>,
    brief: &prd::Model,
) -> Result<entity::ticket::Model> {
    let asked = ticket::loose_for(&brief.id, CHIEF_OF_STAFF);
    let found = tx.rows::<entity::ticket::Entity>(asked).await?;
    if let Some(ticket) = found.into_iter().next() {
        return Ok(ticket);
    }
    let row = entity::ticket::ActiveModel {
        role_slug: Set(CHIEF_OF_STAFF.to_owned()),
        title: Set(ticket::title("Plan", &brief.title)),
        description: Set(Large::new(brief.summary.clone())),
        payload: Set(Large::new(Json(planning(brief, Value::Null)))),
        status: Set(ticket::free(brief)),
        ..ticket::of_brief(tx, brief)
    };
    tx.insert(row, "ticket.created").await
}

/// What the chief of staff is given.
pub(super) fn planning(brief: &prd::Model, why: Value) -> Value {
    let mut payload = json!({ "action": "plan_brief", "prdId": brief.id });
    if let (Some(payload), Value::Object(why)) = (payload.as_object_mut(), why) {
        payload.extend(why);
    }
    payload
}

/// One ticket a step, blocked until the plan is approved, with its dependencies.
async fn write_tickets(
    tx: &mut Tx<'_>,
    brief: &prd::Model,
    plan: &execution_plan::Model,
    parent: &entity::ticket::Model,
    steps: Vec<PlanStep>,
) -> Result<()> {
    let row = |(position, step): (usize, &PlanStep)| entity::ticket::ActiveModel {
        plan_id: Set(Some(plan.id.clone())),
        step_index: Set(Some(count(position))),
        parent_ticket_id: Set(Some(parent.id.clone())),
        role_slug: Set(step.role_slug.clone()),
        subagent_slug: Set(step.subagent_slug.clone()),
        skills: Set(Json(step.skills.clone())),
        title: Set(step.title.clone()),
        description: Set(Large::new(step.description.clone())),
        status: Set(TicketStatus::Blocked),
        open_dependency_count: Set(count(step.depends_on.len())),
        ..ticket::of_brief(tx, brief)
    };
    let rows = steps.iter().enumerate().map(row).collect();
    let written = tx.insert_all(rows, "ticket.created").await?;
    let mut dependencies = Vec::new();
    for (ticket, step) in written.iter().zip(&steps) {
        for first in &step.depends_on {
            let first = usize::try_from(*first)
                .ok()
                .and_then(|first| written.get(first));
            let first = first.ok_or_else(|| Error::internal("an unchecked step"))?;
            dependencies.push(ticket_dependency::ActiveModel {
                ticket_id: Set(ticket.id.clone()),
                depends_on_ticket_id: Set(first.id.clone()),
                ..Default::default()
            });
        }
    }
    let number = dependencies.len();
    tx.insert_all(dependencies, "ticket.dependency_added")
        .await?;
    tx.belong_to(number, &brief.project_id, Some(&brief.id));
    Ok(())
}
