//! Work on tickets: claimed, asked about, reviewed, handed in, and what follows from that.

use super::{
    agenda::Who,
    clarifications::ask_about_ticket,
    decisions::{self, Decision, Subject, Verdict},
    jobs,
    tickets::{Work, mirror},
    usage::Call,
    workspace::{Workspace, raw},
};
use crate::{
    domain::machine::TicketConsequence,
    error::Result,
    workflow::{ticket_done, ticket_failed},
};
use entity::{
    Id, Json, Large,
    api_usage::ApiOperation,
    approval::ApprovalDecision,
    ticket::{self, TicketStatus, WaitingReason},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;

/// Hours that a piece of work takes.
const TAKES: f64 = 1.9;
/// Hours after which what was implemented is reviewed.
const REVIEWED: f64 = 1.5;
/// The part of the server that sees to what follows from the end of a ticket.
const PLANNER: &str = "planner";

/// Somebody takes a ticket, and with it what was begun for it.
pub(super) async fn claim(
    ws: &mut Workspace<'_>,
    ticket: &ticket::Model,
    who: &Who,
) -> Result<ticket::Model> {
    let is_outside = matches!(who, Who::Agent(_));
    let token = is_outside.then(|| ws.id("token:builder")).transpose()?;
    ws.act(who)?;
    let changes = ticket::ActiveModel {
        claimed_by_token_id: Set(token),
        claimed_by: Set((!is_outside).then(|| "server-1/worker-2".to_owned())),
        claimed_at: Set(Some(ws.moment)),
        lease_expires_at: Set(Some(raw(ws.moment, 0.05))),
        heartbeat_at: Set(Some(ws.moment)),
        attempt_count: Set(ticket.attempt_count + 1),
        ..Default::default()
    };
    ws.tx.take(ticket, TicketConsequence::Claim, changes).await
}

/// Whoever does a piece of work begins.
pub(super) async fn begin(ws: &mut Workspace<'_>, id: Id, mut work: Work) -> Result<()> {
    let ticket = ws.row::<ticket::Entity>(&id).await?;
    let worker = work.worker();
    let ticket = claim(ws, &ticket, &worker).await?;
    let job = match &ticket.target_repo {
        // Who asks first begins nothing before it knows.
        Some(repo) if work.runs_outside() && work.ask.is_none() => {
            Some(jobs::begin(ws, &ticket, repo, jobs::action_for(&ticket)).await?)
        }
        _ => None,
    };
    if ticket.parent_ticket_id.is_some() {
        record_calls(ws, &ticket);
    }
    if let Some(question) = work.ask.take() {
        let at = ws.ago(question.ago);
        ws.at(at, worker, |ws| {
            Box::pin(async move { ask_about_ticket(ws, &ticket.id, question, work).await })
        });
    } else if work.is == TicketStatus::Claimed {
        ws.at(ws.ago(0.0002), worker, |ws| {
            Box::pin(is_alive(ws, ticket, job))
        });
    } else {
        let is_reviewed = ticket.role_slug == "dev_agent" && work.is == TicketStatus::Done;
        match job.clone().filter(|_| is_reviewed) {
            Some(job) => ws.at(ws.soon(REVIEWED), worker, |ws| {
                Box::pin(review(ws, ticket, work, job))
            }),
            None => ws.at(ws.soon(TAKES), worker, |ws| {
                Box::pin(finish(ws, ticket, work, job))
            }),
        }
    }
    Ok(())
}

fn record_calls(ws: &mut Workspace<'_>, ticket: &ticket::Model) {
    for call in 0..2 {
        let at = ws.soon(0.1 * f64::from(call));
        ws.calls.push(Call {
            project: Some(ticket.project_id.clone()),
            brief: ticket.prd_id.clone(),
            plan: ticket.plan_id.clone(),
            ticket: Some(ticket.id.clone()),
            ..Call::new(&ticket.role_slug, ApiOperation::Specialist, at)
        });
    }
}

/// What held a ticket up is over: whoever works on it goes on.
pub(super) fn go_on(ws: &mut Workspace<'_>, id: Id, work: Work) {
    ws.at(ws.soon(0.5), work.worker(), |ws| {
        Box::pin(begin(ws, id, work))
    });
}

/// Nobody need show signs of life.
pub(super) fn unleased() -> ticket::ActiveModel {
    ticket::ActiveModel {
        lease_expires_at: Set(None),
        heartbeat_at: Set(None),
        ..Default::default()
    }
}

/// Whoever works on a ticket is still at it.
async fn is_alive(ws: &mut Workspace<'_>, ticket: ticket::Model, job: Option<Id>) -> Result<()> {
    let alive = ticket::ActiveModel {
        lease_expires_at: Set(Some(raw(ws.now, 0.05))),
        heartbeat_at: Set(Some(ws.moment)),
        ..Default::default()
    };
    ws.tx.update_untold(&ticket, alive).await?;
    match job {
        Some(job) => jobs::is_alive(ws, &job).await,
        None => Ok(()),
    }
}

/// What was implemented is reviewed before it counts.
async fn review(
    ws: &mut Workspace<'_>,
    ticket: ticket::Model,
    work: Work,
    implemented: Id,
) -> Result<()> {
    jobs::end(ws, &ticket, &implemented, None).await?;
    let Some(repo) = &ticket.target_repo else {
        return Ok(());
    };
    let review = jobs::begin(ws, &ticket, repo, "review_pr").await?;
    ws.at(ws.soon(TAKES - REVIEWED), work.worker(), |ws| {
        Box::pin(finish(ws, ticket, work, Some(review)))
    });
    Ok(())
}

/// Whoever worked on a ticket hands in what came of it.
async fn finish(
    ws: &mut Workspace<'_>,
    ticket: ticket::Model,
    work: Work,
    job: Option<Id>,
) -> Result<()> {
    let failed = work.is == TicketStatus::Failed;
    if let Some(job) = &job {
        let error = work.error.as_deref().filter(|_| failed);
        jobs::end(ws, &ticket, job, error).await?;
    }
    if failed {
        let changes = ticket::ActiveModel {
            error: Set(work.error.clone()),
            error_signature: Set(work.signature),
            completed_at: Set(Some(ws.moment)),
            ..unleased()
        };
        let ticket = ws
            .tx
            .take(&ticket, TicketConsequence::Fail, changes)
            .await?;
        ws.tx.explain(work.error.unwrap_or_default());
        ws.tx.begin_by_itself(PLANNER);
        let followed = ticket_failed(&mut ws.tx, &ticket).await;
        ws.tx.end_by_itself();
        return followed;
    }
    let result = ticket::ActiveModel {
        result: Set(Large(Some(Json(work.result())))),
        confidence: Set(work.confidence),
        requires_approval: Set(work.is_held()),
        ..unleased()
    };
    if work.is_held() {
        let waiting = ticket::ActiveModel {
            waiting_reason: Set(Some(WaitingReason::Approval)),
            ..result
        };
        ws.tx
            .take(&ticket, TicketConsequence::Wait, waiting)
            .await?;
        if work.approval {
            let (subject, decision) =
                (Subject::Ticket(ticket.id), Decision::plain(UserRole::Admin));
            let verdict = Verdict::Given(ApprovalDecision::Approved);
            decisions::tell(ws, ws.soon(1.2), subject, verdict, &decision);
        }
        return Ok(());
    }
    let done = ticket::ActiveModel {
        completed_at: Set(Some(ws.moment)),
        ..result
    };
    let ticket = ws.tx.take(&ticket, TicketConsequence::Finish, done).await?;
    ws.tx.begin_by_itself(PLANNER);
    let followed = ticket_done(&mut ws.tx, &ticket).await;
    ws.tx.end_by_itself();
    followed?;
    match &ticket.external_key {
        Some(key) => mirror(ws, &ticket, "Done", Some(key.clone())).await,
        None => Ok(()),
    }
}
