//! Runs that end without an outcome: given back, so that another agent may have them, or dropped with their ticket.

use super::{
    Held, by_itself,
    failure::{self, BACK_OFF},
    is_under_way,
    job::of_ticket,
    job_unleased, later, locked, tickets, under_way,
};
use crate::{
    domain::machine::{AgentJobConsequence, Step as _, TicketConsequence},
    error::Result,
    store::Tx,
    workflow::references::all_of,
};
use entity::{Id, agent_job, execution_plan, prd, ticket};
use sea_orm::{ActiveEnum, ActiveValue::Set, sea_query::ExprTrait};

/// Why a job is given back.
#[derive(Clone)]
pub(super) enum Back<'w> {
    /// Its daemon is lost. Such a try counts.
    Lost(&'w str),
    /// Its daemon leaves. Such a try does not count.
    Left(&'w str),
    /// Its daemon cannot do it now, and need not say why. Such a try does not count, and the ticket waits a moment, so that
    /// the daemon gets to others.
    Released(Option<String>),
}

/// A job can be taken by another daemon, and its ticket be claimed again. Where a lost try was the last one, the ticket has
/// failed. One that nobody has any more is left as it is. Says whether there was need.
///
/// # Errors
/// If the database fails.
pub(super) async fn give_back(tx: &mut Tx<'_>, id: &Id, back: Back<'_>) -> Result<bool> {
    let Held { ticket, job } = locked(tx, id).await?;
    if !is_under_way(&job) || ticket.status != ticket::TicketStatus::Claimed {
        return Ok(false);
    }
    let (counts, waits) = (
        matches!(back, Back::Lost(_)),
        matches!(back, Back::Released(_)),
    );
    let why = match back {
        Back::Lost(why) | Back::Left(why) => Some(why.to_owned()),
        Back::Released(why) => why,
    };
    if counts && ticket.attempt_count >= ticket.max_attempts {
        let why = why.unwrap_or_default();
        let error = format!("The last of its tries was lost. {why}");
        failure::fail_for_good(tx, Held { ticket, job }, error).await?;
        return Ok(true);
    }
    return_job(tx, &ticket, &job).await?;
    let changes = ticket::ActiveModel {
        max_attempts: Set(ticket.max_attempts + i32::from(!counts)),
        next_attempt_at: Set(waits.then(|| later(tx.now(), BACK_OFF))),
        ..tickets::unclaimed()
    };
    free(tx, &ticket, changes, why).await?;
    Ok(true)
}

/// A ticket can be claimed again, unless its brief or its plan is paused.
///
/// # Errors
/// If the database fails.
pub(super) async fn free(
    tx: &mut Tx<'_>,
    ticket: &ticket::Model,
    changes: ticket::ActiveModel,
    why: Option<String>,
) -> Result<()> {
    let ready = tx
        .take(ticket, TicketConsequence::GiveBack, changes)
        .await?;
    if let Some(why) = why {
        tx.explain(why);
    }
    by_itself(tx, |tx| {
        Box::pin(async move { tickets::hold_if_paused(tx, ready).await.map(drop) })
    })
    .await
}

/// Another daemon may have a job.
pub(super) async fn return_job(
    tx: &mut Tx<'_>,
    ticket: &ticket::Model,
    job: &agent_job::Model,
) -> Result<()> {
    let changes = agent_job::ActiveModel {
        attempt: Set(job.attempt + 1),
        progress_seq: Set(None),
        ..job_unleased()
    };
    let job = tx.take(job, AgentJobConsequence::Return, changes).await?;
    of_ticket(tx, ticket);
    tx.count_later(job.session_id.as_ref());
    Ok(())
}

/// What was begun for a ticket can be gone on with by another daemon: it was taken out of an agent's hands, or its agent
/// waits for an answer.
///
/// # Errors
/// If the database fails.
pub(in crate::workflow) async fn return_jobs(
    tx: &mut Tx<'_>,
    ticket: &ticket::Model,
) -> Result<()> {
    use agent_job::Column::TicketId;
    let of = ticket.id.clone();
    let jobs = tx.unseen(|tx| {
        Box::pin(async move {
            tx.rows::<agent_job::Entity>(|place| {
                all_of(place.column(TicketId).eq(of.as_str())).add(under_way(place))
            })
            .await
        })
    });
    for job in jobs.await? {
        return_job(tx, ticket, &job).await?;
    }
    Ok(())
}

/// Nobody needs what is done for these tickets, which have ended.
///
/// # Errors
/// If the database fails.
pub(in crate::workflow) async fn drop_jobs(tx: &mut Tx<'_>, ended: &[ticket::Model]) -> Result<()> {
    use agent_job::Column::{Status, TicketId};
    let Some(first) = ended.first() else {
        return Ok(());
    };
    let ids: Vec<&str> = ended.iter().map(|ticket| ticket.id.as_str()).collect();
    let open = AgentJobConsequence::Drop.rule().from;
    let jobs = tx
        .rows::<agent_job::Entity>(|place| {
            all_of(place.is_any_of(TicketId, &ids)).add(
                place
                    .column(Status)
                    .is_in(open.iter().map(ActiveEnum::to_value)),
            )
        })
        .await?;
    for job in jobs.iter().filter(|job| is_under_way(job)) {
        tx.count_later(job.session_id.as_ref());
    }
    let changes = agent_job::ActiveModel {
        completed_at: Set(Some(tx.now())),
        ..job_unleased()
    };
    let dropped = tx
        .take_each(&jobs, AgentJobConsequence::Drop, changes)
        .await?;
    // They are of one brief, or it is one ticket.
    tx.belong_to(dropped.len(), &first.project_id, first.prd_id.as_ref());
    Ok(())
}

/// Locks tickets with all that is locked before them, each kind in the order of its ids, for whoever is about to give back
/// several.
///
/// # Errors
/// If the database fails.
pub(super) async fn lock_all(tx: &Tx<'_>, ids: &[Id]) -> Result<()> {
    if ids.len() < 2 {
        return Ok(());
    }
    let ids: Vec<&str> = ids.iter().map(Id::as_str).collect();
    let found = tx
        .unlocked_rows::<ticket::Entity>(|place| all_of(place.is_any_of(ticket::Column::Id, &ids)))
        .await?;
    let briefs: Vec<&str> = { found.iter() }
        .filter_map(|ticket| ticket.prd_id.as_ref().map(Id::as_str))
        .collect();
    let plans: Vec<&str> = { found.iter() }
        .filter_map(|ticket| ticket.plan_id.as_ref().map(Id::as_str))
        .collect();
    tx.held_rows::<prd::Entity>(|place| all_of(place.is_any_of(prd::Column::Id, &briefs)))
        .await?;
    tx.rows::<execution_plan::Entity>(|place| {
        all_of(place.is_any_of(execution_plan::Column::Id, &plans))
    })
    .await?;
    tx.rows::<ticket::Entity>(|place| all_of(place.is_any_of(ticket::Column::Id, &ids)))
        .await
        .map(drop)
}
