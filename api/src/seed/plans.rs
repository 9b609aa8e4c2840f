//! Plans: the chief of staff makes them, people decide, and the work on their steps begins.

use super::{
    agenda::Who,
    decisions::{self, Decision, Subject, Verdict},
    tickets::{self, Work},
    usage::Call,
    work,
    workspace::{Workspace, count},
};
use crate::{
    domain::plan::CHIEF_OF_STAFF,
    error::Result,
    workflow::{NewPlan, ReplySubject, all_of, create_plan, escalate_plan, loose_for},
};
use entity::{
    Id, Json, Large, Timestamp,
    api_usage::ApiOperation,
    approval::ApprovalDecision,
    execution_plan::{self, ExecutionPlanStatus},
    prd,
    ticket::{self, TicketStatus},
    user::UserRole,
};
use sea_orm::{ActiveValue::Set, sea_query::ExprTrait};
use serde::Deserialize;
use serde_json::json;

const CHIEF: Who = Who::Server(CHIEF_OF_STAFF);

/// One attempt at a brief.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    status: ExecutionPlanStatus,
    ago: f64,
    summary: String,
    /// Why the attempt before was replaced.
    reason: Option<String>,
    score: Option<i32>,
    #[serde(default)]
    revised: bool,
    #[serde(default = "one")]
    candidates: i32,
    /// Who approved it; none when nobody has.
    by: Option<Decision>,
    paused: Option<Decision>,
    cancelled: Option<Decision>,
    steps: Vec<Work>,
}

fn one() -> i32 {
    1
}

/// The attempts at a brief with this key.
pub(super) fn tell(ws: &mut Workspace<'_>, key: &str, tracker: Option<&str>, plans: Vec<Plan>) {
    for (attempt, plan) in (1..).zip(plans) {
        let at = ws.ago(plan.ago);
        let brief = format!("brief:{key}");
        ws.at(ws.later(at, -0.2), CHIEF, |ws| Box::pin(begin(ws, brief)));
        let (key, tracker) = (key.to_owned(), tracker.map(str::to_owned));
        ws.at(at, CHIEF, move |ws| {
            Box::pin(make(ws, key, attempt, tracker, plan))
        });
    }
}

/// The chief of staff begins to plan.
async fn begin(ws: &mut Workspace<'_>, brief: String) -> Result<()> {
    let asked = loose_for(&ws.id(&brief)?, CHIEF_OF_STAFF);
    for ticket in ws.tx.rows::<ticket::Entity>(asked).await? {
        work::claim(ws, &ticket, &CHIEF).await?;
    }
    Ok(())
}

async fn make(
    ws: &mut Workspace<'_>,
    key: String,
    attempt: i32,
    tracker: Option<String>,
    content: Plan,
) -> Result<()> {
    let brief = ws
        .row::<prd::Entity>(&ws.id(&format!("brief:{key}"))?)
        .await?;
    let steps = content.steps.iter().map(Work::as_step).collect();
    let number = i64::from(count(&content.steps));
    let votes = json!([{ "model": "gpt-large", "choice": 0 }]);
    let votes = (content.candidates > 1).then_some(Json(votes));
    let new = NewPlan {
        channel_summary: content.summary.clone(),
        steps: Some(steps),
        estimated_tokens: Some(38_000 * number),
        estimated_cost_micros: Some(700_000 * number),
        drafted: execution_plan::ActiveModel {
            model: Set(Some("claude-opus".to_owned())),
            replan_reason: Set(content.reason.clone()),
            critique_score: Set(content.score),
            revised: Set(content.revised),
            candidate_count: Set(content.candidates),
            council_votes: Set(Large(votes)),
            ..Default::default()
        },
    };
    let plan = create_plan(&mut ws.tx, &brief.id, new).await?;
    ws.remember(format!("plan:{key}/{attempt}"), &plan.id);
    record_calls(ws, &plan);
    tell_decisions(ws, &plan, &content);
    let tracked = tracker.map(|key| format!("{key}-{}", 10 + attempt));
    tell_steps(
        ws,
        &plan,
        content,
        &format!("ticket:{key}/{attempt}"),
        tracked,
    )
    .await
}

fn record_calls(ws: &mut Workspace<'_>, plan: &execution_plan::Model) {
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
            ..Call::new(CHIEF_OF_STAFF, operation, plan.created_at)
        });
    }
}

fn tell_decisions(ws: &mut Workspace<'_>, plan: &execution_plan::Model, content: &Plan) {
    let decided = [
        (Verdict::Given(ApprovalDecision::Approved), &content.by),
        (Verdict::Given(ApprovalDecision::Paused), &content.paused),
        (Verdict::Cancelled, &content.cancelled),
    ];
    for (verdict, decision) in decided {
        if let Some(decision) = decision {
            let at = ws.soon(decision.hours);
            decisions::tell(ws, at, Subject::Plan(plan.id.clone()), verdict, decision);
        }
    }
    if content.status == ExecutionPlanStatus::PendingApproval {
        decisions::tell_overdue(ws, plan.approval_due_at, &plan.id, |tx, id| {
            Box::pin(escalate_plan(tx, id))
        });
    }
    if content.status == ExecutionPlanStatus::Failed {
        decisions::tell_invited(ws, UserRole::Admin, ReplySubject::Plan, &plan.id);
    }
}

/// Tells what becomes of the ticket of each step, named by its position.
async fn tell_steps(
    ws: &mut Workspace<'_>,
    plan: &execution_plan::Model,
    content: Plan,
    name: &str,
    tracked: Option<String>,
) -> Result<()> {
    let of_plan = ticket::Column::PlanId;
    let mut written = ws
        .tx
        .rows::<ticket::Entity>(|place| all_of(place.column(of_plan).eq(plan.id.as_str())))
        .await?;
    written.sort_by_key(|ticket| ticket.step_index);
    let approved = content.by.as_ref().map_or(0.0, |decision| decision.hours);
    let failed = content.status == ExecutionPlanStatus::Failed;
    for (place, (ticket, step)) in written.into_iter().zip(content.steps).enumerate() {
        ws.remember(format!("{name}/{place}"), &ticket.id);
        let from = ws.soon(approved + 0.2 + 2.6 * place as f64);
        if let Some(key) = &tracked {
            tell_mirrored(ws, ticket.id.clone(), format!("{key}{place}"));
        }
        if step.priority != ticket.priority {
            tell_urgent(ws, ticket.id.clone(), step.priority, ws.soon(approved));
        }
        if failed && step.is == TicketStatus::Cancelled {
            // What is left of a plan that failed.
            let at = ws.later(from, 20.0);
            tickets::tell_cancelled(ws, ticket.id, at, UserRole::Admin);
        } else {
            tickets::tell(ws, ticket.id, step, from);
        }
    }
    Ok(())
}

fn tell_mirrored(ws: &mut Workspace<'_>, id: Id, key: String) {
    ws.at(ws.soon(0.05), CHIEF, move |ws| {
        Box::pin(async move {
            let ticket = ws.row::<ticket::Entity>(&id).await?;
            tickets::mirror(ws, &ticket, "To do", Some(key)).await
        })
    });
}

/// At this moment somebody says that a ticket is urgent.
fn tell_urgent(ws: &mut Workspace<'_>, id: Id, priority: i32, at: Timestamp) {
    ws.at(at, Who::Person(UserRole::Admin), move |ws| {
        Box::pin(async move {
            let ticket = ws.row::<ticket::Entity>(&id).await?;
            let changes = ticket::ActiveModel {
                priority: Set(priority),
                ..Default::default()
            };
            ws.tx
                .update(&ticket, changes, "ticket.edited")
                .await
                .map(drop)
        })
    });
}
