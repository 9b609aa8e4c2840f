//! What people are told, and what they want to be told.

use super::{agenda::Who, workspace::Workspace};
use crate::{domain::machine::DeliveryStep, error::Result};
use entity::{
    Id, Json,
    notification::{self, DeliveryStatus, NotificationChannel, NotificationType},
    notification_subscription::{self, SubscriptionEvent, SubscriptionMode},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notice {
    /// None tells everyone.
    to: Option<UserRole>,
    #[serde(default)]
    channel: NotificationChannel,
    #[serde(rename = "type")]
    kind: NotificationType,
    title: String,
    message: String,
    /// A row's name, such as `brief:pickup-slots`.
    about: Option<String>,
    ago: f64,
    /// Sent unless it says otherwise.
    delivery: Option<DeliveryStatus>,
    error: Option<String>,
    read: Option<f64>,
    dismissed: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subscription {
    role: UserRole,
    event: SubscriptionEvent,
    channel: NotificationChannel,
    project: Option<String>,
    #[serde(default)]
    mode: SubscriptionMode,
    /// When the quiet hours begin and end.
    quiet: Option<[String; 2]>,
    #[serde(default)]
    off: bool,
}

pub(super) fn tell(ws: &mut Workspace<'_>, notices: Vec<Notice>, subscriptions: Vec<Subscription>) {
    for notice in notices {
        ws.at(ws.ago(notice.ago), Who::Server("notifications"), |ws| {
            Box::pin(write_notice(ws, notice))
        });
    }
    for (place, subscription) in subscriptions.into_iter().enumerate() {
        let who = Who::Person(subscription.role);
        ws.at(ws.ago(66.0 - 0.2 * place as f64), who, |ws| {
            Box::pin(write_subscription(ws, subscription))
        });
    }
}

async fn write_subscription(ws: &mut Workspace<'_>, subscription: Subscription) -> Result<()> {
    let [start, end] = subscription
        .quiet
        .map_or([None, None], |quiet| quiet.map(Some));
    let row = notification_subscription::ActiveModel {
        user_id: Set(ws.user(subscription.role)?),
        project_id: Set(ws.some("project", subscription.project.as_ref())?),
        event: Set(subscription.event),
        channel: Set(subscription.channel),
        enabled: Set(!subscription.off),
        mode: Set(subscription.mode),
        quiet_hours_start: Set(start),
        quiet_hours_end: Set(end),
        ..Default::default()
    };
    ws.tx.insert(row, "subscription.created").await?;
    Ok(())
}

async fn write_notice(ws: &mut Workspace<'_>, notice: Notice) -> Result<()> {
    let target_id = notice
        .about
        .as_deref()
        .map(|name| ws.id(name))
        .transpose()?;
    let kind = notice
        .about
        .as_deref()
        .and_then(|name| name.split_once(':'))
        .map(|(kind, _)| match kind {
            "brief" => "PRD",
            "plan" => "ExecutionPlan",
            "meeting" => "Meeting",
            _ => "Ticket",
        });
    // What is shown in the dashboard need not be sent anywhere.
    let is_shown = notice.channel == NotificationChannel::InApp;
    let row = notification::ActiveModel {
        user_id: Set(notice.to.map(|role| ws.user(role)).transpose()?),
        channel: Set(notice.channel),
        kind: Set(notice.kind),
        title: Set(notice.title),
        message: Set(notice.message),
        metadata: Set(target_id
            .as_ref()
            .map(|id| Json(json!({ "referenceId": id, "referenceType": kind })))),
        dedupe_key: Set(notice
            .about
            .map(|about| format!("{about}#{}", ws.moment.inner().timestamp()))),
        target_type: Set(kind.map(str::to_owned)),
        target_id: Set(target_id),
        delivery_status: Set(match is_shown {
            true => DeliveryStatus::Sent,
            false => DeliveryStatus::Pending,
        }),
        sent_at: Set(is_shown.then_some(ws.moment)),
        ..Default::default()
    };
    let id = ws.tx.insert(row, "notification.created").await?.id;
    if !is_shown {
        let delivery = notice.delivery.unwrap_or(DeliveryStatus::Sent);
        let (id, error) = (id.clone(), notice.error);
        ws.at(ws.soon(0.02), Who::Server("notifications"), move |ws| {
            Box::pin(deliver(ws, id, delivery, error))
        });
    }
    let reader = Who::Person(notice.to.unwrap_or(UserRole::Owner));
    for (days, dismissed) in [(notice.read, false), (notice.dismissed, true)] {
        let Some(days) = days else { continue };
        let id = id.clone();
        ws.at(ws.ago(days), reader.clone(), move |ws| {
            Box::pin(put_away(ws, id, dismissed))
        });
    }
    Ok(())
}

async fn deliver(
    ws: &mut Workspace<'_>,
    id: Id,
    delivery: DeliveryStatus,
    error: Option<String>,
) -> Result<()> {
    let (attempts, step) = match delivery {
        DeliveryStatus::Sent => (1, DeliveryStep::Send),
        DeliveryStatus::Failed => (3, DeliveryStep::Fail),
        DeliveryStatus::Suppressed => (0, DeliveryStep::Suppress),
        DeliveryStatus::Pending => return Ok(()),
    };
    let row = ws.row::<notification::Entity>(&id).await?;
    let changes = notification::ActiveModel {
        attempts: Set(attempts),
        last_error: Set(error),
        sent_at: Set((delivery == DeliveryStatus::Sent).then_some(ws.moment)),
        ..Default::default()
    };
    ws.tx.take(&row, step, changes).await.map(drop)
}

/// Whoever was told has read it, or needs it no more.
async fn put_away(ws: &mut Workspace<'_>, id: Id, dismissed: bool) -> Result<()> {
    let row = ws.row::<notification::Entity>(&id).await?;
    let mut changes = notification::ActiveModel {
        read_at: Set(Some(row.read_at.unwrap_or(ws.moment))),
        ..Default::default()
    };
    if dismissed {
        changes.dismissed_at = Set(Some(ws.moment));
    }
    let action = match dismissed {
        true => "notification.dismissed",
        false => "notification.read",
    };
    ws.tx.update(&row, changes, action).await.map(drop)
}
