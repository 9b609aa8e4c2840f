//! Questions that agents ask, and what became of them.

use super::{agenda::Who, drafting, tickets, work, workspace::Workspace, workspace::raw};
use crate::{
    error::{Error, Result},
    workflow::{self, Asked, REMINDERS, answer, ask, tend_question},
};
use entity::{
    Id,
    clarification_request::{self, ClarificationRoute, ClarificationStatus, ClarificationUrgency},
    user::UserRole,
};
use serde::Deserialize;

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

impl Question {
    fn asked(&self) -> Asked {
        Asked {
            question: self.question.clone(),
            context: self.context.clone(),
            options: self.options.clone(),
            route_to: self.route_to,
            urgency: self.urgency,
        }
    }
}

/// The analyst asks something about a brief, now.
pub(super) async fn ask_about_brief(
    ws: &mut Workspace<'_>,
    brief: &Id,
    question: Question,
) -> Result<()> {
    let row = ask(&mut ws.tx, brief, question.asked()).await?;
    goes_on(ws, row, question, None)
}

/// Whoever works on a ticket asks something about it, now.
pub(super) async fn ask_about_ticket(
    ws: &mut Workspace<'_>,
    ticket: &Id,
    question: Question,
    work: tickets::Work,
) -> Result<()> {
    let row = workflow::ask_about_ticket(&mut ws.tx, ticket, question.asked()).await?;
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
        let due = ws.hours.next(raw(ws.moment, hours as f64));
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
