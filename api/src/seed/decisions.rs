//! Decisions on briefs, plans and tickets, as people make them: in the dashboard, or by a reply to a message.

use super::{
    agenda::Who,
    workspace::{Workspace, raw},
};
use crate::{
    domain::machine::{ExecutionPlanStep, PRDStep, TicketStep},
    error::{Error, Result},
    store::Tx,
    workflow::{Addressee, Reply, ReplySubject, Seen, decide, decide_by_reply, invite},
};
use entity::{
    Id, Timestamp,
    approval::{ApprovalChannel, ApprovalDecision},
    auth_token::ReplyDecision,
    user::UserRole,
};
use futures_util::future::BoxFuture;
use serde::Deserialize;

/// Who decided, how, and when.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// None when a rule decided.
    pub(super) by: Option<UserRole>,
    #[serde(default)]
    channel: ApprovalChannel,
    /// Hours after its subject came about.
    #[serde(default = "an_afternoon")]
    pub(super) hours: f64,
    reason: Option<String>,
}

fn an_afternoon() -> f64 {
    6.0
}

impl Decision {
    /// A decision in the dashboard, without a reason.
    pub(super) fn plain(by: UserRole) -> Self {
        Self {
            by: Some(by),
            channel: ApprovalChannel::Web,
            hours: an_afternoon(),
            reason: None,
        }
    }
}

/// What is decided on.
#[derive(Clone)]
pub(super) enum Subject {
    Brief(Id),
    Plan(Id),
    Ticket(Id),
}

/// What is decided.
#[derive(Clone, Copy)]
pub(super) enum Verdict {
    Given(ApprovalDecision),
    /// To stop it.
    Cancelled,
}

/// At this moment somebody decides, unless a rule does.
pub(super) fn tell(
    ws: &mut Workspace<'_>,
    at: Timestamp,
    subject: Subject,
    verdict: Verdict,
    decision: &Decision,
) {
    let Some(role) = decision.by else {
        return;
    };
    let (who, decision) = (Who::Person(role), decision.clone());
    let replied = match (&subject, verdict) {
        (Subject::Brief(id), Verdict::Given(verdict)) => reply(verdict, ReplySubject::Brief, id),
        (Subject::Plan(id), Verdict::Given(verdict)) => reply(verdict, ReplySubject::Plan, id),
        _ => None,
    };
    let by_message = decision.channel != ApprovalChannel::Web;
    if let Some((of, id, replied)) = replied.filter(|_| by_message) {
        let asked = ws.later(at, -0.4);
        ws.at(asked, who.clone(), move |ws| {
            Box::pin(async move {
                let identity = ws.email(role);
                let to = Addressee {
                    channel: decision.channel,
                    identity: identity.clone(),
                };
                let token = invite(&mut ws.tx, of, &id, to).await?.id;
                let link = format!(
                    "https://messages.example/{}/{}",
                    ws.slug,
                    cuid2::create_id()
                );
                let reply = Reply {
                    decision: replied,
                    reason: decision.reason,
                    identity,
                    message_link: Some(link),
                };
                ws.at(at, who, move |ws| {
                    Box::pin(async move {
                        let decided = decide_by_reply(&mut ws.tx, &token, reply).await;
                        decided.map(drop)
                    })
                });
                Ok(())
            })
        });
        return;
    }
    ws.at(at, who, move |ws| {
        Box::pin(take(ws, subject, verdict, decision.reason))
    });
}

/// Since yesterday somebody has a message by which they can decide.
pub(super) fn tell_invited(ws: &mut Workspace<'_>, role: UserRole, of: ReplySubject, id: &Id) {
    let id = id.clone();
    ws.at(ws.ago(1.0), Who::Person(role), move |ws| {
        Box::pin(async move {
            let to = Addressee {
                channel: ApprovalChannel::Email,
                identity: ws.email(role),
            };
            invite(&mut ws.tx, of, &id, to).await.map(drop)
        })
    });
}

/// Until now those who decide are told each day of what should have been decided.
pub(super) fn tell_overdue(
    ws: &mut Workspace<'_>,
    due: Option<Timestamp>,
    id: &Id,
    escalate: for<'t> fn(&'t mut Tx<'_>, &'t Id) -> BoxFuture<'t, Result<bool>>,
) {
    let mut told = due.map(|due| ws.hours.next(due));
    while let Some(at) = told.filter(|at| *at <= ws.now) {
        let id = id.clone();
        ws.at(at, Who::Server("approvals"), move |ws| {
            Box::pin(async move { escalate(&mut ws.tx, &id).await.map(drop) })
        });
        told = Some(ws.hours.next(raw(at, 24.0)));
    }
}

/// What a reply to a message says, and about what; nothing where none can say so.
fn reply(
    verdict: ApprovalDecision,
    of: ReplySubject,
    id: &Id,
) -> Option<(ReplySubject, Id, ReplyDecision)> {
    let says = match verdict {
        ApprovalDecision::Approved => ReplyDecision::Approve,
        ApprovalDecision::Rejected => ReplyDecision::Reject,
        ApprovalDecision::Redirected => ReplyDecision::Redirect,
        ApprovalDecision::Paused | ApprovalDecision::Resumed => return None,
    };
    Some((of, id.clone(), says))
}

async fn take(
    ws: &mut Workspace<'_>,
    subject: Subject,
    verdict: Verdict,
    reason: Option<String>,
) -> Result<()> {
    use ApprovalDecision::{Approved, Paused, Redirected, Rejected, Resumed};
    let seen = |id: Id| Seen::new(id, None, reason);
    let tx = &mut ws.tx;
    match (subject, verdict) {
        (Subject::Brief(id), Verdict::Given(verdict)) => {
            let step = match verdict {
                Approved => PRDStep::Approve,
                Rejected => PRDStep::Reject,
                Redirected => PRDStep::Redirect,
                Paused => PRDStep::Pause,
                Resumed => PRDStep::Resume,
            };
            decide(tx, step, seen(id)?).await.map(drop)
        }
        (Subject::Plan(id), verdict) => {
            let step = match verdict {
                Verdict::Given(Approved) => ExecutionPlanStep::Approve,
                Verdict::Given(Rejected) => ExecutionPlanStep::Reject,
                Verdict::Given(Redirected) => ExecutionPlanStep::Redirect,
                Verdict::Given(Paused) => ExecutionPlanStep::Pause,
                Verdict::Given(Resumed) => ExecutionPlanStep::Resume,
                Verdict::Cancelled => ExecutionPlanStep::Cancel,
            };
            decide(tx, step, seen(id)?).await.map(drop)
        }
        (Subject::Ticket(id), Verdict::Given(Approved)) => {
            decide(tx, TicketStep::Approve, seen(id)?).await.map(drop)
        }
        _ => Err(Error::internal("the demo decides what nobody can")),
    }
}
