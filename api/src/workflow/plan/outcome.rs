//! What becomes of a plan: its tickets are handed out, it is replaced, it fails, it is done.

use super::{create::planning, undue};
use crate::{
    domain::{
        machine::{ExecutionPlanConsequence, TicketConsequence},
        plan::ATTEMPTS,
    },
    error::Result,
    store::{Place, Tx},
    workflow::{agent, notice, references::all_of, ticket},
};
use entity::{
    Json, Large,
    execution_plan::{self, ExecutionPlanStatus},
    prd,
    ticket::TicketStatus,
};
use sea_orm::{ActiveEnum, ActiveValue::Set, Condition, sea_query::ExprTrait};
use serde_json::{Value, json};

/// Hands out the tickets of a plan that wait for nothing more, if it is active and neither it nor its brief is paused.
pub(in crate::workflow) async fn release(
    tx: &mut Tx<'_>,
    plan: &execution_plan::Model,
) -> Result<()> {
    if plan.status != ExecutionPlanStatus::Active || plan.paused_at.is_some() {
        return Ok(());
    }
    if tx
        .hold::<prd::Entity>(&plan.prd_id)
        .await?
        .paused_at
        .is_some()
    {
        return Ok(());
    }
    ticket::release(tx, of_plan(plan)).await
}

/// The same for the brief's plan.
pub(in crate::workflow) async fn release_of_brief(
    tx: &mut Tx<'_>,
    brief: &prd::Model,
) -> Result<()> {
    for plan in open_plans(tx, brief).await? {
        release(tx, &plan).await?;
    }
    Ok(())
}

/// The tickets of a plan.
pub(super) fn of_plan(plan: &execution_plan::Model) -> impl Fn(Place<'_>) -> Condition + use<> {
    let id = plan.id.clone();
    move |place| all_of(place.column(entity::ticket::Column::PlanId).eq(id.as_str()))
}

/// A plan with one of these has not ended, and nothing took its place.
pub(super) const OPEN: [ExecutionPlanStatus; 3] = [
    ExecutionPlanStatus::PendingApproval,
    ExecutionPlanStatus::Active,
    ExecutionPlanStatus::Failed,
];

/// The plans of a brief that are neither ended nor replaced: one at most, and one that failed.
async fn open_plans(tx: &Tx<'_>, brief: &prd::Model) -> Result<Vec<execution_plan::Model>> {
    use execution_plan::Column::{PrdId, Status};
    tx.rows::<execution_plan::Entity>(|place| {
        all_of(place.column(PrdId).eq(brief.id.as_str())).add(
            place
                .column(Status)
                .is_in(OPEN.map(|status| status.to_value())),
        )
    })
    .await
}

/// What becomes of a brief's work when the brief is superseded.
pub(in crate::workflow) async fn supersede_of_brief(
    tx: &mut Tx<'_>,
    brief: &prd::Model,
) -> Result<()> {
    for plan in open_plans(tx, brief).await? {
        tx.take(&plan, ExecutionPlanConsequence::Supersede, undue())
            .await?;
        notice::settle(tx, [&plan.id]).await?;
    }
    ticket::supersede(tx, ticket::of(&brief.id)).await
}

/// What follows when a plan was replaced: its open tickets are dropped, and the chief of staff plans again.
pub(super) async fn replaced(
    tx: &mut Tx<'_>,
    plan: &execution_plan::Model,
    why: Value,
) -> Result<()> {
    ticket::supersede(tx, of_plan(plan)).await?;
    let brief = tx.hold::<prd::Entity>(&plan.prd_id).await?;
    let parent = tx
        .get::<entity::ticket::Entity>(&plan.parent_ticket_id)
        .await?;
    let payload = planning(&brief, why);
    let changes = entity::ticket::ActiveModel {
        payload: Set(Large::new(Json(payload))),
        completed_at: Set(None),
        error: Set(None),
        ..ticket::unclaimed()
    };
    let parent = tx.take(&parent, TicketConsequence::Reopen, changes).await?;
    agent::drop_jobs(tx, std::slice::from_ref(&parent)).await?;
    if brief.paused_at.is_some() {
        ticket::hold(tx, ticket::of(&brief.id)).await?;
    }
    Ok(())
}

/// What follows when a ticket of a plan failed: another attempt, or somebody is told who must look at it.
pub(crate) async fn ticket_failed(tx: &mut Tx<'_>, failed: &entity::ticket::Model) -> Result<()> {
    if failed.plan_id.is_none() {
        return notice::ticket_failed(tx, failed).await;
    }
    let Some(plan) = &active_plan(tx, failed).await? else {
        return Ok(());
    };
    let signature = failed.error_signature.clone();
    let is_known = signature.is_some() && signature == plan.error_signature;
    let is_last = attempts_in_cycle(tx, plan).await? >= ATTEMPTS;
    let nothing = execution_plan::ActiveModel::default();
    if is_known || is_last {
        let row = tx
            .take(plan, ExecutionPlanConsequence::Escalate, nothing)
            .await?;
        let why = match is_known {
            true => format!("\"{}\" failed of what failed before.", failed.title),
            false => format!(
                "\"{}\" failed in the last of {ATTEMPTS} attempts.",
                failed.title
            ),
        };
        tx.explain(why.clone());
        ticket::hold(tx, of_plan(plan)).await?;
        return notice::escalate(tx, &row, &why).await;
    }
    let row = tx
        .take(plan, ExecutionPlanConsequence::ReplanAfterFailure, nothing)
        .await?;
    let why = json!({ "reason": failed.error, "errorSignature": signature });
    replaced(tx, &row, why).await
}

/// How many attempts a plan's cycle has so far.
async fn attempts_in_cycle(tx: &Tx<'_>, plan: &execution_plan::Model) -> Result<usize> {
    use execution_plan::Column::{Cycle, ParentTicketId};
    let attempts = tx
        .unlocked_rows::<execution_plan::Entity>(|place| {
            all_of(
                place
                    .column(ParentTicketId)
                    .eq(plan.parent_ticket_id.as_str()),
            )
            .add(place.column(Cycle).eq(plan.cycle))
        })
        .await?;
    Ok(attempts.len())
}

/// What follows when a ticket of a plan is done: those that waited for it alone are handed out, and with the last one the
/// plan is done.
pub(crate) async fn ticket_done(tx: &mut Tx<'_>, done: &entity::ticket::Model) -> Result<()> {
    ticket::unblock_dependents(tx, done).await?;
    let Some(plan) = &active_plan(tx, done).await? else {
        return Ok(());
    };
    let tickets = tx
        .unlocked_rows::<entity::ticket::Entity>(of_plan(plan))
        .await?;
    if tickets
        .iter()
        .all(|ticket| ticket.status == TicketStatus::Done)
    {
        let nothing = execution_plan::ActiveModel::default();
        return tx
            .take(plan, ExecutionPlanConsequence::Complete, nothing)
            .await
            .map(drop);
    }
    if !goes_on(&tickets) {
        return notice::stuck(tx, plan).await;
    }
    release(tx, plan).await
}

/// What follows when a ticket of a plan was stopped: if nothing of the plan can go on, somebody is told.
pub(in crate::workflow) async fn ticket_cancelled(
    tx: &mut Tx<'_>,
    cancelled: &entity::ticket::Model,
) -> Result<()> {
    match active_plan(tx, cancelled).await? {
        Some(plan) => tell_if_stuck(tx, &plan).await,
        None => Ok(()),
    }
}

/// Tells those who decide, if nothing of an active plan can go on.
pub(super) async fn tell_if_stuck(tx: &mut Tx<'_>, plan: &execution_plan::Model) -> Result<()> {
    if plan.status != ExecutionPlanStatus::Active {
        return Ok(());
    }
    let tickets = tx
        .unlocked_rows::<entity::ticket::Entity>(of_plan(plan))
        .await?;
    match goes_on(&tickets) {
        true => Ok(()),
        false => notice::stuck(tx, plan).await,
    }
}

/// Whether something is left that can be worked on, or that somebody works on, of a plan's tickets, or all of them are done.
pub(crate) fn goes_on(tickets: &[entity::ticket::Model]) -> bool {
    if tickets
        .iter()
        .all(|ticket| ticket.status == TicketStatus::Done)
    {
        return true;
    }
    tickets.iter().any(|ticket| match ticket.status {
        TicketStatus::Ready | TicketStatus::Claimed | TicketStatus::Waiting => true,
        // What is held back by a pause waits for no other.
        TicketStatus::Blocked => ticket.open_dependency_count == 0,
        _ => false,
    })
}

/// The plan of a ticket, if it is active. It is locked already: before the ticket was.
async fn active_plan(
    tx: &Tx<'_>,
    ticket: &entity::ticket::Model,
) -> Result<Option<execution_plan::Model>> {
    let Some(plan) = &ticket.plan_id else {
        return Ok(None);
    };
    let plan = tx.get::<execution_plan::Entity>(plan).await?;
    Ok(Some(plan).filter(|plan| plan.status == ExecutionPlanStatus::Active))
}
