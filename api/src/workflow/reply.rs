//! Decisions by reply to a message: tokens that are good for one decision, on one version, from one person on one channel.

use super::{
    decider::must_decide,
    decision::{Seen, Via, decide},
};
use crate::{
    auth::{REPLY, hash, mint},
    domain::{
        check,
        machine::{ExecutionPlanStep, PRDStep},
    },
    error::{Error, Result, named},
    store::Tx,
};
use chrono::TimeDelta;
use entity::{
    Id, Owned as _, Secret, Timestamp,
    approval::ApprovalChannel,
    auth_token::{self, AuthTokenKind, ReplyDecision},
    execution_plan::{self, ExecutionPlanStatus},
    prd::{self, PrdStatus},
};
use sea_orm::ActiveValue::Set;

/// How long a token is good.
const GOOD_FOR: TimeDelta = TimeDelta::days(7);

/// What a reply decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplySubject {
    Brief,
    Plan,
}

/// How a message about something reaches a person.
pub(crate) struct Addressee {
    pub(crate) channel: ApprovalChannel,
    pub(crate) identity: String,
}

/// A reply to a message.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) decision: ReplyDecision,
    pub(crate) reason: Option<String>,
    pub(crate) identity: String,
    pub(crate) message_link: Option<String>,
}

/// What came of a reply.
pub(crate) struct Outcome {
    pub(crate) subject_type: &'static str,
    pub(crate) subject: Id,
    pub(crate) status: String,
}

/// Makes a token with which the actor decides by reply; the transaction shows it once. Nobody makes one for others, in whose
/// name it would decide.
///
/// # Errors
/// [`Error::Conflict`] when nothing is to be decided, [`Error::Forbidden`] for who does not decide.
pub(crate) async fn invite(
    tx: &mut Tx<'_>,
    subject: ReplySubject,
    id: &Id,
    to: Addressee,
) -> Result<auth_token::Model> {
    let identity = check::line("channelIdentity", &to.identity, 1, 320)?;
    let user = must_decide(tx).await?;
    let (kind, subject_type, version, project, brief) = match subject {
        ReplySubject::Brief => {
            let brief = tx.keep::<prd::Entity>(id).await?;
            if brief.status != PrdStatus::PendingApproval {
                return Err(nothing_to_decide(named(brief.status)));
            }
            (
                AuthTokenKind::ApprovalReply,
                prd::Entity::KIND,
                brief.version,
                brief.project_id,
                brief.id,
            )
        }
        ReplySubject::Plan => {
            let plan = tx.keep::<execution_plan::Entity>(id).await?;
            let kind = match plan.status {
                ExecutionPlanStatus::PendingApproval => AuthTokenKind::ApprovalReply,
                ExecutionPlanStatus::Failed => AuthTokenKind::EscalationReply,
                other => return Err(nothing_to_decide(named(other))),
            };
            (
                kind,
                execution_plan::Entity::KIND,
                plan.attempt,
                plan.project_id,
                plan.prd_id,
            )
        }
    };
    let token = mint(REPLY);
    let row = auth_token::ActiveModel {
        kind: Set(kind),
        token_hash: Set(Secret::new(hash(&token))),
        user_id: Set(Some(user)),
        subject_type: Set(Some(subject_type.to_owned())),
        subject_id: Set(Some(id.clone())),
        subject_version: Set(Some(version)),
        channel: Set(Some(to.channel)),
        channel_identity: Set(Some(identity)),
        expires_at: Set(Timestamp::new(tx.now().inner() + GOOD_FOR)),
        ..Default::default()
    };
    let row = tx.insert(row, "reply_token.created").await?;
    tx.belong_to(1, &project, Some(&brief));
    tx.show_once(token);
    Ok(row)
}

fn nothing_to_decide(status: String) -> Error {
    Error::Conflict(format!(
        "Nothing is to be decided about it: it is {status}."
    ))
}

/// Decides as a reply says, in the name of whom its token was sent to. The token is used up by that; the same reply again is
/// answered with how it stands by then.
///
/// # Errors
/// [`Error::Conflict`] when it is too late, [`Error::Forbidden`] when it comes from somebody else; as a decision.
pub(crate) async fn decide_by_reply(tx: &mut Tx<'_>, token: &Id, reply: Reply) -> Result<Outcome> {
    // Who decides and what is decided on are locked before it.
    let kind = auth_token::Entity::KIND;
    let found = tx.find::<auth_token::Entity>(token).await?;
    let token = found.ok_or(Error::NotFound { kind })?;
    if token.channel_identity.as_deref() != Some(reply.identity.as_str()) {
        return Err(Error::Forbidden(
            "This was sent to somebody else, who alone can answer it.".to_owned(),
        ));
    }
    if token.answer == Some(reply.decision) && tx.now() < token.expires_at {
        return answered(tx, &token).await;
    }
    must_be_open(tx, &token)?;
    let outcome = decide_on(tx, &token, &reply).await?;
    let token = tx.get::<auth_token::Entity>(&token.id).await?;
    // Another reply may have come at the same moment.
    if token.answer != Some(reply.decision) {
        must_be_open(tx, &token)?;
        let used = auth_token::ActiveModel {
            consumed_at: Set(Some(tx.now())),
            answer: Set(Some(reply.decision)),
            ..Default::default()
        };
        tx.update(&token, used, "reply_token.used").await?;
    }
    Ok(outcome)
}

fn must_be_open(tx: &Tx<'_>, token: &auth_token::Model) -> Result<()> {
    if let Some(at) = token.consumed_at {
        return Err(Error::Conflict(match token.answer {
            Some(answer) => format!("This was answered with {} already, at {at}.", named(answer)),
            None => format!(
                "Whom this was sent to has ended all sessions, at {at}. Decide in the dashboard."
            ),
        }));
    }
    if token.expires_at <= tx.now() {
        return Err(Error::Conflict(format!(
            "It was to be answered until {}. Decide in the dashboard.",
            token.expires_at
        )));
    }
    Ok(())
}

/// How what a reply decided on stands by now.
async fn answered(tx: &Tx<'_>, token: &auth_token::Model) -> Result<Outcome> {
    let subject = subject(token)?;
    if is_of_brief(token) {
        let row = tx.find::<prd::Entity>(&subject).await?;
        let row = row.ok_or(Error::NotFound {
            kind: prd::Entity::KIND,
        })?;
        return Ok(Outcome::of_brief(&row));
    }
    let row = tx.find::<execution_plan::Entity>(&subject).await?;
    let row = row.ok_or(Error::NotFound {
        kind: execution_plan::Entity::KIND,
    })?;
    Ok(Outcome::of_plan(&row))
}

async fn decide_on(tx: &mut Tx<'_>, token: &auth_token::Model, reply: &Reply) -> Result<Outcome> {
    let channel = token.channel;
    let channel = channel.ok_or_else(|| Error::internal("a reply's token without a channel"))?;
    let seen = Seen {
        via: Via {
            channel,
            identity: Some(reply.identity.clone()),
            message_link: reply.message_link.clone(),
        },
        ..Seen::new(subject(token)?, token.subject_version, reply.reason.clone())?
    };
    if let Some(link) = &reply.message_link
        && !(link.starts_with("https://") || link.starts_with("http://"))
    {
        return Err(Error::bad_input(
            "messageLink",
            "begins with https:// or http://",
        ));
    }
    let must_say_why = matches!(
        reply.decision,
        ReplyDecision::Reject | ReplyDecision::Redirect
    );
    if must_say_why && seen.reason.is_none() {
        return Err(Error::bad_input("reason", "is needed"));
    }
    match (is_of_brief(token), step(token.kind, reply.decision)?) {
        (true, (Some(step), _)) => Ok(Outcome::of_brief(&decide(tx, step, seen).await?)),
        (true, (None, _)) => Err(no_answer(token.kind)),
        (false, (_, step)) => Ok(Outcome::of_plan(&decide(tx, step, seen).await?)),
    }
}

fn subject(token: &auth_token::Model) -> Result<Id> {
    let subject = token.subject_id.clone();
    subject.ok_or_else(|| Error::internal("a reply's token without a subject"))
}

fn is_of_brief(token: &auth_token::Model) -> bool {
    token.subject_type.as_deref() == Some(prd::Entity::KIND)
}

impl Outcome {
    fn of_brief(row: &prd::Model) -> Self {
        Self {
            subject_type: prd::Entity::KIND,
            subject: row.id.clone(),
            status: named(row.status),
        }
    }

    fn of_plan(row: &execution_plan::Model) -> Self {
        Self {
            subject_type: execution_plan::Entity::KIND,
            subject: row.id.clone(),
            status: named(row.status),
        }
    }
}

/// The steps that a reply means, for a brief and for a plan.
fn step(
    kind: AuthTokenKind,
    decision: ReplyDecision,
) -> Result<(Option<PRDStep>, ExecutionPlanStep)> {
    use ReplyDecision::{Approve, Cancel, Pause, Redirect, Reject, Retry};
    let escalated = kind == AuthTokenKind::EscalationReply;
    Ok(match (decision, escalated) {
        (Approve, false) => (Some(PRDStep::Approve), ExecutionPlanStep::Approve),
        (Reject, false) => (Some(PRDStep::Reject), ExecutionPlanStep::Reject),
        (Redirect, false) => (Some(PRDStep::Redirect), ExecutionPlanStep::Redirect),
        (Retry, true) => (None, ExecutionPlanStep::Retry),
        (Pause, true) => (None, ExecutionPlanStep::Pause),
        (Cancel, true) => (None, ExecutionPlanStep::Cancel),
        _ => return Err(no_answer(kind)),
    })
}

fn no_answer(kind: AuthTokenKind) -> Error {
    let answers = match kind {
        AuthTokenKind::EscalationReply => "RETRY, PAUSE or CANCEL",
        _ => "APPROVE, REJECT or REDIRECT",
    };
    Error::bad_input("decision", format!("answer with {answers}"))
}
