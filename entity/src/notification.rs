//! `notifications`: what people are told, and whether it arrived and was read.

use crate::prelude::*;

text_enum! {
    /// How a notification reaches a person.
    NotificationChannel {
        /// The bell in the web dashboard.
        InApp,
        /// Slack.
        Slack,
        /// E-mail.
        Email,
        /// Google Chat.
        Gchat,
        /// Microsoft Teams.
        Teams,
        /// WhatsApp.
        Whatsapp,
        /// SMS.
        Sms,
    }
}

text_enum! {
    /// What a notification is.
    NotificationType {
        /// Something happened.
        Info,
        /// Something went well.
        Success,
        /// Something may need attention.
        Warning,
        /// Something failed.
        Error,
        /// A brief, plan or result waits for a decision.
        ApprovalRequest,
        /// An agent asks something.
        Clarification,
        /// A failure that a person must look at.
        Escalation,
        /// A day or a week in one message.
        Digest,
    }
}

text_enum! {
    /// Whether a notification was delivered.
    DeliveryStatus {
        /// Waiting to be sent, for the first time or again.
        Pending,
        /// Handed to the channel.
        Sent,
        /// Given up after three tries.
        Failed,
        /// Not sent because of quiet hours; it goes into the next digest.
        Suppressed,
    }
}

/// A message to one person or to the whole tenant. Whether it was delivered and whether it was read are kept apart.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "notifications", rename_all = "camelCase")]
#[graphql(name = "NotificationRow")]
pub struct Model {
    /// The notification's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// Whom it is for; null when it is for everyone of the tenant.
    pub user_id: Option<Id>,
    /// The project it is about; null when it is about none.
    pub project_id: Option<Id>,
    /// How it reaches the person.
    pub channel: NotificationChannel,
    /// What it is.
    #[sea_orm(column_name = "type")]
    pub kind: NotificationType,
    /// The message in one line.
    pub title: String,
    /// The message in full.
    pub message: String,
    /// What a page needs to lead to the subject: `referenceId`, `referenceType`, `prdId`; null when nothing.
    pub metadata: Option<Json<serde_json::Value>>,
    /// What kind of thing it is about, such as `Ticket`; null when it is about none.
    pub target_type: Option<String>,
    /// The id of the thing it is about; null when it is about none.
    pub target_id: Option<Id>,
    /// Whether it was delivered.
    pub delivery_status: DeliveryStatus,
    /// How often sending it was tried, at most three times.
    pub attempts: i32,
    /// Why the last try failed; null when none failed.
    pub last_error: Option<String>,
    /// When it was sent; null before that.
    pub sent_at: Option<Timestamp>,
    /// When it was read; null while it is unread.
    pub read_at: Option<Timestamp>,
    /// When it was put away; null before that.
    pub dismissed_at: Option<Timestamp>,
    /// The key that keeps the same message from being sent twice, unique within the tenant; null when it may be.
    pub dedupe_key: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(Notification, user UserId);
