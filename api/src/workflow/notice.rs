//! What people are told in the dashboard about what they can act on, in the transaction that causes it.

mod budget;
mod question;

pub(super) use self::{
    budget::budget,
    question::{Occasion, ask, escalate_question},
};

use super::{decider, references::all_of};
use crate::{
    error::Result,
    store::{Place, Tx},
};
use entity::{
    Id, Json, Owned, clarification_request, execution_plan,
    notification::{self, DeliveryStatus, NotificationChannel, NotificationType},
    prd::{self, PrdStatus},
    tenant::TenantSettings,
    ticket,
    user::{self, UserRole},
};
use sea_orm::{ActiveEnum, ActiveValue::Set, Condition, sea_query::ExprTrait};
use serde_json::json;

/// The part of the server that tells people.
const COMPONENT: &str = "notifications";

/// The longest message, in characters.
const LONGEST: usize = 1000;

/// Something to be told about a row.
struct Notice<'n> {
    kind: NotificationType,
    title: String,
    message: String,
    /// What makes it another notice than an earlier one about the same.
    occasion: String,
    about: About<'n>,
}

/// What a notice is about.
#[derive(Clone, Copy)]
struct About<'n> {
    kind: &'static str,
    id: &'n Id,
    project: Option<&'n Id>,
    brief: Option<&'n Id>,
}

impl<'n> About<'n> {
    fn brief(brief: &'n prd::Model) -> Self {
        Self {
            kind: prd::Entity::KIND,
            id: &brief.id,
            project: Some(&brief.project_id),
            brief: Some(&brief.id),
        }
    }

    fn plan(plan: &'n execution_plan::Model) -> Self {
        Self {
            kind: execution_plan::Entity::KIND,
            id: &plan.id,
            project: Some(&plan.project_id),
            brief: Some(&plan.prd_id),
        }
    }

    fn ticket(ticket: &'n ticket::Model) -> Self {
        Self {
            kind: ticket::Entity::KIND,
            id: &ticket.id,
            project: Some(&ticket.project_id),
            brief: ticket.prd_id.as_ref(),
        }
    }

    fn question(question: &'n clarification_request::Model, project: Option<&'n Id>) -> Self {
        Self {
            kind: clarification_request::Entity::KIND,
            id: &question.id,
            project,
            brief: question.prd_id.as_ref(),
        }
    }
}

/// Tells those who decide that a brief waits for them.
pub(super) async fn ask_to_decide(
    tx: &mut Tx<'_>,
    settings: &TenantSettings,
    brief: &prd::Model,
) -> Result<()> {
    let notice = Notice {
        kind: NotificationType::ApprovalRequest,
        title: format!("Approve the brief \"{}\"?", brief.title),
        message: brief.summary.clone(),
        occasion: format!("version {}", brief.version),
        about: About::brief(brief),
    };
    tell_deciders(tx, settings, notice).await
}

/// Tells those who decide that a plan waits for them.
pub(super) async fn ask_to_decide_plan(
    tx: &mut Tx<'_>,
    settings: &TenantSettings,
    plan: &execution_plan::Model,
    brief: &prd::Model,
) -> Result<()> {
    let notice = Notice {
        kind: NotificationType::ApprovalRequest,
        title: format!("Approve the plan for \"{}\"?", brief.title),
        message: plan.channel_summary.clone(),
        occasion: "plan".to_owned(),
        about: About::plan(plan),
    };
    tell_deciders(tx, settings, notice).await
}

/// Tells those who decide that what came of a ticket waits for them.
pub(super) async fn ask_to_decide_ticket(
    tx: &mut Tx<'_>,
    settings: &TenantSettings,
    ticket: &ticket::Model,
) -> Result<()> {
    let notice = Notice {
        kind: NotificationType::ApprovalRequest,
        title: format!("Approve the result of \"{}\"?", ticket.title),
        message: "Its agent has handed it in.".to_owned(),
        occasion: format!("attempt {}", ticket.attempt_count),
        about: About::ticket(ticket),
    };
    tell_deciders(tx, settings, notice).await
}

/// Tells those who decide that a ticket failed that is in no plan, so that nothing takes its place.
pub(super) async fn ticket_failed(tx: &mut Tx<'_>, ticket: &ticket::Model) -> Result<()> {
    let notice = Notice {
        kind: NotificationType::Escalation,
        title: format!("\"{}\" has failed", ticket.title),
        message: ticket.error.clone().unwrap_or_default(),
        occasion: format!("failed {}", ticket.attempt_count),
        about: About::ticket(ticket),
    };
    let settings = decider::settings(tx).await?;
    tell_deciders(tx, &settings, notice).await
}

/// Tells those who decide that a plan failed.
pub(super) async fn escalate(
    tx: &mut Tx<'_>,
    plan: &execution_plan::Model,
    why: &str,
) -> Result<()> {
    let notice = Notice {
        kind: NotificationType::Escalation,
        title: format!(
            "The plan for \"{}\" failed in attempt {}",
            brief_of(tx, plan).await?,
            plan.attempt
        ),
        message: why.to_owned(),
        occasion: "failed".to_owned(),
        about: About::plan(plan),
    };
    let settings = decider::settings(tx).await?;
    tell_deciders(tx, &settings, notice).await
}

/// Tells those who decide that nothing of a plan can go on, because tickets of it were stopped.
pub(super) async fn stuck(tx: &mut Tx<'_>, plan: &execution_plan::Model) -> Result<()> {
    let notice = Notice {
        kind: NotificationType::Escalation,
        title: format!(
            "The plan for \"{}\" cannot go on: tickets of it were stopped",
            brief_of(tx, plan).await?
        ),
        message: "Cancel the plan, or have it made anew.".to_owned(),
        occasion: "stuck".to_owned(),
        about: About::plan(plan),
    };
    let settings = decider::settings(tx).await?;
    tell_deciders(tx, &settings, notice).await
}

/// Tells those who decide that a brief has waited for them too long.
pub(super) async fn overdue_brief(
    tx: &mut Tx<'_>,
    settings: &TenantSettings,
    brief: &prd::Model,
) -> Result<()> {
    let title = format!("The brief \"{}\" still waits for a decision", brief.title);
    let notice = overdue(tx, title, &brief.summary, About::brief(brief));
    tell_deciders(tx, settings, notice).await
}

/// Tells those who decide that a plan has waited for them too long.
pub(super) async fn overdue_plan(
    tx: &mut Tx<'_>,
    settings: &TenantSettings,
    plan: &execution_plan::Model,
) -> Result<()> {
    let title = format!(
        "The plan for \"{}\" still waits for a decision",
        brief_of(tx, plan).await?
    );
    let notice = overdue(tx, title, &plan.channel_summary, About::plan(plan));
    tell_deciders(tx, settings, notice).await
}

/// What the brief of a plan is called.
async fn brief_of(tx: &Tx<'_>, plan: &execution_plan::Model) -> Result<String> {
    let brief = tx.find::<prd::Entity>(&plan.prd_id).await?;
    Ok(brief.map(|brief| brief.title).unwrap_or_default())
}

fn overdue<'n>(tx: &Tx<'_>, title: String, message: &str, about: About<'n>) -> Notice<'n> {
    Notice {
        kind: NotificationType::Escalation,
        title,
        message: message.to_owned(),
        occasion: format!("overdue {}", tx.now()),
        about,
    }
}

/// People of the workspace, also where an agent acts, who does not see them.
async fn people(
    tx: &mut Tx<'_>,
    condition: impl FnOnce(Place<'_>) -> Condition,
) -> Result<Vec<user::Model>> {
    tx.begin_by_itself(COMPONENT);
    let found = tx.unlocked_rows::<user::Entity>(condition).await;
    tx.end_by_itself();
    found
}

/// Those who decide, but for who acts.
async fn deciders(tx: &mut Tx<'_>, settings: &TenantSettings) -> Result<Vec<Id>> {
    let roles = [UserRole::Owner, UserRole::Admin].map(|role| role.to_value());
    let delegation = settings.delegation.as_ref();
    let delegation = delegation.filter(|delegation| tx.now() < delegation.until);
    let found = people(tx, |place| {
        let id = place.column(user::Column::Id);
        let delegate = delegation.map(|to| id.eq(to.user_id.as_str()));
        Condition::any()
            .add(place.column(user::Column::Role).is_in(roles))
            .add_option(delegate)
    })
    .await?;
    let decides = |user: &user::Model| matches!(user.role, UserRole::Owner | UserRole::Admin);
    let stood_in_for = found
        .iter()
        .find(|user| delegation.is_some_and(|to| to.for_user_id == user.id));
    let standing = decider::delegation(settings, stood_in_for).filter(|_| delegation.is_some());
    let stands_in = |user: &user::Model| {
        user.role == UserRole::Member && standing.is_some_and(|to| to.user_id == user.id)
    };
    let actor = tx.writer().user_id();
    let people = found.iter().filter(|user| decides(user) || stands_in(user));
    Ok(people
        .map(|user| user.id.clone())
        .filter(|user| Some(user) != actor)
        .collect())
}

/// Tells who wrote a brief what was decided about it.
pub(super) async fn tell_author(
    tx: &mut Tx<'_>,
    brief: &prd::Model,
    reason: Option<&str>,
) -> Result<()> {
    let actor = tx.writer().user_id();
    let author = brief.created_by_id.clone();
    let Some(author) = author.filter(|author| Some(author) != actor) else {
        return Ok(());
    };
    let (kind, what) = match brief.status {
        PrdStatus::Approved => (NotificationType::Success, "approved"),
        PrdStatus::Rejected => (NotificationType::Warning, "turned down"),
        _ => (NotificationType::Warning, "sent back"),
    };
    let notice = Notice {
        kind,
        title: format!("Your brief \"{}\" was {what}", brief.title),
        message: reason.unwrap_or(&brief.summary).to_owned(),
        occasion: format!("{what} {}", brief.version),
        about: About::brief(brief),
    };
    tell(tx, vec![author], notice).await
}

/// Tells those who decide, but for who acts.
async fn tell_deciders(
    tx: &mut Tx<'_>,
    settings: &TenantSettings,
    notice: Notice<'_>,
) -> Result<()> {
    let people = deciders(tx, settings).await?;
    tell(tx, people, notice).await
}

/// Tells each of these people once.
async fn tell(tx: &mut Tx<'_>, people: Vec<Id>, notice: Notice<'_>) -> Result<()> {
    let now = tx.now();
    let message: String = notice.message.chars().take(LONGEST).collect();
    let row = |user: Id| notification::ActiveModel {
        project_id: Set(notice.about.project.cloned()),
        channel: Set(NotificationChannel::InApp),
        kind: Set(notice.kind),
        title: Set(notice.title.clone()),
        message: Set(message.clone()),
        metadata: Set(Some(Json(json!({
            "referenceId": notice.about.id, "referenceType": notice.about.kind, "prdId": notice.about.brief,
        })))),
        target_type: Set(Some(notice.about.kind.to_owned())),
        target_id: Set(Some(notice.about.id.clone())),
        delivery_status: Set(DeliveryStatus::Sent),
        sent_at: Set(Some(now)),
        dedupe_key: Set(Some(format!(
            "{}:{}:{}:{user}",
            notice.about.kind, notice.about.id, notice.occasion
        ))),
        user_id: Set(Some(user)),
        ..Default::default()
    };
    let rows = people.into_iter().map(row).collect();
    let unique = notification::Column::DedupeKey;
    tx.insert_missing(rows, unique, "notification.created")
        .await
        .map(drop)
}

/// Nobody need act on these any more: what people were asked about them counts as read.
pub(super) async fn settle<'i>(
    tx: &mut Tx<'_>,
    targets: impl IntoIterator<Item = &'i Id>,
) -> Result<()> {
    let targets: Vec<&str> = targets.into_iter().map(Id::as_str).collect();
    if targets.is_empty() {
        return Ok(());
    }
    // They are other people's, whom the actor does not see.
    tx.begin_by_itself(COMPONENT);
    let settled = mark_read(tx, &targets).await;
    tx.end_by_itself();
    settled
}

async fn mark_read(tx: &mut Tx<'_>, targets: &[&str]) -> Result<()> {
    use notification::Column::{Channel, Kind, ReadAt, TargetId};
    let asks = [
        NotificationType::ApprovalRequest,
        NotificationType::Clarification,
        NotificationType::Escalation,
    ];
    let asked = tx
        .rows::<notification::Entity>(|place| {
            all_of(place.is_any_of(TargetId, targets))
                .add(
                    place
                        .column(Channel)
                        .eq(NotificationChannel::InApp.to_value()),
                )
                .add(place.column(Kind).is_in(asks.map(|kind| kind.to_value())))
                .add(place.column(ReadAt).is_null())
        })
        .await?;
    let read = notification::ActiveModel {
        read_at: Set(Some(tx.now())),
        ..Default::default()
    };
    tx.update_each::<notification::Entity, _>(&asked, read, "notification.read")
        .await
        .map(drop)
}
