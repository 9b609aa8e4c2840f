//! The jobs that a daemon runs for tickets, and the pull requests that come of them.

use super::workspace::{Workspace, later};
use crate::error::Result;
use entity::{
    Json, Large, Timestamp,
    agent_job::{self, AgentJobStatus},
    ticket::{self, TicketStatus},
};
use sea_orm::ActiveValue::Set;
use serde_json::json;

/// Writes the jobs of a ticket that changes or tests a repository.
pub(super) async fn write(ws: &mut Workspace<'_>, ticket: &ticket::Model) -> Result<()> {
    let Some(repo) = ticket.target_repo.clone() else {
        return Ok(());
    };
    let implements = ticket.role_slug == "dev_agent";
    let action = if implements {
        "implement_prd"
    } else {
        "run_tests"
    };
    let begun = match ticket.status {
        // A job that nobody takes fails after a day, so one that waits is young.
        TicketStatus::Ready => ticket.created_at.max(ws.ago(0.3)),
        _ => ticket.claimed_at.unwrap_or(ticket.created_at),
    };
    let over = ticket.completed_at.unwrap_or(begun);
    let status = match ticket.status {
        TicketStatus::Ready => AgentJobStatus::Pending,
        TicketStatus::Claimed => AgentJobStatus::InProgress,
        TicketStatus::Failed => AgentJobStatus::Failed,
        TicketStatus::Cancelled => AgentJobStatus::Cancelled,
        TicketStatus::Done => AgentJobStatus::Done,
        _ => return Ok(()),
    };
    write_one(ws, ticket, &repo, action, status, begun, over).await?;
    if implements && status == AgentJobStatus::Done {
        // What was implemented is reviewed before it counts.
        let reviewed = ws.past(over, 0.3);
        write_one(ws, ticket, &repo, "review_pr", status, over, reviewed).await?;
    }
    Ok(())
}

async fn write_one(
    ws: &mut Workspace<'_>,
    ticket: &ticket::Model,
    repo: &str,
    action: &str,
    status: AgentJobStatus,
    begun: Timestamp,
    over: Timestamp,
) -> Result<()> {
    use AgentJobStatus::{Cancelled, Done, Failed, InProgress};
    let sent = matches!(status, InProgress | Done | Failed);
    let ended = matches!(status, Done | Failed | Cancelled);
    let (percent, message) = match status {
        Done => (Some(100), Some("Finished")),
        InProgress => (Some(62), Some("Running the tests of the changed files")),
        Failed => (Some(35), Some("Stopped by an error")),
        _ => (None, None),
    };
    // The review is of the pull request that the implementation opened.
    let opened = ticket.claimed_at.unwrap_or(begun).inner();
    let number = 1200 - (ws.tx.now().inner() - opened).num_hours();
    let pr_url = (status == Done && action != "run_tests")
        .then(|| format!("https://git.example/{repo}/pull/{number}"));
    let result = match action {
        "run_tests" => json!({ "testsRun": 18, "testsPassed": 18, "testsFailed": 0 }),
        _ => {
            json!({ "prUrl": pr_url, "filesChanged": ["README.md", "src/main"], "testsRun": 42, "testsPassed": 42 })
        }
    };
    let row = agent_job::ActiveModel {
        ticket_id: Set(ticket.id.clone()),
        project_id: Set(ticket.project_id.clone()),
        agent_token_id: Set(sent.then(|| ws.id("token:builder")).transpose()?),
        session_id: Set(sent
            .then(|| ws.id("session:connected"))
            .transpose()?
            .map(|id| id.0)),
        action: Set(action.to_owned()),
        status: Set(status),
        target_repo: Set(repo.to_owned()),
        payload: Set(Large::new(Json(
            json!({ "branch": format!("agent/{number}"), "title": ticket.title }),
        ))),
        result: Set(Large((status == Done).then_some(Json(result)))),
        pr_url: Set(pr_url),
        progress_percent: Set(percent),
        progress_message: Set(message.map(str::to_owned)),
        error: Set(ticket.error.clone().filter(|_| status == Failed)),
        dispatched_at: Set(sent.then_some(begun)),
        acked_at: Set(sent.then(|| later(begun, 0.001))),
        started_at: Set(sent.then(|| later(begun, 0.002))),
        completed_at: Set(ended.then_some(over)),
        lease_expires_at: Set((status == InProgress).then(|| ws.ago(-0.002))),
        created_at: Set(begun),
        updated_at: Set(if status == InProgress {
            ws.tx.now()
        } else {
            over
        }),
        ..Default::default()
    };
    ws.tx.insert(row, "agent_job.created").await?;
    Ok(())
}
