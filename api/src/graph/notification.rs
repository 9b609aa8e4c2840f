//! What people are told, and whether it arrived and was read.

use super::{
    constraints::size,
    filter::RowFilter,
    prelude::*,
    shared::count,
    write::{Once, Write, mutations},
};
use crate::{
    Error,
    auth::Action,
    store::{PageArgs, Tx},
    workflow::all_of,
};
use async_graphql::{InputObject, value};
use entity::{
    Id, Owned as _,
    notification::{self, NotificationChannel},
    user,
};
use sea_orm::{ActiveEnum, ActiveValue::Set, Condition, sea_query::ExprTrait};
use std::collections::BTreeSet;

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
            let row = self.row()?;
            match (&row.target_type, &row.target_id) {
                (Some(kind), Some(id)) => Ok(AnyNode::load(ctx, kind, id).await?),
                _ => Ok(None),
            }
        }
    }
}

/// What the bell of the web dashboard still shows.
///
/// # Errors
/// None, as long as these are the columns' names.
pub(super) fn unread() -> crate::Result<RowFilter> {
    let unread = value!({
        "channel": { "eq": "IN_APP" },
        "readAt": { "isNull": true },
        "dismissedAt": { "isNull": true },
    });
    RowFilter::new(Notification::row_type(), unread)
}

/// The same of those that whoever asks can put away.
fn unread_of(ctx: &Context<'_>) -> crate::Result<RowFilter> {
    if ctx.may(Action::AnswerForAll) {
        return unread();
    }
    let unread = value!({
        "channel": { "eq": "IN_APP" },
        "readAt": { "isNull": true },
        "dismissedAt": { "isNull": true },
        "userId": { "isNull": false },
    });
    RowFilter::new(Notification::row_type(), unread)
}

/// How many the bell shows of whoever asks.
///
/// # Errors
/// If the database fails.
pub(super) async fn unread_count(ctx: &Context<'_>) -> crate::Result<i32> {
    // The bell is one, whichever project somebody is at work in.
    let scope = &ctx.scope().across_projects();
    let (shape, page) = (notification::Entity::shape(), PageArgs::default());
    let list = scope.list(shape, None, Some(&unread_of(ctx)?), Vec::new(), &page)?;
    Ok(count(scope.count(None, &list).await?))
}

/// Which of your notifications were read.
#[derive(InputObject, Clone)]
pub struct MarkNotificationsReadInput {
    /// Their ids, at most 200; left out or null, all that the bell shows of you.
    #[graphql(directive = size::apply(0, 200))]
    ids: Option<Vec<Id>>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for MarkNotificationsReadInput {
    type Entity = user::Entity;
    const ACTION: Action = Action::EditAccount;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<user::Model> {
        let read = notification::ActiveModel {
            read_at: Set(Some(tx.now())),
            ..Default::default()
        };
        let column = notification::Column::ReadAt;
        put_away(tx, self.ids, column, read, "notification.read").await
    }
}

/// Which of your notifications are put away.
#[derive(InputObject, Clone)]
pub struct DismissNotificationsInput {
    /// Their ids, at most 200; left out or null, all that the bell shows of you.
    #[graphql(directive = size::apply(0, 200))]
    ids: Option<Vec<Id>>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for DismissNotificationsInput {
    type Entity = user::Entity;
    const ACTION: Action = Action::EditAccount;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<user::Model> {
        let dismissed = notification::ActiveModel {
            dismissed_at: Set(Some(tx.now())),
            ..Default::default()
        };
        let column = notification::Column::DismissedAt;
        put_away(tx, self.ids, column, dismissed, "notification.dismissed").await
    }
}

/// So many notifications are put away at a time.
const MOST: u64 = 500;

/// Changes those of the actor's own notifications that have no time in this column yet. What is for everyone is nobody's to
/// put away but of those who decide.
async fn put_away(
    tx: &mut Tx<'_>,
    ids: Option<Vec<Id>>,
    column: notification::Column,
    changes: notification::ActiveModel,
    action: &'static str,
) -> crate::Result<user::Model> {
    use notification::Column::{Channel, DismissedAt, Id as NotificationId, ReadAt, UserId};
    let actor = tx.scope().actor();
    let user = actor.user_id().cloned();
    let user = user.ok_or_else(|| Error::Forbidden("Only people are notified.".to_owned()))?;
    let for_all = crate::auth::authorize(actor, Action::AnswerForAll).is_ok();
    let named = ids.as_ref().map(|ids| ids.iter().map(Id::as_str));
    let wanted: BTreeSet<&Id> = ids.iter().flatten().collect();
    let found = tx
        .newest_rows::<notification::Entity>(MOST, |place| {
            let mine = Condition::any()
                .add(place.column(UserId).eq(user.as_str()))
                .add_option(for_all.then(|| place.column(UserId).is_null()));
            let which = match named {
                Some(named) => place.column(NotificationId).is_in(named),
                None => place
                    .column(Channel)
                    .eq(NotificationChannel::InApp.to_value())
                    .and(place.column(ReadAt).is_null())
                    .and(place.column(DismissedAt).is_null()),
            };
            all_of(which).add(mine)
        })
        .await?;
    if found.len() < wanted.len() {
        let seen = tx
            .unlocked_rows::<notification::Entity>(|place| {
                let named = wanted.iter().map(|id| id.as_str());
                all_of(place.column(NotificationId).is_in(named))
            })
            .await?;
        if seen.len() == wanted.len() {
            return Err(Error::Forbidden(
                "What everyone is told of is put away by admins.".to_owned(),
            ));
        }
        return Err(Error::NotFound {
            kind: notification::Entity::KIND,
        });
    }
    let is_new = |row: &notification::Model| match column {
        notification::Column::ReadAt => row.read_at.is_none(),
        _ => row.dismissed_at.is_none(),
    };
    let new: Vec<_> = found.into_iter().filter(is_new).collect();
    tx.update_each::<notification::Entity, _>(&new, changes, action)
        .await?;
    tx.keep::<user::Entity>(&user).await
}

mutations! { NotificationMutation {
    /// Marks notifications as read: yours, and as an admin also those that are for everyone. At most 500 at a time, the
    /// newest.
    mark_notifications_read(MarkNotificationsReadInput) -> MarkNotificationsReadPayload { user: User };
    /// Puts notifications away: yours, and as an admin also those that are for everyone. At most 500 at a time, the newest.
    dismiss_notifications(DismissNotificationsInput) -> DismissNotificationsPayload { user: User };
} }
