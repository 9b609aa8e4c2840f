//! How runs fail: in passing, to be tried again after a while, or for good.

use super::{
    Held, back::free, by_itself, counted_tries, is_own_try, job::of_ticket, job_unleased, later,
    locked, must_hold,
};
use crate::{
    domain::{
        check,
        machine::{AgentJobConsequence, TicketConsequence},
        signature::signature,
    },
    error::Result,
    store::Tx,
    workflow::{decider, plan, ticket as tickets},
};
use chrono::TimeDelta;
use entity::{
    Id,
    agent_job::{self, AgentJobStatus},
    ticket,
};
use sea_orm::ActiveValue::Set;

/// How long after its first failure in passing a ticket is tried again. Each further time it is twice as long.
pub(super) const BACK_OFF: TimeDelta = TimeDelta::seconds(5);

/// The longest that is waited before another try.
const LONGEST_BACK_OFF: TimeDelta = TimeDelta::minutes(15);

/// Why a daemon could not do a job.
pub(crate) struct Failure {
    pub(crate) job: Id,
    pub(crate) attempt: i32,
    pub(crate) error: String,
    /// Whether it failed in passing: a network, a provider.
    pub(crate) is_transient: bool,
}

/// A daemon could not do a job. In passing, it is tried again after a while; else its ticket has failed, and its plan is
/// made anew or somebody is told. Sent again, the same changes nothing.
///
/// # Errors
/// [`Error::BadUserInput`](crate::Error::BadUserInput); as [`held`](super::held).
pub(crate) async fn fail(tx: &mut Tx<'_>, failure: Failure) -> Result<agent_job::Model> {
    let error = check::text("error", &failure.error, 1, 5000)?;
    decider::settings(tx).await?;
    let found = locked(tx, &failure.job).await?;
    let is_said = found.job.status == AgentJobStatus::Failed
        && is_own_try(tx, &found.job, failure.attempt)
        && found.job.error.as_ref() == Some(&error);
    if is_said {
        return Ok(found.job);
    }
    must_hold(tx, &found, failure.attempt)?;
    if !failure.is_transient || found.ticket.attempt_count >= found.ticket.max_attempts {
        return fail_for_good(tx, found, error).await;
    }
    let Held { ticket, job } = found;
    let job = job_failed(tx, &ticket, job, &error).await?;
    let waits = back_off(counted_tries(&ticket));
    let changes = ticket::ActiveModel {
        next_attempt_at: Set(Some(later(tx.now(), waits))),
        error: Set(Some(error.clone())),
        ..tickets::unclaimed()
    };
    free(tx, &ticket, changes, Some(error)).await?;
    Ok(job)
}

/// How long to wait after so many tries.
fn back_off(tries: i32) -> TimeDelta {
    let doubled = 1_i32.checked_shl(tries.saturating_sub(1).clamp(0, 20).unsigned_abs());
    let waits = BACK_OFF.checked_mul(doubled.unwrap_or(i32::MAX));
    waits.map_or(LONGEST_BACK_OFF, |waits| Ord::min(waits, LONGEST_BACK_OFF))
}

/// A job has failed, and its ticket with it.
pub(super) async fn fail_for_good(
    tx: &mut Tx<'_>,
    held: Held,
    error: String,
) -> Result<agent_job::Model> {
    let Held { ticket, job } = held;
    let job = job_failed(tx, &ticket, job, &error).await?;
    ticket_fails(tx, &ticket, error).await?;
    Ok(job)
}

/// A ticket has failed: its plan is made anew, or somebody is told.
///
/// # Errors
/// If the database fails.
pub(super) async fn ticket_fails(
    tx: &mut Tx<'_>,
    ticket: &ticket::Model,
    error: String,
) -> Result<()> {
    let changes = ticket::ActiveModel {
        error_signature: Set(Some(signature(&error))),
        error: Set(Some(error.clone())),
        completed_at: Set(Some(tx.now())),
        lease_expires_at: Set(None),
        heartbeat_at: Set(None),
        ..Default::default()
    };
    let failed = tx.take(ticket, TicketConsequence::Fail, changes).await?;
    tx.explain(error);
    by_itself(tx, |tx| {
        Box::pin(async move { plan::ticket_failed(tx, &failed).await })
    })
    .await
}

async fn job_failed(
    tx: &mut Tx<'_>,
    ticket: &ticket::Model,
    job: agent_job::Model,
    error: &str,
) -> Result<agent_job::Model> {
    let changes = agent_job::ActiveModel {
        error: Set(Some(error.to_owned())),
        completed_at: Set(Some(tx.now())),
        ..job_unleased()
    };
    let job = tx.take(&job, AgentJobConsequence::Fail, changes).await?;
    of_ticket(tx, ticket);
    tx.count_later(job.session_id.as_ref());
    Ok(job)
}
