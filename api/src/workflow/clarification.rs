//! Questions that hold up a brief or a ticket until somebody answers.

mod held_up;

use self::held_up::{HeldUp, go_on, lock};
use super::{
    agent, decider,
    notice::{self, Occasion},
    references::all_of,
    ticket,
};
use crate::{
    domain::{
        check,
        count::count,
        machine::{ClarificationConsequence, ClarificationStep, PRDStep, TicketConsequence},
    },
    error::{Error, Result},
    store::Tx,
};
use chrono::TimeDelta;
use entity::{
    Id, Json, Timestamp,
    clarification_request::{self, ClarificationRoute, ClarificationStatus, ClarificationUrgency},
    prd,
    tenant::TenantSettings,
    ticket::WaitingReason,
};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    Condition,
    sea_query::{Expr, ExprTrait},
};

/// The most questions that are open about one thing.
const MOST_OPEN: usize = 2;

/// The most rounds of questions about one thing.
const MOST_ROUNDS: i32 = 3;

/// A question that somebody asks.
pub(crate) struct Asked {
    pub(crate) question: String,
    pub(crate) context: Option<String>,
    pub(crate) options: Vec<String>,
    pub(crate) route_to: ClarificationRoute,
    pub(crate) urgency: ClarificationUrgency,
}

impl Asked {
    fn trimmed(self) -> Result<Self> {
        let context = { self.context }.map(|text| check::text("context", &text, 0, 5000));
        Ok(Self {
            question: check::text("question", &self.question, 1, 2000)?,
            context: context.transpose()?,
            options: check::texts("options", &self.options, 10, 200)?,
            ..self
        })
    }
}

/// Asks something about a brief, which waits for the answer.
///
/// # Errors
/// [`Error::BadUserInput`]; [`Error::Conflict`] when enough is asked already; as a step.
pub(crate) async fn ask(
    tx: &mut Tx<'_>,
    brief: &Id,
    asked: Asked,
) -> Result<clarification_request::Model> {
    let asked = asked.trimmed()?;
    let settings = decider::settings(tx).await?;
    let before = tx.get::<prd::Entity>(brief).await?;
    let round = round(&about(tx, &before.id).await?)?;
    let nothing = prd::ActiveModel::default();
    let brief = tx.take(&before, PRDStep::Ask, nothing).await?;
    put(tx, &settings, HeldUp::Brief(brief), round, asked).await
}

/// Asks something about the ticket of a job that an agent has. It waits for the answer, and the job for another agent.
///
/// # Errors
/// As [`ask`]; [`Error::StaleLease`] when the agent has the job no longer.
pub(crate) async fn ask_about_job(
    tx: &mut Tx<'_>,
    job: &Id,
    attempt: i32,
    asked: Asked,
) -> Result<clarification_request::Model> {
    let asked = asked.trimmed()?;
    let settings = decider::settings(tx).await?;
    let ticket = agent::hold_job(tx, job, attempt).await?;
    put_about_ticket(tx, &settings, ticket, asked).await
}

/// Asks something about a ticket, for whoever works on it. It waits for the answer.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn ask_about_ticket(
    tx: &mut Tx<'_>,
    ticket: &Id,
    asked: Asked,
) -> Result<clarification_request::Model> {
    let asked = asked.trimmed()?;
    let settings = decider::settings(tx).await?;
    // Its brief and its plan, who works on it need not see.
    let id = ticket.clone();
    let locked = tx.unseen(|tx| Box::pin(async move { ticket::lock(tx, &id).await }));
    let ticket = locked.await?.ticket;
    put_about_ticket(tx, &settings, ticket, asked).await
}

async fn put_about_ticket(
    tx: &mut Tx<'_>,
    settings: &TenantSettings,
    before: entity::ticket::Model,
    asked: Asked,
) -> Result<clarification_request::Model> {
    let id = before.id.clone();
    let earlier = tx.unseen(|tx| Box::pin(async move { about_ticket(tx, &id).await }));
    let round = round(&earlier.await?)?;
    let waiting = entity::ticket::ActiveModel {
        waiting_reason: Set(Some(WaitingReason::Clarification)),
        lease_expires_at: Set(None),
        heartbeat_at: Set(None),
        // Who asks has not failed.
        max_attempts: Set(before.max_attempts + 1),
        ..Default::default()
    };
    let ticket = match before.waiting_reason {
        // Something else about it was asked before.
        Some(WaitingReason::Clarification) => before,
        _ => {
            let ticket = tx.take(&before, TicketConsequence::Wait, waiting).await?;
            agent::return_jobs(tx, &ticket).await?;
            ticket
        }
    };
    put(tx, settings, HeldUp::Ticket(ticket), round, asked).await
}

/// Puts a question to those who can answer it.
async fn put(
    tx: &mut Tx<'_>,
    settings: &TenantSettings,
    about: HeldUp,
    round: i32,
    asked: Asked,
) -> Result<clarification_request::Model> {
    let hours = i64::from(settings.clarification_timeout_hours);
    let row = clarification_request::ActiveModel {
        prd_id: Set(about.brief().cloned()),
        ticket_id: Set(about.ticket().cloned()),
        question: Set(asked.question),
        context: Set(asked.context),
        options: Set(Json(asked.options)),
        route_to: Set(asked.route_to),
        urgency: Set(asked.urgency),
        status: Set(ClarificationStatus::Pending),
        round: Set(round),
        expires_at: Set(later(tx.now(), hours)),
        ..Default::default()
    };
    let asked = tx.insert(row, "clarification.created").await?;
    about.holds(tx);
    let (project, author) = (about.project(), about.author());
    notice::ask(tx, settings, &asked, project, author, Occasion::Asked).await?;
    Ok(asked)
}

fn later(at: Timestamp, hours: i64) -> Timestamp {
    Timestamp::new(at.inner() + TimeDelta::hours(hours))
}

/// The questions about a brief itself, locked. Those of its tickets hold up the tickets.
async fn about(tx: &Tx<'_>, brief: &Id) -> Result<Vec<clarification_request::Model>> {
    use clarification_request::Column::{PrdId, TicketId};
    tx.rows::<clarification_request::Entity>(|place| {
        all_of(place.column(PrdId).eq(brief.as_str())).add(place.column(TicketId).is_null())
    })
    .await
}

/// The questions about a ticket, locked.
async fn about_ticket(tx: &Tx<'_>, ticket: &Id) -> Result<Vec<clarification_request::Model>> {
    let of_ticket = clarification_request::Column::TicketId;
    tx.rows::<clarification_request::Entity>(|place| {
        all_of(place.column(of_ticket).eq(ticket.as_str()))
    })
    .await
}

/// Whether another question may be asked about a brief, of which these are the questions.
pub(crate) fn may_ask(asked: &[clarification_request::Model]) -> bool {
    let of_brief = asked.iter().filter(|asked| asked.ticket_id.is_none());
    round(&of_brief.cloned().collect::<Vec<_>>()).is_ok()
}

/// In which round the next question is.
fn round(earlier: &[clarification_request::Model]) -> Result<i32> {
    let open: Vec<_> = { earlier.iter() }
        .filter(|asked| asked.status == ClarificationStatus::Pending)
        .collect();
    if open.len() >= MOST_OPEN {
        return Err(Error::Conflict(format!(
            "{MOST_OPEN} questions about it are open already. Wait for their answers."
        )));
    }
    let last = earlier.iter().map(|asked| asked.round).max().unwrap_or(0);
    match open.first() {
        Some(asked) => Ok(asked.round),
        None if last < MOST_ROUNDS => Ok(last + 1),
        None => Err(Error::Conflict(format!(
            "There were {MOST_ROUNDS} rounds of questions about it. Change it, or decide on it as it is."
        ))),
    }
}

/// Answers a question. With the last open one its brief is drafted anew, or its ticket goes on.
///
/// # Errors
/// [`Error::BadUserInput`] when it is none of the answers to choose from; as a step.
pub(crate) async fn answer(
    tx: &mut Tx<'_>,
    id: &Id,
    response: &str,
) -> Result<clarification_request::Model> {
    let response = check::text("response", response, 1, 5000)?;
    let found = tx.find::<clarification_request::Entity>(id).await?;
    let held_up = lock(tx, found.as_ref()).await?;
    let question = tx.get::<clarification_request::Entity>(id).await?;
    if let (Some(given), Some(at)) = (&question.response, question.responded_at) {
        return match *given == response {
            true => Ok(question),
            false => Err(Error::Conflict(format!(
                "This question was answered already, at {at}: {given}"
            ))),
        };
    }
    let options = &question.options.0;
    if !options.is_empty() && !options.contains(&response) {
        let reason = format!("choose one of: {}", options.join(" | "));
        return Err(Error::bad_input("response", reason));
    }
    let changes = clarification_request::ActiveModel {
        response: Set(Some(response)),
        responded_by_id: Set(tx.writer().user_id().cloned()),
        responded_at: Set(Some(tx.now())),
        ..Default::default()
    };
    let answered = tx
        .take(&question, ClarificationStep::Answer, changes)
        .await?;
    held_up.holds(tx);
    notice::settle(tx, [&answered.id]).await?;
    go_on(tx, held_up).await?;
    Ok(answered)
}

/// After so many hours without an answer people are reminded: once, and then those who decide are told as well.
pub(crate) const REMINDERS: [i64; 2] = [24, 48];

/// Which questions are to be reminded of, or closed.
pub(crate) fn overdue(now: Timestamp) -> Condition {
    use clarification_request::Column::{CreatedAt, ExpiresAt, RemindersSent, Status};
    let mut due = Condition::any().add(Expr::col(ExpiresAt).lte(now));
    for (sent, hours) in (0..).zip(REMINDERS) {
        let since = later(now, -hours);
        due = due.add(
            Expr::col(RemindersSent)
                .eq(sent)
                .and(Expr::col(CreatedAt).lte(since)),
        );
    }
    all_of(Expr::col(Status).eq(ClarificationStatus::Pending.to_value())).add(due)
}

/// Reminds of a question, or closes it when its time is up: then what it held up goes on without an answer. Says whether
/// there was need.
pub(crate) async fn tend(tx: &mut Tx<'_>, id: &Id) -> Result<bool> {
    let settings = decider::settings(tx).await?;
    let found = tx.find::<clarification_request::Entity>(id).await?;
    let held_up = lock(tx, found.as_ref()).await?;
    let question = tx.get::<clarification_request::Entity>(id).await?;
    if question.status != ClarificationStatus::Pending {
        return Ok(false);
    }
    if question.expires_at <= tx.now() {
        let nothing = clarification_request::ActiveModel::default();
        tx.take(&question, ClarificationConsequence::Expire, nothing)
            .await?;
        held_up.holds(tx);
        notice::settle(tx, [&question.id]).await?;
        go_on(tx, held_up).await?;
        return Ok(true);
    }
    let due = { REMINDERS.iter() }
        .filter(|hours| later(question.created_at, **hours) <= tx.now())
        .count();
    if count(due) <= question.reminders_sent {
        return Ok(false);
    }
    let changes = clarification_request::ActiveModel {
        reminders_sent: Set(count(due)),
        ..Default::default()
    };
    let question = tx
        .update(&question, changes, "clarification.reminded")
        .await?;
    held_up.holds(tx);
    let (project, author) = (held_up.project(), held_up.author());
    let occasion = Occasion::Reminder(question.reminders_sent);
    notice::ask(tx, &settings, &question, project, author, occasion).await?;
    if due == REMINDERS.len() {
        notice::escalate_question(tx, &settings, &question, project).await?;
    }
    Ok(true)
}
