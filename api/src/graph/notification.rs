//! What people are told, and whether it arrived and was read.

use super::prelude::*;
use entity::notification;

node! {
    /// A message to one person or to the whole tenant. Whether it was delivered and whether it was read are kept apart.
    Notification in notification (notification, notifications) {
        columns {
            id: IdFilter,
            user_id: IdFilter,
            project_id: IdFilter,
            channel: EnumFilter<notification::NotificationChannel>,
            kind: EnumFilter<notification::NotificationType>,
            title: StringFilter,
            message: StringFilter,
            target_type: StringFilter,
            target_id: IdFilter,
            delivery_status: EnumFilter<notification::DeliveryStatus>,
            attempts: IntFilter,
            last_error: StringFilter,
            sent_at: DateTimeFilter,
            read_at: DateTimeFilter,
            dismissed_at: DateTimeFilter,
            dedupe_key: StringFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// Whom it is for; null when it is for everyone.
            user: User by user_id,
            /// The project it is about; null when about none.
            project: Project by project_id,
        }
    }
    fields {

        /// The thing it is about, as it is now; null when it is about none or that is gone.
        async fn target(&self, ctx: &Context<'_>) -> Nullable<AnyNode> {
            match (&self.row.target_type, &self.row.target_id) {
                (Some(kind), Some(id)) => Ok(AnyNode::load(ctx.scope(), kind, id).await?),
                _ => Ok(None),
            }
        }
    }
}

impl NotificationFilter {
    /// What the bell of the web dashboard still shows.
    pub(super) fn unread() -> Self {
        Self {
            channel: Some(EnumFilter::is(notification::NotificationChannel::InApp)),
            read_at: Some(DateTimeFilter::none()),
            dismissed_at: Some(DateTimeFilter::none()),
            ..Self::default()
        }
    }
}
