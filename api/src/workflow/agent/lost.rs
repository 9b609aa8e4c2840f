//! What becomes of work whose agent fell silent, takes too long, or never came.

use super::{
    Held, PATIENCE, UNDER_WAY,
    back::{Back, free, give_back},
    failure::{fail_for_good, ticket_fails},
    is_under_way,
    job::of_ticket,
    job_unleased, later, locked, patience,
    session::{End, end},
};
use crate::{
    domain::machine::AgentJobConsequence,
    error::{Error, Result},
    store::Tx,
    workflow::{decider, references::all_of, ticket as tickets},
};
use chrono::TimeDelta;
use entity::{
    Id, Timestamp,
    agent_job::{self, AgentJobStatus},
    agent_session,
    ticket::{self, TicketStatus},
};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    Condition,
    sea_query::{Expr, ExprTrait},
};

/// How long a daemon has to begin with a job.
const UNACKNOWLEDGED: TimeDelta = TimeDelta::minutes(5);

/// After so long without a word of a job it has failed, though its daemon is alive.
const UNREPORTED: TimeDelta = TimeDelta::minutes(60);

/// After so long a job that no daemon takes has failed.
const UNTAKEN: TimeDelta = TimeDelta::hours(24);

fn ago(now: Timestamp, time: TimeDelta) -> Timestamp {
    later(now, -time)
}

/// Which sessions are silent, perhaps no longer than they may be.
pub(crate) fn silent_sessions(now: Timestamp) -> Condition {
    use agent_session::Column::{DisconnectedAt, LastPingAt};
    let least = TimeDelta::seconds((*PATIENCE.start()).into());
    all_of(Expr::col(DisconnectedAt).is_null()).add(Expr::col(LastPingAt).lte(ago(now, least)))
}

/// Ends a session that is silent. Says whether there was need.
pub(crate) async fn end_silent_session(tx: &mut Tx<'_>, id: &Id) -> Result<bool> {
    let found = tx.find::<agent_session::Entity>(id).await?;
    let silent = found.filter(|session| {
        session.disconnected_at.is_none()
            && session.last_ping_at <= ago(tx.now(), patience(session))
    });
    match silent {
        Some(session) => {
            let why = format!("It was silent for {} seconds.", session.patience_seconds);
            end(tx, &session.id, End::Silent(&why)).await?;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Which tickets nobody holds any more, or can be tried again by now.
pub(crate) fn overdue_tickets(now: Timestamp) -> Condition {
    use ticket::Column::{LeaseExpiresAt, NextAttemptAt, Status};
    let is = |status: TicketStatus| Expr::col(Status).eq(status.to_value());
    Condition::any()
        .add(is(TicketStatus::Claimed).and(Expr::col(LeaseExpiresAt).lte(now)))
        .add(is(TicketStatus::Ready).and(Expr::col(NextAttemptAt).lte(now)))
}

/// Why a ticket is handed out again whose lease ran out.
const UNHEARD: &str = "Nothing was heard of its agent until its lease ran out.";

/// Sees to such a ticket. Says whether there was need.
pub(crate) async fn tend_ticket(tx: &mut Tx<'_>, id: &Id) -> Result<bool> {
    decider::settings(tx).await?;
    let ticket = tickets::lock(tx, id).await?.ticket;
    let now = tx.now();
    let is_over = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    match ticket.status {
        TicketStatus::Claimed if is_over(ticket.lease_expires_at) => {
            match open_job(tx, &ticket).await? {
                Some(job) => give_back(tx, &job.id, Back::Lost(UNHEARD)).await,
                None => without_job(tx, ticket, UNHEARD).await.map(|()| true),
            }
        }
        TicketStatus::Ready if is_over(ticket.next_attempt_at) => {
            let changes = ticket::ActiveModel {
                next_attempt_at: Set(None),
                ..Default::default()
            };
            tx.update(&ticket, changes, "ticket.ready").await?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// The job that somebody has for a ticket.
async fn open_job(tx: &Tx<'_>, ticket: &ticket::Model) -> Result<Option<agent_job::Model>> {
    let of_ticket = agent_job::Column::TicketId;
    let jobs = tx
        .unlocked_rows::<agent_job::Entity>(|place| {
            all_of(place.column(of_ticket).eq(ticket.id.as_str()))
        })
        .await?;
    Ok(jobs.into_iter().find(is_under_way))
}

/// A ticket that a worker of the server had, which runs no job.
async fn without_job(tx: &mut Tx<'_>, ticket: ticket::Model, why: &str) -> Result<()> {
    if ticket.attempt_count < ticket.max_attempts {
        return free(tx, &ticket, tickets::unclaimed(), Some(why.to_owned())).await;
    }
    ticket_fails(tx, &ticket, why.to_owned()).await
}

/// Which jobs were not begun in time, are not reported of, take too long, or are taken by nobody.
pub(crate) fn overdue_jobs(now: Timestamp) -> Condition {
    use agent_job::Column::{DeadlineAt, DispatchedAt, ReportedAt, Status, UpdatedAt};
    let is = |status: AgentJobStatus| Expr::col(Status).eq(status.to_value());
    let under_way = Expr::col(Status).is_in(UNDER_WAY.map(|status| status.to_value()));
    let since = |time| ago(now, time);
    Condition::any()
        .add(is(AgentJobStatus::Dispatched).and(Expr::col(DispatchedAt).lte(since(UNACKNOWLEDGED))))
        .add(is(AgentJobStatus::InProgress).and(Expr::col(ReportedAt).lte(since(UNREPORTED))))
        .add(under_way.and(Expr::col(DeadlineAt).lte(now)))
        .add(is(AgentJobStatus::Pending).and(Expr::col(UpdatedAt).lte(since(UNTAKEN))))
}

/// Sees to such a job. Says whether there was need.
pub(crate) async fn tend_job(tx: &mut Tx<'_>, id: &Id) -> Result<bool> {
    decider::settings(tx).await?;
    let held = locked(tx, id).await?;
    let (job, now) = (&held.job, tx.now());
    let is_past = |at: Option<Timestamp>, time| at.is_some_and(|at| at <= ago(now, time));
    let lease = held.ticket.lease_expires_at;
    match job.status {
        // Whoever is gone has not failed, whichever of the times they left behind is looked at first.
        AgentJobStatus::Dispatched | AgentJobStatus::InProgress
            if is_past(lease, TimeDelta::zero()) =>
        {
            give_back(tx, id, Back::Lost(UNHEARD)).await
        }
        AgentJobStatus::Dispatched | AgentJobStatus::InProgress
            if is_past(job.deadline_at, TimeDelta::zero()) =>
        {
            fail_if_held(tx, held, "timeout").await
        }
        AgentJobStatus::Dispatched if is_past(job.dispatched_at, UNACKNOWLEDGED) => {
            let why = "Its agent did not begin within 5 minutes.";
            give_back(tx, id, Back::Lost(why)).await
        }
        AgentJobStatus::InProgress if is_past(job.reported_at, UNREPORTED) => {
            fail_if_held(tx, held, "Nothing was reported for 60 minutes.").await
        }
        AgentJobStatus::Pending
            if is_past(Some(job.updated_at), UNTAKEN)
                && held.ticket.status == TicketStatus::Ready =>
        {
            let changes = agent_job::ActiveModel {
                error: Set(Some("No agent took it within 24 hours.".to_owned())),
                completed_at: Set(Some(now)),
                ..job_unleased()
            };
            tx.take(job, AgentJobConsequence::Fail, changes).await?;
            of_ticket(tx, &held.ticket);
            Ok(true)
        }
        _ => Ok(false),
    }
}

async fn fail_if_held(tx: &mut Tx<'_>, held: Held, error: &str) -> Result<bool> {
    if held.ticket.status != TicketStatus::Claimed {
        return Err(Error::internal(
            "a job under way whose ticket is not claimed",
        ));
    }
    fail_for_good(tx, held, error.to_owned())
        .await
        .map(|_| true)
}
