//! Plans: the chief of staff's ticket, each attempt, and the steps with what they wait for.

use super::{
    access::Reply,
    briefs::Brief,
    decisions::{self, Decision, Subject},
    tickets::{self, Place, Work},
    usage::Call,
    workspace::{Workspace, count, later},
};
use crate::{domain::digest, error::Result};
use entity::{
    BigInt, Id, Json, Large, Timestamp,
    api_usage::ApiOperation,
    approval::ApprovalDecision,
    auth_token::AuthTokenKind,
    execution_plan::{self, ExecutionPlanStatus, PlanStep},
    prd, ticket,
    ticket::TicketStatus,
    ticket_dependency,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::json;

/// One attempt at a brief.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    status: ExecutionPlanStatus,
    ago: f64,
    summary: String,
    /// Why the attempt before was replaced.
    reason: Option<String>,
    /// What that attempt failed of.
    signature: Option<String>,
    score: Option<i32>,
    #[serde(default)]
    revised: bool,
    #[serde(default = "one")]
    candidates: i32,
    /// Who approved it; none when a rule did or nobody has.
    by: Option<Decision>,
    paused: Option<Decision>,
    steps: Vec<Work>,
}

fn one() -> i32 {
    1
}

/// Writes the attempts at an approved brief, oldest first.
pub(super) async fn write(
    ws: &mut Workspace<'_>,
    brief: &prd::Model,
    content: Brief,
) -> Result<()> {
    let Some(approved_at) = brief.decided_at.filter(|_| !content.plans.is_empty()) else {
        return Ok(());
    };
    let decider = content.decision.as_ref().and_then(|decision| decision.by);
    let mut place = Place::of(brief, ws.actor(decider, "auto_approve"), approved_at);
    let chief = Work::planning(format!("Plan: {}", brief.title));
    let chief = tickets::write(ws, &chief, place.clone()).await?;
    place.parent = Some(chief.id.clone());
    place.created_by = "system:chief_of_staff".to_owned();
    for (attempt, plan) in (1..).zip(content.plans) {
        let row = write_row(ws, brief, &chief, &plan, attempt).await?;
        ws.remember(format!("plan:{}/{attempt}", content.key), &row.id);
        record(ws, &row, &plan).await?;
        place.plan = Some(row.id.clone());
        place.mirror = content
            .tracker
            .as_ref()
            .map(|key| format!("{key}-{}", 10 + attempt));
        place.at = row.created_at;
        write_steps(
            ws,
            &plan.steps,
            &place,
            &format!("ticket:{}/{attempt}", content.key),
        )
        .await?;
    }
    Ok(())
}

async fn write_row(
    ws: &mut Workspace<'_>,
    brief: &prd::Model,
    chief: &ticket::Model,
    plan: &Plan,
    attempt: i32,
) -> Result<execution_plan::Model> {
    let at = ws.ago(plan.ago);
    let steps: Vec<PlanStep> = plan.steps.iter().map(Work::as_step).collect();
    let is_current = matches!(
        plan.status,
        ExecutionPlanStatus::Active | ExecutionPlanStatus::PendingApproval
    );
    let graph = ws
        .graph_hashes
        .get(&brief.project_id)
        .filter(|_| is_current)
        .cloned();
    let paused = plan.paused.as_ref();
    let votes = (plan.candidates > 1).then(|| Json(json!([{ "model": "gpt-large", "choice": 0 }])));
    let row = execution_plan::ActiveModel {
        prd_id: Set(brief.id.clone()),
        project_id: Set(brief.project_id.clone()),
        parent_ticket_id: Set(chief.id.clone()),
        attempt: Set(attempt),
        status: Set(plan.status),
        paused_at: Set(paused.map(|paused| later(at, paused.hours))),
        paused_by_id: Set(paused
            .and_then(|paused| paused.by)
            .map(|role| ws.user(role))
            .transpose()?),
        model: Set(Some("claude-opus".to_owned())),
        step_count: Set(count(&steps)),
        estimated_tokens: Set(Some(BigInt(38_000 * i64::from(count(&steps))))),
        estimated_cost_micros: Set(Some(BigInt(700_000 * i64::from(count(&steps))))),
        steps: Set(Large::new(Json(steps))),
        channel_summary: Set(plan.summary.clone()),
        replan_reason: Set(plan.reason.clone()),
        error_signature: Set(plan.signature.clone()),
        critique_score: Set(plan.score),
        revised: Set(plan.revised),
        candidate_count: Set(plan.candidates),
        council_votes: Set(Large(votes)),
        // The graph was built anew since older plans were made.
        graph_content_hash: Set(Some(
            graph.unwrap_or_else(|| digest::sha256(brief.id.as_str().as_bytes())),
        )),
        created_at: Set(at),
        updated_at: Set(ws.past(at, 30.0)),
        ..Default::default()
    };
    ws.tx.insert(row, "plan.created").await
}

/// What happened to a plan besides its steps: decisions, calls of models, an escalation.
async fn record(
    ws: &mut Workspace<'_>,
    plan: &execution_plan::Model,
    content: &Plan,
) -> Result<()> {
    let decided = [
        (ApprovalDecision::Approved, &content.by),
        (ApprovalDecision::Paused, &content.paused),
    ];
    for (kind, decision) in decided {
        if let Some(decision) = decision {
            let (at, project) = (
                later(plan.created_at, decision.hours),
                Some(plan.project_id.clone()),
            );
            let subject = Subject::Plan(plan.id.clone());
            decisions::write(ws, subject, project, plan.attempt, kind, decision, at).await?;
        }
    }
    if plan.status == ExecutionPlanStatus::Failed {
        let (kind, subject_type) = (AuthTokenKind::EscalationReply, "ExecutionPlan");
        ws.replies.push(Reply {
            kind,
            subject_type,
            subject: plan.id.clone(),
        });
    }
    let asked = [
        (ApiOperation::Draft, true),
        (ApiOperation::Critique, plan.critique_score.is_some()),
        (ApiOperation::Revise, plan.revised),
    ];
    for (operation, _) in asked.into_iter().filter(|(_, asked)| *asked) {
        ws.calls.push(Call {
            project: Some(plan.project_id.clone()),
            brief: Some(plan.prd_id.clone()),
            plan: Some(plan.id.clone()),
            ..Call::new("chief_of_staff", operation, plan.created_at)
        });
    }
    Ok(())
}

/// Writes a ticket for each step, named by its position, and what it waits for.
async fn write_steps(
    ws: &mut Workspace<'_>,
    steps: &[Work],
    place: &Place,
    name: &str,
) -> Result<()> {
    let mut written: Vec<Id> = Vec::new();
    for (index, step) in (0..).zip(steps) {
        let needed = || {
            step.needs
                .iter()
                .filter_map(|needed| Some((*needed, usize::try_from(*needed).ok()?)))
        };
        let is_open = |needed: usize| {
            steps
                .get(needed)
                .is_some_and(|step| step.status() != TicketStatus::Done)
        };
        let open = needed().filter(|(_, needed)| is_open(*needed)).count();
        let place = Place {
            step: Some(index),
            open: i32::try_from(open).unwrap_or(i32::MAX),
            ..place.clone()
        };
        let at: Timestamp = place.at;
        let ticket = tickets::write(ws, step, place).await?;
        for (_, needed) in needed() {
            let Some(depends_on) = written.get(needed) else {
                continue;
            };
            let row = ticket_dependency::ActiveModel {
                ticket_id: Set(ticket.id.clone()),
                depends_on_ticket_id: Set(depends_on.clone()),
                created_at: Set(at),
                updated_at: Set(at),
                ..Default::default()
            };
            ws.tx.insert(row, "ticket_dependency.created").await?;
        }
        ws.remember(format!("{name}/{index}"), &ticket.id);
        written.push(ticket.id);
    }
    Ok(())
}
