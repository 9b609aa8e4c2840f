//! What people are told, and what they want to be told.

use super::workspace::{Workspace, later};
use crate::error::Result;
use entity::{
    Json,
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

pub(super) async fn write(
    ws: &mut Workspace<'_>,
    notices: Vec<Notice>,
    subscriptions: Vec<Subscription>,
) -> Result<()> {
    for notice in notices {
        write_notice(ws, notice).await?;
    }
    for subscription in subscriptions {
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
            created_at: Set(ws.ago(66.0)),
            updated_at: Set(ws.ago(29.0)),
            ..Default::default()
        };
        ws.tx.insert(row, "subscription.created").await?;
    }
    Ok(())
}

async fn write_notice(ws: &mut Workspace<'_>, notice: Notice) -> Result<()> {
    let at = ws.ago(notice.ago);
    let delivery = notice.delivery.unwrap_or(DeliveryStatus::Sent);
    let attempts = match delivery {
        DeliveryStatus::Sent => 1,
        DeliveryStatus::Failed => 3,
        DeliveryStatus::Pending | DeliveryStatus::Suppressed => 0,
    };
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
    let read = notice.read.or(notice.dismissed);
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
            .map(|about| format!("{about}#{}", at.inner().timestamp()))),
        target_type: Set(kind.map(str::to_owned)),
        target_id: Set(target_id),
        delivery_status: Set(delivery),
        attempts: Set(attempts),
        last_error: Set(notice.error),
        sent_at: Set((delivery == DeliveryStatus::Sent).then(|| later(at, 0.001))),
        read_at: Set(read.map(|days| ws.ago(days))),
        dismissed_at: Set(notice.dismissed.map(|days| ws.ago(days))),
        created_at: Set(at),
        updated_at: Set(ws.ago(read.unwrap_or(notice.ago))),
        ..Default::default()
    };
    ws.tx.insert(row, "notification.created").await?;
    Ok(())
}
