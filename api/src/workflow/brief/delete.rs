//! Briefs that are deleted, with all that belongs to them.

use super::super::{notice, references::all_of, ticket};
use crate::{
    domain::machine::PRDStep,
    error::{Error, Result},
    store::{Place, Tx},
};
use entity::{
    Id, execution_plan,
    prd::{self, PrdStatus},
    ticket::TicketStatus,
};
use sea_orm::{ActiveValue::Set, Condition, sea_query::ExprTrait};

/// Deletes a brief with its plans, tickets, questions, links and decisions. Nobody need act on any of it any more.
///
/// # Errors
/// [`Error::Conflict`] while an agent works on a ticket of it, or an open brief revises it.
pub(crate) async fn delete_brief(tx: &mut Tx<'_>, id: &Id) -> Result<()> {
    // As approving a revision locks them.
    let revisions = tx.rows::<prd::Entity>(revisions_of(id)).await?;
    let brief = tx.get::<prd::Entity>(id).await?;
    let now = tx.unlocked_rows::<prd::Entity>(revisions_of(id)).await?;
    if now.iter().any(is_open) || now.len() != revisions.len() {
        return Err(Error::Conflict(
            "Another brief revises this one. Reject or delete that one first.".to_owned(),
        ));
    }
    // Plans are locked before tickets.
    tx.rows::<execution_plan::Entity>(|place| {
        all_of(place.column(execution_plan::Column::PrdId).eq(id.as_str()))
    })
    .await?;
    let claimed = tx
        // All of them: one that is ready may be claimed at this moment.
        .rows::<entity::ticket::Entity>(ticket::of(id))
        .await?;
    let is_claimed = |ticket: &&entity::ticket::Model| ticket.status == TicketStatus::Claimed;
    if let Some(claimed) = claimed.iter().find(is_claimed) {
        return Err(Error::Conflict(format!(
            "An agent works on its ticket `{}`. Cancel the ticket or its plan first.",
            claimed.title
        )));
    }
    let pointing_nowhere = prd::ActiveModel {
        supersedes_id: Set(None),
        ..Default::default()
    };
    tx.update_each::<prd::Entity, _>(&revisions, pointing_nowhere, "brief.edited")
        .await?;
    let gone = tx.take_away(&brief, PRDStep::Delete).await?;
    notice::settle(tx, gone.iter()).await
}

/// The briefs that revise one.
fn revisions_of(id: &Id) -> impl Fn(Place<'_>) -> Condition + use<> {
    let id = id.clone();
    move |place| all_of(place.column(prd::Column::SupersedesId).eq(id.as_str()))
}

/// Whether a brief is not decided yet.
fn is_open(brief: &prd::Model) -> bool {
    matches!(
        brief.status,
        PrdStatus::Draft | PrdStatus::NeedsClarification | PrdStatus::PendingApproval
    )
}
