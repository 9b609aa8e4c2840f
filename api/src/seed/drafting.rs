//! Briefs drafted anew, because somebody sent them back or answered what was asked.

use super::{agenda::Who, briefs, usage::Call, work, workspace::Workspace};
use crate::{
    domain::machine::TicketConsequence,
    error::Result,
    workflow::{ANALYST, loose_for},
};
use entity::{
    Id, Json, Large,
    api_usage::ApiOperation,
    prd,
    ticket::{self, TicketStatus},
};
use sea_orm::{ActiveEnum, ActiveValue::Set, sea_query::ExprTrait};
use serde_json::json;

/// What another draft says, and whether it is left undecided.
type Redraft = (prd::ActiveModel, bool);

/// The analyst drafts a brief anew, if it is to be; with changes it is handed in again.
pub(super) async fn again(ws: &mut Workspace<'_>, id: Id, changes: Option<Redraft>) -> Result<()> {
    ws.act(&Who::Server(ANALYST))?;
    let asked = loose_for(&id, ANALYST);
    let asked = ws.tx.rows::<ticket::Entity>(|place| {
        let ready = TicketStatus::Ready.to_value();
        asked(place).add(place.column(ticket::Column::Status).eq(ready))
    });
    for ticket in asked.await? {
        let (id, changes, brief) = (ticket.id.clone(), changes.clone(), id.clone());
        ws.at(ws.soon(0.1), Who::Server(ANALYST), |ws| {
            Box::pin(async move {
                let claimed = work::claim(ws, &ticket, &Who::Server(ANALYST)).await?;
                ws.at(ws.soon(0.4), Who::Server(ANALYST), |ws| {
                    Box::pin(redraft(ws, brief, claimed, changes))
                });
                Ok(())
            })
        });
        ws.calls.push(Call {
            ticket: Some(id),
            ..Call::new(ANALYST, ApiOperation::Brief, ws.moment)
        });
    }
    Ok(())
}

async fn redraft(
    ws: &mut Workspace<'_>,
    id: Id,
    ticket: ticket::Model,
    changes: Option<Redraft>,
) -> Result<()> {
    let brief = ws.row::<prd::Entity>(&id).await?;
    let is_left = changes.as_ref().map(|(_, is_left)| *is_left);
    if let Some((changes, _)) = changes {
        ws.tx.update(&brief, changes, "brief.drafted").await?;
    }
    let done = ticket::ActiveModel {
        result: Set(Large(Some(Json(json!({ "version": brief.version }))))),
        confidence: Set(brief.confidence),
        completed_at: Set(Some(ws.moment)),
        ..work::unleased()
    };
    ws.tx.take(&ticket, TicketConsequence::Finish, done).await?;
    if let Some(is_left) = is_left {
        briefs::tell_submitted(ws, &id, ws.soon(0.4), is_left);
    }
    Ok(())
}
