//! `notification_subscriptions`: what a person wants to hear of, and how.

use crate::{notification::NotificationChannel, prelude::*};

text_enum! {
    /// What a person may be told of.
    SubscriptionEvent {
        /// A meeting is over and its transcript is there.
        MeetingEnded,
        /// A brief was drafted.
        BriefGenerated,
        /// Something waits for a decision.
        ApprovalNeeded,
        /// A plan's tickets were created.
        TicketsCreated,
        /// An agent failed.
        AgentError,
        /// An agent asks something.
        Clarification,
        /// A failure needs a person.
        Escalation,
        /// A plan was made, replaced or finished.
        PlanUpdates,
        /// The summary of the day.
        DailyDigest,
        /// The summary of the week.
        WeeklyDigest,
    }
}

text_enum! {
    /// When a person is told.
    SubscriptionMode {
        /// At once, outside quiet hours.
        Realtime,
        /// With the next digest.
        Digest,
    }
}

/// Whether and how a person is told of one kind of event.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "notification_subscriptions", rename_all = "camelCase")]
#[graphql(name = "NotificationSubscriptionRow")]
pub struct Model {
    /// The subscription's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The person.
    pub user_id: Id,
    /// The project whose events it is about; null means all projects.
    pub project_id: Option<Id>,
    /// What the person is told of.
    pub event: SubscriptionEvent,
    /// How the person is told.
    pub channel: NotificationChannel,
    /// Whether the person is told at all.
    pub enabled: bool,
    /// When the person is told.
    pub mode: SubscriptionMode,
    /// When the quiet hours begin, as `HH:MM`; null when there are none.
    pub quiet_hours_start: Option<String>,
    /// When the quiet hours end, as `HH:MM`, on the next day if before their beginning; null when there are none.
    pub quiet_hours_end: Option<String>,
    /// The time zone of the quiet hours, such as `Europe/Berlin`; null takes the tenant's.
    pub timezone: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(NotificationSubscription, user UserId);
