//! What waits for the answer to a question, and how it goes on.

use super::{about, about_ticket};
use crate::{
    domain::machine::TicketConsequence,
    error::Result,
    store::Tx,
    workflow::{brief, ticket},
};
use entity::{
    Id,
    clarification_request::{self, ClarificationStatus},
    prd::{self, PrdStatus},
    ticket::{TicketStatus, WaitingReason},
};
use serde_json::{Value, json};

/// What a question holds up.
pub(super) enum HeldUp {
    Brief(prd::Model),
    Ticket(entity::ticket::Model),
    Nothing,
}

impl HeldUp {
    pub(super) fn project(&self) -> Option<&Id> {
        match self {
            Self::Brief(brief) => Some(&brief.project_id),
            Self::Ticket(ticket) => Some(&ticket.project_id),
            Self::Nothing => None,
        }
    }

    pub(super) fn brief(&self) -> Option<&Id> {
        match self {
            Self::Brief(brief) => Some(&brief.id),
            Self::Ticket(ticket) => ticket.prd_id.as_ref(),
            Self::Nothing => None,
        }
    }

    pub(super) fn ticket(&self) -> Option<&Id> {
        match self {
            Self::Ticket(ticket) => Some(&ticket.id),
            Self::Brief(_) | Self::Nothing => None,
        }
    }

    /// Who wrote it.
    pub(super) fn author(&self) -> Option<&Id> {
        match self {
            Self::Brief(brief) => brief.created_by_id.as_ref(),
            Self::Ticket(_) | Self::Nothing => None,
        }
    }

    /// Says of the entry just made, about the question, that it belongs to this.
    pub(super) fn holds(&self, tx: &mut Tx<'_>) {
        if let Some(project) = self.project() {
            tx.belong_to(1, project, self.brief());
        }
    }
}

/// What a question holds up, locked before the question is.
pub(super) async fn lock(
    tx: &Tx<'_>,
    question: Option<&clarification_request::Model>,
) -> Result<HeldUp> {
    let Some(question) = question else {
        return Ok(HeldUp::Nothing);
    };
    Ok(match (&question.ticket_id, &question.prd_id) {
        (Some(ticket), _) => HeldUp::Ticket(ticket::lock(tx, ticket).await?.ticket),
        (None, Some(brief)) => HeldUp::Brief(tx.get::<prd::Entity>(brief).await?),
        (None, None) => HeldUp::Nothing,
    })
}

/// Lets go on what a question held up, if it was the last one.
pub(super) async fn go_on(tx: &mut Tx<'_>, held_up: HeldUp) -> Result<()> {
    let asked = match &held_up {
        HeldUp::Brief(brief) => about(tx, &brief.id).await?,
        HeldUp::Ticket(ticket) => about_ticket(tx, &ticket.id).await?,
        HeldUp::Nothing => return Ok(()),
    };
    let is_open =
        |asked: &clarification_request::Model| asked.status == ClarificationStatus::Pending;
    if asked.iter().any(is_open) {
        return Ok(());
    }
    match held_up {
        HeldUp::Brief(brief) if brief.status == PrdStatus::NeedsClarification => {
            brief::redraft(tx, &brief, answers(&asked)).await
        }
        HeldUp::Ticket(waiting)
            if waiting.status == TicketStatus::Waiting
                && waiting.waiting_reason == Some(WaitingReason::Clarification) =>
        {
            let changes = ticket::unclaimed();
            let ready = tx
                .take(&waiting, TicketConsequence::Answer, changes)
                .await?;
            ticket::hold_if_paused(tx, ready).await.map(drop)
        }
        _ => Ok(()),
    }
}

/// What the last round was answered, for who drafts with it.
fn answers(asked: &[clarification_request::Model]) -> Value {
    let last = asked.iter().map(|asked| asked.round).max();
    let of_last = asked.iter().filter(|asked| Some(asked.round) == last);
    let mut of_last: Vec<_> = of_last.collect();
    of_last.sort_by_key(|asked| asked.created_at);
    of_last
        .into_iter()
        .map(|asked| json!({ "question": asked.question, "answer": asked.response }))
        .collect()
}
