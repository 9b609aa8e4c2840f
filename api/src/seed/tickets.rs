//! Tickets in every state, with the calls, questions, decisions and jobs that belong to them.

use super::{
    clarifications::{self, Question},
    decisions::{self, Decision, Subject},
    jobs,
    usage::Call,
    workspace::{Workspace, later},
};
use crate::error::Result;
use entity::{
    Id, Json, Large, Timestamp,
    api_usage::ApiOperation,
    approval::{ApprovalChannel, ApprovalDecision},
    execution_plan::PlanStep,
    prd,
    ticket::{self, ExternalSystem, TicketStatus, WaitingReason},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::{Value, json};

/// A piece of work: a plan's step, or what a person asked for.
#[derive(Deserialize)]
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
    is: TicketStatus,
    waits: Option<WaitingReason>,
    ask: Option<Question>,
    error: Option<String>,
    signature: Option<String>,
    #[serde(default = "normal")]
    priority: i32,
    /// Whether a person must approve the result.
    #[serde(default)]
    approval: bool,
    #[serde(default = "quite_sure")]
    confidence: f64,
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
    /// What the chief of staff does.
    pub(super) fn planning(title: String) -> Self {
        Self {
            title,
            text: "Make a plan of at most six steps.".to_owned(),
            role: "chief_of_staff".to_owned(),
            is: TicketStatus::Done,
            priority: normal(),
            confidence: quite_sure(),
            with: None,
            skills: Vec::new(),
            needs: Vec::new(),
            waits: None,
            ask: None,
            error: None,
            signature: None,
            approval: false,
        }
    }

    pub(super) fn status(&self) -> TicketStatus {
        self.is
    }

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
    fn runs_outside(&self) -> bool {
        matches!(self.role.as_str(), "dev_agent" | "qa_agent")
    }

    fn result(&self) -> Value {
        match self.role.as_str() {
            "dev_agent" => {
                json!({ "branch": "agent/work", "filesChanged": 7, "testsPassed": 42, "testsFailed": 0 })
            }
            "qa_agent" => {
                json!({ "checked": ["by hand", "by script"], "testsPassed": 18, "testsFailed": 0 })
            }
            "chief_of_staff" => json!({ "planned": true }),
            _ => {
                json!({ "document": format!("# {}\n\nSee the comments for what was left out.", self.title) })
            }
        }
    }
}

/// Where a ticket belongs.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) project: Id,
    pub(super) goal: Option<Id>,
    pub(super) meeting: Option<Id>,
    pub(super) brief: Option<Id>,
    pub(super) repo: Option<String>,
    pub(super) plan: Option<Id>,
    pub(super) parent: Option<Id>,
    pub(super) step: Option<i32>,
    /// How many of the tickets it depends on are not done.
    pub(super) open: i32,
    /// How the keys of its plan's steps begin in the outside tracker.
    pub(super) mirror: Option<String>,
    pub(super) created_by: String,
    pub(super) at: Timestamp,
}

impl Place {
    /// Under a brief, outside any plan.
    pub(super) fn of(brief: &prd::Model, created_by: String, at: Timestamp) -> Self {
        Self {
            project: brief.project_id.clone(),
            goal: brief.goal_id.clone(),
            meeting: brief.meeting_id.clone(),
            brief: Some(brief.id.clone()),
            repo: brief.target_repo.clone(),
            plan: None,
            parent: None,
            step: None,
            open: 0,
            mirror: None,
            created_by,
            at,
        }
    }
}

pub(super) async fn write_loose(ws: &mut Workspace<'_>, loose: Loose) -> Result<()> {
    let place = Place {
        project: ws.id(&format!("project:{}", loose.project))?,
        goal: ws.some("goal", loose.goal.as_ref())?,
        meeting: None,
        brief: None,
        repo: loose.repo,
        plan: None,
        parent: None,
        step: None,
        open: 0,
        mirror: None,
        created_by: ws.actor(Some(loose.by), ""),
        at: ws.ago(loose.ago),
    };
    let ticket = write(ws, &loose.work, place).await?;
    ws.remember(format!("ticket:{}", loose.key), &ticket.id);
    Ok(())
}

pub(super) async fn write(
    ws: &mut Workspace<'_>,
    work: &Work,
    place: Place,
) -> Result<ticket::Model> {
    use TicketStatus::{Cancelled, Claimed, Done, Failed, Superseded, Waiting};
    let claimed = work.is == Claimed;
    let paused = work.waits == Some(WaitingReason::Paused);
    let worked = matches!(work.is, Claimed | Done | Failed) || work.is == Waiting && !paused;
    let ended = matches!(work.is, Done | Failed | Cancelled | Superseded);
    let held = work.approval || work.waits == Some(WaitingReason::Approval);
    let begun = match work.is {
        Claimed => ws.ago(0.008),
        Waiting if work.ask.is_some() => ws.ago(0.36),
        _ => ws.past(place.at, 0.2 + 2.6 * f64::from(place.step.unwrap_or(0))),
    };
    let over = ws.past(begun, 1.9);
    let token = ws.id("token:builder")?;
    let mirrored = place.mirror.as_ref().zip(place.step);
    let row = ticket::ActiveModel {
        project_id: Set(place.project),
        goal_id: Set(place.goal),
        meeting_id: Set(place.meeting),
        prd_id: Set(place.brief),
        plan_id: Set(place.plan),
        step_index: Set(place.step),
        parent_ticket_id: Set(place.parent),
        role_slug: Set(work.role.clone()),
        subagent_slug: Set(work.with.clone()),
        skills: Set(Json(work.skills.clone())),
        title: Set(work.title.clone()),
        description: Set(Large::new(work.text.clone())),
        status: Set(work.is),
        waiting_reason: Set(work.waits),
        priority: Set(work.priority),
        target_repo: Set(place.repo.filter(|_| work.runs_outside())),
        claimed_by_token_id: Set((worked && work.runs_outside()).then_some(token)),
        claimed_by: Set((worked && !work.runs_outside()).then(|| "server-1/worker-2".to_owned())),
        claimed_at: Set(worked.then_some(begun)),
        lease_expires_at: Set(claimed.then(|| ws.ago(-0.002))),
        heartbeat_at: Set(claimed.then(|| ws.ago(0.0002))),
        attempt_count: Set(i32::from(worked)),
        payload: Set(Large::new(Json(
            json!({ "language": "en", "maxMinutes": 30 }),
        ))),
        result: Set(Large(
            (work.is == Done || held).then(|| Json(work.result())),
        )),
        error: Set(work.error.clone()),
        error_signature: Set(work.signature.clone()),
        confidence: Set(if work.is == Done || held {
            work.confidence
        } else {
            0.0
        }),
        requires_approval: Set(held),
        approved_by_id: Set(work
            .approval
            .then(|| ws.user(UserRole::Admin))
            .transpose()?),
        approved_at: Set(work.approval.then_some(over)),
        open_dependency_count: Set(place.open),
        external_system: Set(mirrored.map(|_| mirror_of(ws))),
        external_key: Set(mirrored.map(|(key, step)| format!("{key}{step}"))),
        external_status: Set(
            mirrored.map(|_| if work.is == Done { "Done" } else { "To do" }.to_owned())
        ),
        external_synced_at: Set(mirrored.map(|_| ws.ago(0.01))),
        created_by: Set(place.created_by),
        completed_at: Set(ended.then_some(over)),
        created_at: Set(place.at),
        updated_at: Set(if ended || work.is == Waiting {
            over
        } else {
            begun.max(place.at)
        }),
        ..Default::default()
    };
    let ticket = ws.tx.insert(row, "ticket.created").await?;
    record(ws, &ticket, work).await?;
    Ok(ticket)
}

/// The tracker a company uses.
fn mirror_of(ws: &Workspace<'_>) -> ExternalSystem {
    if ws.id("connection:linear").is_ok() {
        ExternalSystem::Linear
    } else {
        ExternalSystem::Jira
    }
}

/// What happened to a ticket on its way.
async fn record(ws: &mut Workspace<'_>, ticket: &ticket::Model, work: &Work) -> Result<()> {
    if let Some(question) = &work.ask {
        clarifications::write(ws, question, ticket.prd_id.as_ref(), Some(&ticket.id)).await?;
    }
    if let Some(at) = ticket.approved_at {
        let decision = Decision::plain(UserRole::Admin, ApprovalChannel::Web);
        let (subject, project) = (
            Subject::Ticket(ticket.id.clone()),
            Some(ticket.project_id.clone()),
        );
        decisions::write(
            ws,
            subject,
            project,
            1,
            ApprovalDecision::Approved,
            &decision,
            at,
        )
        .await?;
    }
    if let Some(claimed_at) = ticket
        .claimed_at
        .filter(|_| ticket.parent_ticket_id.is_some())
    {
        for call in 0..2 {
            ws.calls.push(Call {
                project: Some(ticket.project_id.clone()),
                brief: ticket.prd_id.clone(),
                plan: ticket.plan_id.clone(),
                ticket: Some(ticket.id.clone()),
                ..Call::new(
                    &ticket.role_slug,
                    ApiOperation::Specialist,
                    later(claimed_at, 0.1 * f64::from(call)),
                )
            });
        }
    }
    jobs::write(ws, ticket).await
}
