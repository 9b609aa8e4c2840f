//! The jobs that a daemon runs for tickets, and the pull requests that come of them.

use super::{agenda::Who, workspace::Workspace, workspace::raw};
use crate::{
    domain::machine::AgentJobConsequence,
    error::{Error, Result},
};
use entity::{
    Id, Json, Large,
    agent_job::{self, AgentJobStatus},
    agent_job_event::{self, AgentJobEventKind},
    ticket,
};
use sea_orm::ActiveValue::Set;
use serde_json::json;

/// What hands jobs to daemons.
pub(super) const DISPATCHER: Who = Who::Server("dispatcher");

/// What a daemon does for this ticket.
pub(super) fn action_for(ticket: &ticket::Model) -> &'static str {
    match ticket.role_slug.as_str() {
        "dev_agent" => "implement_prd",
        _ => "run_tests",
    }
}

/// Writes a job for a daemon.
pub(super) async fn offer(
    ws: &mut Workspace<'_>,
    ticket: &ticket::Model,
    repo: &str,
    action: &str,
) -> Result<agent_job::Model> {
    let number = number(ws, ticket);
    let row = agent_job::ActiveModel {
        ticket_id: Set(ticket.id.clone()),
        project_id: Set(ticket.project_id.clone()),
        action: Set(action.to_owned()),
        status: Set(AgentJobStatus::Pending),
        target_repo: Set(repo.to_owned()),
        payload: Set(Large::new(Json(
            json!({ "branch": format!("agent/{number}"), "title": ticket.title }),
        ))),
        ..Default::default()
    };
    ws.tx.insert(row, "job.created").await
}

/// The number of the pull request that comes of a ticket: the later it was claimed, the higher.
fn number(ws: &Workspace<'_>, ticket: &ticket::Model) -> i64 {
    let opened = ticket.claimed_at.unwrap_or(ws.moment);
    1200 - (ws.now.inner() - opened.inner()).num_hours()
}

/// The daemon that takes a ticket gets a job for it, and begins at once.
pub(super) async fn begin(
    ws: &mut Workspace<'_>,
    ticket: &ticket::Model,
    repo: &str,
    action: &str,
) -> Result<Id> {
    let job = offer(ws, ticket, repo, action).await?;
    let sent = agent_job::ActiveModel {
        agent_token_id: Set(Some(ws.id("token:builder")?)),
        session_id: Set(Some(ws.id("session:connected")?)),
        dispatched_at: Set(Some(ws.moment)),
        deadline_at: Set(Some(raw(ws.moment, 12.0))),
        ..Default::default()
    };
    let job = ws
        .tx
        .take(&job, AgentJobConsequence::Dispatch, sent)
        .await?;
    let id = job.id.clone();
    ws.at(ws.soon(0.003), daemon(), move |ws| {
        Box::pin(async move {
            let changes = agent_job::ActiveModel {
                acked_at: Set(Some(ws.moment)),
                started_at: Set(Some(ws.moment)),
                reported_at: Set(Some(ws.moment)),
                lease_expires_at: Set(Some(raw(ws.moment, 1.0))),
                ..Default::default()
            };
            let job = ws
                .tx
                .take(&job, AgentJobConsequence::Start, changes)
                .await?;
            ws.jobs.insert(job.id.clone(), job);
            Ok(())
        })
    });
    Ok(id)
}

/// Who runs jobs.
pub(super) fn daemon() -> Who {
    Who::Agent("builder".to_owned())
}

fn taken(ws: &mut Workspace<'_>, id: &Id) -> Result<agent_job::Model> {
    let job = ws.jobs.remove(id);
    job.ok_or_else(|| Error::internal("the demo has a job that nobody began"))
}

/// Writes what a daemon did into a job's journal.
async fn write_journal(ws: &mut Workspace<'_>, job: &agent_job::Model) -> Result<()> {
    use AgentJobEventKind::{Action, Observation, Thought};
    let repo = &job.target_repo;
    let told = [
        (
            Action,
            format!("git clone {repo}"),
            Some(json!({ "exit": 0 })),
        ),
        (
            Thought,
            "The tests say what is expected; they come first.".to_owned(),
            None,
        ),
        (
            Observation,
            "The tests of the changed files pass.".to_owned(),
            Some(json!({ "passed": 42, "failed": 0 })),
        ),
    ];
    type Entry = (i32, (AgentJobEventKind, String, Option<serde_json::Value>));
    let row = |(seq, (kind, text, data)): Entry| agent_job_event::ActiveModel {
        job_id: Set(job.id.clone()),
        agent_token_id: Set(job.agent_token_id.clone()),
        seq: Set(seq),
        attempt: Set(job.attempt),
        kind: Set(kind),
        text: Set(text),
        data: Set(Large(data.map(Json))),
        ..Default::default()
    };
    let rows = (1..).zip(told).map(row).collect();
    ws.tx.insert_all_untold(rows).await
}

/// A job has come some way.
pub(super) async fn is_alive(ws: &mut Workspace<'_>, id: &Id) -> Result<()> {
    let job = taken(ws, id)?;
    write_journal(ws, &job).await?;
    let alive = agent_job::ActiveModel {
        progress_seq: Set(Some(3)),
        reported_at: Set(Some(ws.moment)),
        checkpoint: Set(Large(Some(Json(json!({ "branch": "pushed" }))))),
        progress_percent: Set(Some(62)),
        progress_message: Set(Some("Running the tests of the changed files".to_owned())),
        lease_expires_at: Set(Some(raw(ws.now, 0.05))),
        ..Default::default()
    };
    ws.tx.update_untold(&job, alive).await.map(drop)
}

/// The daemon says how a job ended.
pub(super) async fn end(
    ws: &mut Workspace<'_>,
    ticket: &ticket::Model,
    id: &Id,
    error: Option<&str>,
) -> Result<()> {
    let job = taken(ws, id)?;
    write_journal(ws, &job).await?;
    let ended = agent_job::ActiveModel {
        completed_at: Set(Some(ws.moment)),
        lease_expires_at: Set(None),
        ..Default::default()
    };
    let (ended, step) = if let Some(error) = error {
        let failed = agent_job::ActiveModel {
            progress_percent: Set(Some(35)),
            progress_message: Set(Some("Stopped by an error".to_owned())),
            error: Set(Some(error.to_owned())),
            ..ended
        };
        (failed, AgentJobConsequence::Fail)
    } else {
        let tests = job.action == "run_tests";
        let repo = &job.target_repo;
        let pr_url = format!("https://git.example/{repo}/pull/{}", number(ws, ticket));
        let result = match tests {
            true => json!({ "testsRun": 18, "testsPassed": 18, "testsFailed": 0 }),
            false => {
                json!({ "prUrl": pr_url, "filesChanged": ["README.md", "src/main"], "testsRun": 42, "testsPassed": 42 })
            }
        };
        let done = agent_job::ActiveModel {
            progress_percent: Set(Some(100)),
            progress_message: Set(Some("Finished".to_owned())),
            result: Set(Large(Some(Json(result)))),
            pr_url: Set((!tests).then_some(pr_url)),
            ..ended
        };
        (done, AgentJobConsequence::Finish)
    };
    ws.tx.take(&job, step, ended).await.map(drop)
}
