//! What a person wants to hear of, and how.

use super::prelude::*;
use entity::notification_subscription;

node! {
    /// Whether and how a person is told of one kind of event.
    NotificationSubscription in notification_subscription (notification_subscription, notification_subscriptions) {
        columns {
            id: IdFilter,
            user_id: IdFilter,
            project_id: IdFilter,
            event: EnumFilter<notification_subscription::SubscriptionEvent>,
            channel: EnumFilter<entity::notification::NotificationChannel>,
            enabled: BooleanFilter,
            mode: EnumFilter<notification_subscription::SubscriptionMode>,
            quiet_hours_start: StringFilter,
            quiet_hours_end: StringFilter,
            timezone: StringFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Whose choice it is.
            user: User by user_id,
            /// The project it is limited to; null for all projects.
            project: Project by project_id,
        }
    }
}
