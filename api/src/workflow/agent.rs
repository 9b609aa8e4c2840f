//! Agents: connected, given tickets, heard of, and done without when they fall silent.
//!
//! Who works on a ticket holds a lease on it, and a job that tells of the run. Every sign of life renews both. Jobs are
//! locked after their tickets, and sessions after jobs, before the commit: see `Tx::count_later`.

mod back;
mod claim;
mod failure;
mod instructions;
mod job;
mod lost;
mod outcome;
mod payload;
mod session;

pub(super) use self::back::{drop_jobs, return_jobs};
pub(crate) use self::{
    claim::{Taken, Unclaimed, Wanted, claim},
    failure::{Failure, fail},
    instructions::{Instructions, instructions},
    job::{Event, Progress, checkpoint, heard, hold as hold_job, record, report, start},
    lost::{
        end_silent_session, overdue_jobs, overdue_tickets, silent_sessions, tend_job, tend_ticket,
    },
    outcome::{Completed, Drafted, cancel, complete, release},
    session::{Registration, disconnect, drain, end_of_token, register},
};

use super::ticket as tickets;
use crate::{
    error::{Error, Result},
    store::{Place, Tx},
};
use chrono::TimeDelta;
use entity::{
    Id, Owned as _, Timestamp,
    agent_job::{self, AgentJobStatus},
    agent_session,
    ticket::{self, TicketStatus},
};
use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    sea_query::{Expr, ExprTrait},
};
use std::ops::RangeInclusive;

/// The part of the server that hands work to agents and sees to what becomes of them.
const COMPONENT: &str = "agents";

/// How much silence an agent can ask for before it counts as lost, in seconds.
pub(crate) const PATIENCE: RangeInclusive<i32> = 90..=3600;

/// For so many seconds longer than its agent may be silent, what an agent has stays its own.
const GRACE: i32 = 30;

/// After so much silence an agent counts as lost.
pub(crate) fn patience(session: &agent_session::Model) -> TimeDelta {
    TimeDelta::seconds(session.patience_seconds.into())
}

/// For how many seconds a sign of life keeps what an agent has.
fn lease_seconds(session: &agent_session::Model) -> i32 {
    session.patience_seconds + GRACE
}

/// Does what the server does by itself because of what an agent did.
async fn by_itself<R>(
    tx: &mut Tx<'_>,
    act: impl for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<R>>,
) -> Result<R> {
    tx.by_itself(COMPONENT, act).await
}

fn later(at: Timestamp, by: TimeDelta) -> Timestamp {
    Timestamp::new(at.inner() + by)
}

/// A ticket with a new lease.
fn leased(tx: &Tx<'_>, seconds: i32) -> ticket::ActiveModel {
    ticket::ActiveModel {
        lease_expires_at: Set(Some(later(tx.now(), TimeDelta::seconds(seconds.into())))),
        heartbeat_at: Set(Some(tx.now())),
        ..Default::default()
    }
}

/// A job with a new lease.
fn job_leased(tx: &Tx<'_>, seconds: i32) -> agent_job::ActiveModel {
    agent_job::ActiveModel {
        lease_expires_at: Set(Some(later(tx.now(), TimeDelta::seconds(seconds.into())))),
        lease_seconds: Set(seconds),
        ..Default::default()
    }
}

/// A job that has ended, or that nobody has.
fn job_unleased() -> agent_job::ActiveModel {
    agent_job::ActiveModel {
        lease_expires_at: Set(None),
        ..Default::default()
    }
}

/// How many tries of a ticket counted so far: those that were given back on purpose do not.
fn counted_tries(ticket: &ticket::Model) -> i32 {
    tickets::ATTEMPTS - (ticket.max_attempts - ticket.attempt_count)
}

/// A job, and the ticket that it is for, as whoever holds both sees them.
struct Held {
    ticket: ticket::Model,
    job: agent_job::Model,
}

/// A job of the actor, locked after its ticket.
///
/// # Errors
/// [`Error::NotFound`] when the actor never had it; [`Error::StaleLease`] when it has it no longer, or this is not its
/// present try.
async fn held(tx: &mut Tx<'_>, job: &Id, attempt: i32) -> Result<Held> {
    let held = locked(tx, job).await?;
    must_hold(tx, &held, attempt)?;
    Ok(held)
}

/// The same, whoever has it by now.
async fn locked(tx: &mut Tx<'_>, job: &Id) -> Result<Held> {
    let Some(found) = tx.find::<agent_job::Entity>(job).await? else {
        return Err(match had(tx, job).await? {
            true => Error::StaleLease,
            false => Error::NotFound { kind: "AgentJob" },
        });
    };
    let id = found.id.clone();
    tx.unseen(|tx| {
        Box::pin(async move {
            let ticket = tickets::lock(tx, &found.ticket_id).await?.ticket;
            let job = tx.get::<agent_job::Entity>(&id).await?;
            Ok(Held { ticket, job })
        })
    })
    .await
}

/// Refuses who does not have a job, in whichever try.
///
/// # Errors
/// [`Error::NotFound`] when the actor never had it; [`Error::StaleLease`] when it has it no longer.
pub(super) async fn has_job(tx: &mut Tx<'_>, job: &Id) -> Result<()> {
    match tx.find::<agent_job::Entity>(job).await? {
        Some(job) if is_under_way(&job) => Ok(()),
        Some(_) => Err(Error::StaleLease),
        None => had_job(tx, job).await.and(Err(Error::StaleLease)),
    }
}

/// Refuses who never had a job.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn had_job(tx: &mut Tx<'_>, job: &Id) -> Result<()> {
    if tx.find::<agent_job::Entity>(job).await?.is_some() || had(tx, job).await? {
        return Ok(());
    }
    Err(Error::NotFound { kind: "AgentJob" })
}

/// Whether the actor had a job that another agent has by now: the ledger tells that it was given to it.
async fn had(tx: &mut Tx<'_>, job: &Id) -> Result<bool> {
    use super::references::all_of;
    use entity::audit_log::{
        Column::{AgentTokenId, TargetId, TargetType},
        Entity,
    };
    let Some(token) = tx.writer().agent_token_id().cloned() else {
        return Ok(false);
    };
    let job = job.clone();
    let told = tx.unseen(|tx| {
        Box::pin(async move {
            tx.unlocked_rows_up_to::<Entity>(1, |place| {
                all_of(place.column(TargetType).eq(agent_job::Entity::KIND))
                    .add(place.column(TargetId).eq(job.as_str()))
                    .add(place.column(AgentTokenId).eq(token.as_str()))
            })
            .await
        })
    });
    Ok(!told.await?.is_empty())
}

/// Whether the actor's last try of a job was this one.
fn is_own_try(tx: &Tx<'_>, job: &agent_job::Model, attempt: i32) -> bool {
    job.agent_token_id.as_ref() == tx.writer().agent_token_id() && job.attempt == attempt
}

/// Refuses who does not have a job, or not in this try of it.
///
/// # Errors
/// [`Error::StaleLease`].
fn must_hold(tx: &Tx<'_>, held: &Held, attempt: i32) -> Result<()> {
    let Held { ticket, job } = held;
    let is_alive = job.lease_expires_at.is_some_and(|until| tx.now() < until);
    let is_its =
        ticket.claimed_by_token_id == job.agent_token_id && ticket.status == TicketStatus::Claimed;
    match is_own_try(tx, job, attempt) && is_alive && is_its && is_under_way(job) {
        true => Ok(()),
        false => Err(Error::StaleLease),
    }
}

/// A job with one of these is had by a daemon.
const UNDER_WAY: [AgentJobStatus; 2] = [AgentJobStatus::Dispatched, AgentJobStatus::InProgress];

/// Whether a daemon has it.
fn is_under_way(job: &agent_job::Model) -> bool {
    UNDER_WAY.contains(&job.status)
}

/// The same of the jobs at a place in a statement.
fn under_way(place: Place<'_>) -> Expr {
    let words = UNDER_WAY.map(|status| status.to_value());
    place.column(agent_job::Column::Status).is_in(words)
}

/// Refuses a session that was ended.
///
/// # Errors
/// [`Error::Conflict`].
fn must_be_connected(session: &agent_session::Model) -> Result<()> {
    match session.disconnected_at {
        None => Ok(()),
        Some(_) => Err(Error::Conflict(
            "This session has ended. Register with its id to take it up again.".to_owned(),
        )),
    }
}
