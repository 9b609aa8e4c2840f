//! Questions that agents ask, and what became of them.

use super::{agenda::Who, drafting, tickets, work, workspace::Workspace, workspace::raw};
use crate::{
    error::{Error, Result},
    workflow::{Asked, answer, ask, tend_question},
};
use entity::{
    Id, Json,
    clarification_request::{self, ClarificationRoute, ClarificationStatus, ClarificationUrgency},
    ticket,
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;

/// Hours after which people are reminded.
const REMINDERS: [f64; 2] = [24.0, 48.0];

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Question {
    question: String,
    context: Option<String>,
    #[serde(default)]
    options: Vec<String>,
    route_to: ClarificationRoute,
    #[serde(default)]
    urgency: ClarificationUrgency,
    #[serde(default)]
    status: ClarificationStatus,
    response: Option<String>,
    /// Who answered.
    by: Option<UserRole>,
    #[serde(default = "this_morning")]
    pub(super) ago: f64,
}

fn this_morning() -> f64 {
    0.35
}

/// The analyst asks something about a brief, now.
pub(super) async fn ask_about_brief(
    ws: &mut Workspace<'_>,
    brief: &Id,
    question: Question,
) -> Result<()> {
    let asked = Asked {
        prd_id: brief.clone(),
        question: question.question.clone(),
        context: question.context.clone(),
        options: question.options.clone(),
        route_to: question.route_to,
        urgency: question.urgency,
    };
    let row = ask(&mut ws.tx, asked).await?;
    goes_on(ws, row, question, None)
}

/// Whoever works on a ticket asks something about it, now.
pub(super) async fn ask_about_ticket(
    ws: &mut Workspace<'_>,
    ticket: &ticket::Model,
    question: Question,
    work: tickets::Work,
) -> Result<()> {
    let row = clarification_request::ActiveModel {
        ticket_id: Set(Some(ticket.id.clone())),
        prd_id: Set(ticket.prd_id.clone()),
        question: Set(question.question.clone()),
        context: Set(question.context.clone()),
        options: Set(Json(question.options.clone())),
        route_to: Set(question.route_to),
        urgency: Set(question.urgency),
        status: Set(ClarificationStatus::Pending),
        expires_at: Set(raw(ws.moment, ws.patience)),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "clarification.created").await?;
    goes_on(ws, row, question, Some(work))
}

/// Tells what becomes of a question: somebody answers, or people are reminded until its time is up.
fn goes_on(
    ws: &mut Workspace<'_>,
    row: clarification_request::Model,
    asked: Question,
    work: Option<tickets::Work>,
) -> Result<()> {
    if asked.status == ClarificationStatus::Answered {
        let (Some(role), Some(response)) = (asked.by, asked.response) else {
            return Err(Error::internal("the demo has an answer of nobody"));
        };
        ws.at(ws.soon(3.0), Who::Person(role), move |ws| {
            Box::pin(async move {
                answer(&mut ws.tx, &row.id, &response).await?;
                is_settled(ws, row, work).await
            })
        });
        return Ok(());
    }
    let ends = raw(ws.moment, ws.patience);
    for hours in REMINDERS {
        let due = ws.hours.next(raw(ws.moment, hours));
        if due <= ws.now && due < ends {
            let id = row.id.clone();
            ws.at(due, Who::Server("clarifications"), move |ws| {
                Box::pin(async move { tend_question(&mut ws.tx, &id).await.map(drop) })
            });
        }
    }
    if asked.status == ClarificationStatus::Expired {
        let ends = ws.hours.next(ends);
        ws.at(ends, Who::Server("clarifications"), move |ws| {
            Box::pin(async move {
                tend_question(&mut ws.tx, &row.id).await?;
                is_settled(ws, row, work).await
            })
        });
    }
    Ok(())
}

/// What a question held up goes on.
async fn is_settled(
    ws: &mut Workspace<'_>,
    question: clarification_request::Model,
    work: Option<tickets::Work>,
) -> Result<()> {
    match (question.ticket_id, question.prd_id, work) {
        (Some(ticket), _, Some(work)) => work::go_on(ws, ticket, work),
        (_, Some(brief), _) => drafting::again(ws, brief, None).await?,
        _ => {}
    }
    Ok(())
}
