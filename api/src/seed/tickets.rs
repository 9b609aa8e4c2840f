//! Tickets in every state: written outside of plans, and what is to become of each.

use super::{agenda::Who, clarifications::Question, jobs, services, work, workspace::Workspace};
use crate::{
    domain::machine::TicketStep,
    error::Result,
    workflow::{ANALYST, Seen, decide},
};
use entity::{
    Id, Json, Large, Timestamp,
    execution_plan::PlanStep,
    ticket::{self, ExternalSystem, TicketStatus, WaitingReason},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::{Value, json};

/// A piece of work: a plan's step, or what a person asked for.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Work {
    title: String,
    text: String,
    role: String,
    /// The specialist it is meant for.
    with: Option<String>,
    #[serde(default)]
    skills: Vec<String>,
    /// The steps that come first, counted from 0.
    #[serde(default)]
    pub(super) needs: Vec<i32>,
    pub(super) is: TicketStatus,
    waits: Option<WaitingReason>,
    pub(super) ask: Option<Question>,
    pub(super) error: Option<String>,
    pub(super) signature: Option<String>,
    #[serde(default = "normal")]
    pub(super) priority: i32,
    /// Whether a person must approve the result.
    #[serde(default)]
    pub(super) approval: bool,
    #[serde(default = "quite_sure")]
    pub(super) confidence: f64,
}

/// An entry of `tickets.yaml`: work outside a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Loose {
    key: String,
    project: String,
    goal: Option<String>,
    repo: Option<String>,
    ago: f64,
    by: UserRole,
    work: Work,
}

fn normal() -> i32 {
    100
}

fn quite_sure() -> f64 {
    0.84
}

impl Work {
    /// The step as its plan holds it.
    pub(super) fn as_step(&self) -> PlanStep {
        PlanStep {
            title: self.title.clone(),
            description: self.text.clone(),
            role_slug: self.role.clone(),
            subagent_slug: self.with.clone(),
            skills: self.skills.clone(),
            depends_on: self.needs.clone(),
        }
    }

    /// Whether it runs on a developer's machine rather than in the server.
    pub(super) fn runs_outside(&self) -> bool {
        matches!(self.role.as_str(), "dev_agent" | "qa_agent")
    }

    /// Who does it.
    pub(super) fn worker(&self) -> Who {
        match self.role.as_str() {
            _ if self.runs_outside() => jobs::daemon(),
            "architect" => Who::Server("architect"),
            _ => Who::Server(ANALYST),
        }
    }

    /// Whether its result waits, or waited, for a person.
    pub(super) fn is_held(&self) -> bool {
        self.approval || self.waits == Some(WaitingReason::Approval)
    }

    pub(super) fn result(&self) -> Value {
        match self.role.as_str() {
            "dev_agent" => {
                json!({ "branch": "agent/work", "filesChanged": 7, "testsPassed": 42, "testsFailed": 0 })
            }
            "qa_agent" => {
                json!({ "checked": ["by hand", "by script"], "testsPassed": 18, "testsFailed": 0 })
            }
            _ => {
                json!({ "document": format!("# {}\n\nSee the comments for what was left out.", self.title) })
            }
        }
    }
}

pub(super) fn tell_loose(ws: &mut Workspace<'_>, loose: Loose) {
    ws.at(ws.ago(loose.ago), Who::Person(loose.by), |ws| {
        Box::pin(write_loose(ws, loose))
    });
}

async fn write_loose(ws: &mut Workspace<'_>, loose: Loose) -> Result<()> {
    let work = loose.work;
    let row = ticket::ActiveModel {
        project_id: Set(ws.id(&format!("project:{}", loose.project))?),
        goal_id: Set(ws.some("goal", loose.goal.as_ref())?),
        role_slug: Set(work.role.clone()),
        subagent_slug: Set(work.with.clone()),
        skills: Set(Json(work.skills.clone())),
        title: Set(work.title.clone()),
        description: Set(Large::new(work.text.clone())),
        status: Set(TicketStatus::Ready),
        priority: Set(work.priority),
        target_repo: Set(loose.repo.filter(|_| work.runs_outside())),
        payload: Set(Large::new(Json(
            json!({ "language": "en", "maxMinutes": 30 }),
        ))),
        requires_approval: Set(work.is_held()),
        created_by: Set(ws.tx.actor()),
        ..Default::default()
    };
    let ticket = ws.tx.insert(row, "ticket.created").await?;
    let id = ticket.id;
    ws.remember(format!("ticket:{}", loose.key), &id);
    match work.is {
        TicketStatus::Cancelled => tell_cancelled(ws, id, ws.soon(2.1), loose.by),
        _ => tell(ws, id, work, ws.soon(0.2)),
    }
    Ok(())
}

/// At this moment somebody stops a ticket.
pub(super) fn tell_cancelled(ws: &mut Workspace<'_>, id: Id, at: Timestamp, by: UserRole) {
    ws.at(at, Who::Person(by), move |ws| {
        Box::pin(async move {
            let seen = Seen::new(id, None, None)?;
            decide(&mut ws.tx, TicketStep::Cancel, seen).await.map(drop)
        })
    });
}

/// Tells what becomes of a ticket on which somebody can work from this moment on.
pub(super) fn tell(ws: &mut Workspace<'_>, id: Id, work: Work, from: Timestamp) {
    use TicketStatus::{Blocked, Cancelled, Claimed, Done, Failed, Ready, Superseded, Waiting};
    let asked = work.ask.as_ref().map(|asked| ws.ago(asked.ago + 0.01));
    let begun = match work.is {
        Claimed => ws.ago(0.008),
        Done | Failed | Waiting => asked.unwrap_or(from),
        // A job that nobody takes fails after a day, so one that waits is young: it was made anew.
        Ready => {
            let age = (ws.now.inner() - from.inner()).num_hours() as f64;
            from.max(ws.ago(0.3 - 0.0003 * age))
        }
        Cancelled => from,
        Blocked | Superseded => return,
    };
    match work.is {
        Ready | Cancelled if work.runs_outside() => {
            ws.at(begun, jobs::DISPATCHER, |ws| {
                Box::pin(wait_for_daemon(ws, id))
            });
        }
        Ready | Cancelled => {}
        _ => {
            let worker = work.worker();
            ws.at(begun, worker, |ws| Box::pin(work::begin(ws, id, work)));
        }
    }
}

/// A job waits for a daemon.
async fn wait_for_daemon(ws: &mut Workspace<'_>, id: Id) -> Result<()> {
    let ticket = ws.row::<ticket::Entity>(&id).await?;
    match &ticket.target_repo {
        Some(repo) => jobs::offer(ws, &ticket, repo, jobs::action_for(&ticket))
            .await
            .map(drop),
        None => Ok(()),
    }
}

/// A ticket is shown in the outside tracker that a company uses.
pub(super) async fn mirror(
    ws: &mut Workspace<'_>,
    ticket: &ticket::Model,
    status: &str,
    key: Option<String>,
) -> Result<()> {
    let system = match ws.id("connection:linear") {
        Ok(_) => ExternalSystem::Linear,
        Err(_) => ExternalSystem::Jira,
    };
    ws.act(&services::tracker())?;
    let changes = ticket::ActiveModel {
        external_system: Set(Some(system)),
        external_key: Set(key),
        external_status: Set(Some(status.to_owned())),
        external_synced_at: Set(Some(ws.moment)),
        ..Default::default()
    };
    let mirrored = ws.tx.update(ticket, changes, "ticket.mirrored").await;
    mirrored.map(drop)
}
