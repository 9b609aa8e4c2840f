//! Questions that agents ask, and what became of them.

use super::workspace::{Workspace, later};
use crate::error::Result;
use entity::{
    Id, Json,
    clarification_request::{self, ClarificationRoute, ClarificationStatus, ClarificationUrgency},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;

#[derive(Deserialize)]
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
    ago: f64,
}

fn this_morning() -> f64 {
    0.35
}

pub(super) async fn write(
    ws: &mut Workspace<'_>,
    asked: &Question,
    brief: Option<&Id>,
    ticket: Option<&Id>,
) -> Result<()> {
    let at = ws.ago(asked.ago);
    let expires = later(at, ws.patience);
    let (reminders, changed) = match asked.status {
        ClarificationStatus::Pending => (asked.ago as i32, later(at, 24.0 * asked.ago.floor())),
        ClarificationStatus::Answered => (0, later(at, 3.0)),
        ClarificationStatus::Expired => (2, expires),
    };
    let row = clarification_request::ActiveModel {
        ticket_id: Set(ticket.cloned()),
        prd_id: Set(brief.cloned()),
        question: Set(asked.question.clone()),
        context: Set(asked.context.clone()),
        options: Set(Json(asked.options.clone())),
        route_to: Set(asked.route_to),
        urgency: Set(asked.urgency),
        status: Set(asked.status),
        response: Set(asked.response.clone()),
        responded_by_id: Set(asked.by.map(|role| ws.user(role)).transpose()?),
        responded_at: Set(asked.by.map(|_| changed)),
        expires_at: Set(expires),
        reminders_sent: Set(reminders),
        created_at: Set(at),
        updated_at: Set(changed),
        ..Default::default()
    };
    ws.tx.insert(row, "clarification.created").await?;
    Ok(())
}
