//! Runs: begun, heard of, and written about.

use super::{
    Held, held, is_under_way, job_leased, lease_seconds, leased, must_be_connected, under_way,
};
use crate::{
    domain::{check, machine::AgentJobConsequence},
    error::{Error, Result},
    store::Tx,
    workflow::references::all_of,
};
use entity::{
    Id, Json, Large,
    agent_job::{self, AgentJobStatus},
    agent_job_event::{self, AgentJobEventKind},
    agent_session, ticket,
};
use sea_orm::{ActiveEnum, ActiveValue::Set, sea_query::ExprTrait};
use serde_json::Value;

/// The most entries that one try of a run writes into its journal.
const MOST_EVENTS: u64 = 2000;

/// The most characters of JSON that a daemon hands over at once.
const LONGEST_JSON: u64 = 200_000;

/// The most characters of JSON that belong to an entry of a journal.
const LONGEST_DATA: u64 = 20_000;

/// The daemon begins with a job. One that was begun stays as it is.
///
/// # Errors
/// As [`held`].
pub(crate) async fn start(tx: &mut Tx<'_>, id: &Id, attempt: i32) -> Result<agent_job::Model> {
    let Held { ticket, job } = held(tx, id, attempt).await?;
    if job.status == AgentJobStatus::InProgress {
        return Ok(job);
    }
    let changes = agent_job::ActiveModel {
        acked_at: Set(Some(tx.now())),
        started_at: Set(Some(tx.now())),
        reported_at: Set(Some(tx.now())),
        ..job_leased(tx, job.lease_seconds)
    };
    let job = tx.take(&job, AgentJobConsequence::Start, changes).await?;
    of_ticket(tx, &ticket);
    tx.update_untold(&ticket, leased(tx, job.lease_seconds))
        .await?;
    Ok(job)
}

/// A job that the actor has, with its ticket, locked: for what else it does about them.
///
/// # Errors
/// As [`held`].
pub(crate) async fn hold(tx: &mut Tx<'_>, id: &Id, attempt: i32) -> Result<ticket::Model> {
    Ok(held(tx, id, attempt).await?.ticket)
}

/// Says of the entry just made, about a job, that it belongs to the ticket's brief.
pub(super) fn of_ticket(tx: &mut Tx<'_>, ticket: &ticket::Model) {
    tx.belong_to(1, &ticket.project_id, ticket.prd_id.as_ref());
}

/// A session is alive, and has these jobs. Renews the leases of those that it does have; returns the session, and those
/// of the named jobs that it has no longer.
///
/// # Errors
/// [`Error::NotFound`] when it is none of the token's; [`Error::Conflict`] when it was ended.
pub(crate) async fn heard(
    tx: &mut Tx<'_>,
    session: &Id,
    jobs: &[Id],
) -> Result<(agent_session::Model, Vec<Id>)> {
    use agent_job::Column::{Id as JobId, LeaseExpiresAt, SessionId};
    let ids: Vec<&str> = jobs.iter().map(Id::as_str).collect();
    let found = tx
        .unlocked_rows::<agent_job::Entity>(|place| {
            all_of(place.is_any_of(JobId, &ids))
                .add(place.column(SessionId).eq(session.as_str()))
                .add(place.column(LeaseExpiresAt).gt(tx.now()))
                .add(under_way(place))
        })
        .await?;
    let of: Vec<&str> = found.iter().map(|job| job.ticket_id.as_str()).collect();
    // Locked in the order of all: tickets, then jobs, then the session.
    let claimed = tx
        .rows::<ticket::Entity>(|place| {
            let claimed = ticket::TicketStatus::Claimed.to_value();
            all_of(place.is_any_of(ticket::Column::Id, &of))
                .add(place.column(ticket::Column::Status).eq(claimed))
        })
        .await?;
    let mine: Vec<&str> = found.iter().map(|job| job.id.as_str()).collect();
    let alive = tx
        .rows::<agent_job::Entity>(|place| {
            all_of(place.is_any_of(JobId, &mine))
                .add(place.column(SessionId).eq(session.as_str()))
                .add(place.column(LeaseExpiresAt).gt(tx.now()))
        })
        .await?;
    let alive: Vec<_> = { alive.into_iter() }
        .filter(|job| is_under_way(job) && claimed.iter().any(|of| of.id == job.ticket_id))
        .collect();
    let before = tx.get_gently::<agent_session::Entity>(session).await?;
    must_be_connected(&before)?;
    let claimed: Vec<_> = { claimed.into_iter() }
        .filter(|of| alive.iter().any(|job| job.ticket_id == of.id))
        .collect();
    let seconds = lease_seconds(&before);
    tx.update_each_untold::<ticket::Entity, _>(&claimed, leased(tx, seconds))
        .await?;
    tx.update_each_untold::<agent_job::Entity, _>(&alive, job_leased(tx, seconds))
        .await?;
    let seen = agent_session::ActiveModel {
        last_ping_at: Set(tx.now()),
        ..Default::default()
    };
    let session = tx.update_untold(&before, seen).await?;
    let lost = jobs
        .iter()
        .filter(|id| !alive.iter().any(|job| job.id == **id));
    Ok((session, lost.cloned().collect()))
}

/// How far a job has come.
pub(crate) struct Progress {
    /// None for the next one.
    pub(crate) seq: Option<i32>,
    pub(crate) percent: Option<i32>,
    pub(crate) message: Option<String>,
}

/// The daemon says how far it has come. What it said before, or says late, changes nothing.
///
/// # Errors
/// [`Error::BadUserInput`]; as [`held`].
pub(crate) async fn report(
    tx: &mut Tx<'_>,
    id: &Id,
    attempt: i32,
    progress: Progress,
) -> Result<agent_job::Model> {
    if !(0..=100).contains(&progress.percent.unwrap_or_default()) {
        return Err(Error::bad_input("percent", "must be from 0 to 100"));
    }
    let message = progress.message.as_deref();
    let message = message.map(|text| check::text("message", text, 1, 500));
    let message = message.transpose()?;
    let Held { ticket, job } = held(tx, id, attempt).await?;
    let last = job.progress_seq;
    let seq = { progress.seq }.unwrap_or_else(|| last.map_or(1, |last| last.saturating_add(1)));
    let is_late = progress.seq.is_some() && last.is_some_and(|last| seq <= last);
    let alive = agent_job::ActiveModel {
        reported_at: Set(Some(tx.now())),
        ..job_leased(tx, job.lease_seconds)
    };
    let changes = match is_late {
        true => alive,
        false => agent_job::ActiveModel {
            progress_seq: Set(Some(seq)),
            progress_percent: Set(progress.percent.or(job.progress_percent)),
            progress_message: Set(message.or(job.progress_message.clone())),
            ..alive
        },
    };
    tx.update_untold(&ticket, leased(tx, job.lease_seconds))
        .await?;
    tx.update_untold(&job, changes).await
}

/// An entry for a run's journal.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) seq: i32,
    pub(crate) kind: AgentJobEventKind,
    pub(crate) text: String,
    pub(crate) data: Option<Value>,
}

/// The daemon writes into a run's journal, where each try counts from 1. What its try wrote already is left as it is, so that
/// the same can be sent again.
///
/// # Errors
/// [`Error::BadUserInput`] when an entry leaves a gap; [`Error::LimitExceeded`] when the journal is full; as [`held`].
pub(crate) async fn record(
    tx: &mut Tx<'_>,
    id: &Id,
    attempt: i32,
    events: Vec<Event>,
) -> Result<agent_job::Model> {
    use agent_job_event::Column::{Attempt, JobId, Seq};
    let Held { ticket, job } = held(tx, id, attempt).await?;
    let of_job = job.id.clone();
    let last = tx.unseen(|tx| {
        Box::pin(async move {
            tx.last_row::<agent_job_event::Entity>(Seq, |place| {
                all_of(place.column(JobId).eq(of_job.as_str()))
                    .add(place.column(Attempt).eq(attempt))
            })
            .await
        })
    });
    let mut last = last.await?.map_or(0, |event| event.seq);
    let mut before = 0;
    let mut rows = Vec::new();
    for (place, event) in events.into_iter().enumerate() {
        if event.seq <= before {
            return Err(Error::bad_input(
                format!("events[{place}].seq"),
                "is not above the one before it; the first of a try is 1",
            ));
        }
        before = event.seq;
        if event.seq <= last {
            continue;
        }
        if event.seq != last + 1 {
            return Err(Error::bad_input(
                format!("events[{place}].seq"),
                format!(
                    "leaves a gap: the journal's next entry is number {}",
                    last + 1
                ),
            ));
        }
        last = event.seq;
        Error::within(
            "The number of entries that one try writes into a run's journal",
            MOST_EVENTS,
            u64::from(last.unsigned_abs()),
        )?;
        let text = check::text(&format!("events[{place}].text"), &event.text, 1, 4000)?;
        let data = event
            .data
            .map(|data| within(&format!("events[{place}].data"), data, LONGEST_DATA));
        rows.push(agent_job_event::ActiveModel {
            job_id: Set(job.id.clone()),
            agent_token_id: Set(job.agent_token_id.clone()),
            seq: Set(event.seq),
            attempt: Set(job.attempt),
            kind: Set(event.kind),
            text: Set(text),
            data: Set(Large(data.transpose()?.map(Json))),
            ..Default::default()
        });
    }
    tx.insert_all_untold(rows).await?;
    alive(tx, &ticket, &job).await
}

/// The daemon keeps where it is, for whoever goes on after it.
///
/// # Errors
/// [`Error::BadUserInput`] when it is too long; as [`held`].
pub(crate) async fn checkpoint(
    tx: &mut Tx<'_>,
    id: &Id,
    attempt: i32,
    at: Value,
) -> Result<agent_job::Model> {
    let at = short("checkpoint", at)?;
    let Held { ticket, job } = held(tx, id, attempt).await?;
    let changes = agent_job::ActiveModel {
        checkpoint: Set(Large(Some(Json(at)))),
        ..job_leased(tx, job.lease_seconds)
    };
    let job = tx.update_untold(&job, changes).await?;
    alive(tx, &ticket, &job).await
}

/// A job is heard of.
async fn alive(
    tx: &mut Tx<'_>,
    ticket: &ticket::Model,
    job: &agent_job::Model,
) -> Result<agent_job::Model> {
    let changes = agent_job::ActiveModel {
        reported_at: Set(Some(tx.now())),
        ..job_leased(tx, job.lease_seconds)
    };
    tx.update_untold(ticket, leased(tx, job.lease_seconds))
        .await?;
    tx.update_untold(job, changes).await
}

/// JSON that is not too long.
pub(super) fn short(field: &str, value: Value) -> Result<Value> {
    within(field, value, LONGEST_JSON)
}

fn within(field: &str, value: Value, most: u64) -> Result<Value> {
    let length = value.to_string().chars().count();
    match check::wrong_length(0, most, length as u64) {
        Some(reason) => Err(Error::bad_input(field, reason)),
        None => Ok(value),
    }
}
