//! Decisions on briefs, plans, tickets and skill packages.

use super::workspace::Workspace;
use crate::error::Result;
use entity::{
    Id, Json, Large, Timestamp,
    approval::{self, ApprovalChannel, ApprovalDecision, ApprovalSubject},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::json;

/// Who decided, how, and when.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// None when a rule decided.
    pub(super) by: Option<UserRole>,
    /// For whom a delegate decided.
    #[serde(rename = "for")]
    instead_of: Option<UserRole>,
    #[serde(default)]
    channel: ApprovalChannel,
    /// Hours after its subject came about.
    #[serde(default = "an_afternoon")]
    pub(super) hours: f64,
    reason: Option<String>,
    rule: Option<String>,
}

fn an_afternoon() -> f64 {
    6.0
}

impl Decision {
    /// A decision without a reason.
    pub(super) fn plain(by: UserRole, channel: ApprovalChannel) -> Self {
        Self {
            by: Some(by),
            instead_of: None,
            channel,
            hours: an_afternoon(),
            reason: None,
            rule: None,
        }
    }
}

/// What is decided on.
pub(super) enum Subject {
    Brief(Id),
    Plan(Id),
    Ticket(Id),
    SkillPackage(Id),
}

pub(super) async fn write(
    ws: &mut Workspace<'_>,
    subject: Subject,
    project_id: Option<Id>,
    version: i32,
    kind: ApprovalDecision,
    decision: &Decision,
    at: Timestamp,
) -> Result<()> {
    let is_web = decision.channel == ApprovalChannel::Web;
    let email = decision.by.map(|role| ws.email(role));
    let channel = if decision.by.is_none() {
        ApprovalChannel::Api
    } else {
        decision.channel
    };
    let mut row = approval::ActiveModel {
        project_id: Set(project_id),
        decision: Set(kind),
        reason: Set(decision.reason.clone()),
        user_id: Set(decision.by.map(|role| ws.user(role)).transpose()?),
        actor: Set(ws.actor(decision.by, "auto_approve")),
        external_actor_ref: Set(email.clone().filter(|_| !is_web)),
        actor_email: Set(email),
        on_behalf_of_user_id: Set(decision.instead_of.map(|role| ws.user(role)).transpose()?),
        channel: Set(channel),
        message_link: Set((!is_web).then(|| {
            format!(
                "https://messages.example/{}/{}",
                ws.slug,
                cuid2::create_id()
            )
        })),
        subject_version: Set(version),
        diff: Set(Large::new(Json(json!({ "after": { "decision": kind } })))),
        rule_matched: Set(decision.rule.clone()),
        idempotency_key: Set(is_web.then(cuid2::create_id)),
        created_at: Set(at),
        ..Default::default()
    };
    let (subject_type, column, id) = match subject {
        Subject::Brief(id) => (ApprovalSubject::Brief, &mut row.prd_id, id),
        Subject::Plan(id) => (ApprovalSubject::Plan, &mut row.plan_id, id),
        Subject::Ticket(id) => (ApprovalSubject::Ticket, &mut row.ticket_id, id),
        Subject::SkillPackage(id) => (ApprovalSubject::SkillPackage, &mut row.skill_package_id, id),
    };
    *column = Set(Some(id));
    row.subject_type = Set(subject_type);
    ws.tx.insert(row, "approval.created").await?;
    if let Some(reason) = &decision.reason {
        ws.tx.explain(reason);
    }
    Ok(())
}
