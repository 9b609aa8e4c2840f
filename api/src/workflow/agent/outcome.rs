//! How runs end that do not fail: done, given back, or taken away.

use super::{
    Held,
    back::{Back, free, give_back},
    by_itself, held, is_own_try, is_under_way,
    job::{of_ticket, short},
    job_unleased, locked, must_hold,
};
use crate::{
    domain::{
        canonical::canonical,
        check,
        digest::sha256,
        machine::{AgentJobConsequence, AgentJobStep, TicketConsequence},
    },
    error::{Error, Result},
    store::Tx,
    workflow::{
        NewPlan, brief, create_plan, decider, notice, plan,
        ticket::{self as tickets, is_for_analyst},
    },
};
use entity::{
    Id, Json, Large,
    agent_job::{self, AgentJobStatus},
    prd, project,
    ticket::{self, WaitingReason},
};
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};

/// What a daemon hands in.
pub(crate) struct Completed {
    pub(crate) job: Id,
    pub(crate) attempt: i32,
    pub(crate) result: Option<Value>,
    pub(crate) pr_url: Option<String>,
    pub(crate) confidence: f64,
    /// What was asked for where that is no result of its own.
    pub(crate) drafted: Option<Drafted>,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) enum Drafted {
    /// A brief, in these words.
    Brief(Box<prd::ActiveModel>),
    /// A plan for the ticket's brief.
    Plan(Box<NewPlan>),
}

impl Drafted {
    /// The input's field that it stands in.
    fn kind(&self) -> &'static str {
        match self {
            Self::Brief(_) => "brief",
            Self::Plan(_) => "plan",
        }
    }
}

/// A daemon hands in what came of a job. Its ticket is done, or waits for somebody who approves the result. Sent again,
/// the same changes nothing.
///
/// # Errors
/// [`Error::BadUserInput`] when it is not what was asked for; as [`held`].
pub(crate) async fn complete(tx: &mut Tx<'_>, done: Completed) -> Result<agent_job::Model> {
    if !(0.0..=1.0).contains(&done.confidence) {
        return Err(Error::bad_input("confidence", "must be from 0 to 1"));
    }
    let result = { done.result }.map(|result| short("result", result));
    let result = match (&done.drafted, result.transpose()?) {
        (Some(drafted), result) => Some(receipt(drafted, result)),
        (None, result) => result,
    };
    let pr_url = { done.pr_url }.map(|url| check::web_address("prUrl", &url, 500));
    let pr_url = pr_url.transpose()?;
    decider::settings(tx).await?;
    if done.drafted.is_some() {
        lock_brief(tx, &done.job).await?;
    }
    let found = locked(tx, &done.job).await?;
    if found.job.status == AgentJobStatus::Done && is_own_try(tx, &found.job, done.attempt) {
        let is_same = is_same(tx, &found.job, result.as_ref()).await? && found.job.pr_url == pr_url;
        return match is_same {
            true => Ok(found.job),
            false => Err(Error::Conflict(
                "This job is done, with another result.".to_owned(),
            )),
        };
    }
    must_hold(tx, &found, done.attempt)?;
    let Held { ticket, job } = found;
    must_be_asked_for(&ticket, done.drafted.as_ref())?;
    let job = begun(tx, &ticket, job).await?;
    let changes = agent_job::ActiveModel {
        result: Set(Large(result.clone().map(Json))),
        pr_url: Set(pr_url),
        progress_percent: Set(Some(100)),
        completed_at: Set(Some(tx.now())),
        ..job_unleased()
    };
    let job = tx.take(&job, AgentJobConsequence::Finish, changes).await?;
    of_ticket(tx, &ticket);
    tx.count_later(job.session_id.as_ref());
    match done.drafted {
        Some(Drafted::Plan(new)) => {
            // The ticket ends by the plan.
            let brief = ticket
                .prd_id
                .ok_or_else(|| Error::internal("a plan for no brief"))?;
            tx.unseen(|tx| Box::pin(async move { create_plan(tx, &brief, *new).await.map(drop) }))
                .await?;
        }
        Some(Drafted::Brief(words)) => {
            finish(tx, ticket.clone(), result, done.confidence, false).await?;
            let (of, confidence) = (job.clone(), done.confidence);
            tx.unseen(|tx| {
                Box::pin(async move {
                    let given = [agent_job::Column::Payload];
                    let given = tx.with_columns::<agent_job::Entity>(&of, &given).await?;
                    let given = given.payload.0;
                    let given = given.map_or(Value::Null, |given| given.0);
                    brief::drafted(tx, &ticket, &given, *words, confidence).await
                })
            })
            .await?;
        }
        None => {
            let holds = ticket.requires_approval;
            finish(tx, ticket, result, done.confidence, holds).await?;
        }
    }
    Ok(job)
}

/// What is kept as the result of a job that drafted something, by which the same is known when it is sent again.
fn receipt(drafted: &Drafted, result: Option<Value>) -> Value {
    let kind = drafted.kind();
    json!({ "drafted": kind, "sha256": sha256(format!("{drafted:?}")), "result": result })
}

/// Locks the brief of a job of the actor's own to change it, before its ticket is locked.
async fn lock_brief(tx: &mut Tx<'_>, job: &Id) -> Result<()> {
    let Some(job) = tx.find::<agent_job::Entity>(job).await? else {
        return Ok(());
    };
    tx.unseen(|tx| {
        Box::pin(async move {
            let ticket = tx.find::<ticket::Entity>(&job.ticket_id).await?;
            let Some(brief) = ticket.and_then(|ticket| ticket.prd_id) else {
                return Ok(());
            };
            if let Some(found) = tx.find::<prd::Entity>(&brief).await? {
                tx.hold::<project::Entity>(&found.project_id).await?;
            }
            tx.get::<prd::Entity>(&brief).await.map(drop)
        })
    })
    .await
}

/// Whether a job's result is this one.
async fn is_same(tx: &Tx<'_>, job: &agent_job::Model, result: Option<&Value>) -> Result<bool> {
    let kept = [agent_job::Column::Result];
    let kept = tx.with_columns::<agent_job::Entity>(job, &kept).await?;
    let kept = kept.result.0;
    let digest = |value: Option<&Value>| value.map(|value| sha256(canonical(value)));
    Ok(digest(kept.as_ref().map(|kept| &kept.0)) == digest(result))
}

/// Refuses a brief or a plan that was not asked for, and nothing where one was.
fn must_be_asked_for(ticket: &ticket::Model, drafted: Option<&Drafted>) -> Result<()> {
    let wanted = if plan::is_asked_for(ticket) {
        Some("plan")
    } else if is_for_analyst(ticket) {
        Some("brief")
    } else {
        None
    };
    match (wanted, drafted.map(Drafted::kind)) {
        (wanted, given) if wanted == given => Ok(()),
        (Some(wanted), _) => Err(Error::bad_input(
            wanted,
            format!("is what this ticket asks for; hand in a {wanted}"),
        )),
        (None, given) => Err(Error::bad_input(
            given.unwrap_or_default(),
            "is not what this ticket asks for; leave it out",
        )),
    }
}

/// A job that was not begun before it ended, begins now.
async fn begun(
    tx: &mut Tx<'_>,
    ticket: &ticket::Model,
    job: agent_job::Model,
) -> Result<agent_job::Model> {
    if job.status == AgentJobStatus::InProgress {
        return Ok(job);
    }
    let changes = agent_job::ActiveModel {
        acked_at: Set(Some(tx.now())),
        started_at: Set(Some(tx.now())),
        ..Default::default()
    };
    let job = tx.take(&job, AgentJobConsequence::Start, changes).await?;
    of_ticket(tx, ticket);
    Ok(job)
}

/// A ticket's result is there.
async fn finish(
    tx: &mut Tx<'_>,
    ticket: ticket::Model,
    result: Option<Value>,
    confidence: f64,
    must_be_approved: bool,
) -> Result<()> {
    let handed_in = ticket::ActiveModel {
        result: Set(Large(result.map(Json))),
        confidence: Set(confidence),
        lease_expires_at: Set(None),
        heartbeat_at: Set(None),
        error: Set(None),
        error_signature: Set(None),
        ..Default::default()
    };
    if must_be_approved {
        let waiting = ticket::ActiveModel {
            waiting_reason: Set(Some(WaitingReason::Approval)),
            ..handed_in
        };
        let ticket = tx.take(&ticket, TicketConsequence::Wait, waiting).await?;
        let settings = decider::settings(tx).await?;
        return notice::ask_to_decide_ticket(tx, &settings, &ticket).await;
    }
    let done = ticket::ActiveModel {
        completed_at: Set(Some(tx.now())),
        ..handed_in
    };
    let ticket = tx.take(&ticket, TicketConsequence::Finish, done).await?;
    by_itself(tx, |tx| {
        Box::pin(async move { plan::ticket_done(tx, &ticket).await })
    })
    .await
}

/// A daemon gives a job back that it cannot do now; that is no failed try. Its ticket can be claimed a moment later.
///
/// # Errors
/// [`Error::BadUserInput`]; as [`held`].
pub(crate) async fn release(
    tx: &mut Tx<'_>,
    id: &Id,
    attempt: i32,
    reason: Option<String>,
) -> Result<agent_job::Model> {
    held(tx, id, attempt).await?;
    give_back(tx, id, Back::Released(reason)).await?;
    tx.unseen(|tx| {
        let id = id.clone();
        Box::pin(async move { tx.get::<agent_job::Entity>(&id).await })
    })
    .await
}

/// Somebody stops a job; its ticket can be claimed again. One that was stopped stays so.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::IllegalTransition`] when it has ended.
pub(crate) async fn cancel(
    tx: &mut Tx<'_>,
    id: &Id,
    reason: Option<String>,
) -> Result<agent_job::Model> {
    let Held { ticket, job } = locked(tx, id).await?;
    if job.status == AgentJobStatus::Cancelled {
        return Ok(job);
    }
    let had = is_under_way(&job);
    let changes = agent_job::ActiveModel {
        completed_at: Set(Some(tx.now())),
        ..job_unleased()
    };
    let job = tx.take(&job, AgentJobStep::Cancel, changes).await?;
    of_ticket(tx, &ticket);
    if let Some(reason) = reason {
        tx.explain(reason);
    }
    if had && ticket.status == ticket::TicketStatus::Claimed {
        tx.count_later(job.session_id.as_ref());
        let changes = ticket::ActiveModel {
            max_attempts: Set(ticket.max_attempts + 1),
            ..tickets::unclaimed()
        };
        free(tx, &ticket, changes, None).await?;
    }
    Ok(job)
}
