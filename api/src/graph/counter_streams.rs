//! Counters, live: the dashboard's, and the bell's.

use super::{
    dashboard::Dashboard,
    notification::unread_count,
    prelude::*,
    queue_stream::MovesInterest,
    subscription::{FramePlace, subscriptions},
};
use crate::{
    auth::{Actor, rows, sees_entry},
    live::{Interest, Matched},
    store::{Event, Feed},
};
use async_graphql::{ComplexObject, SimpleObject};
use entity::{Id, Owned, Table, agent_job, audit_log, meeting, notification, prd, ticket};
use futures_util::future::BoxFuture;

/// A frame of `dashboardChanged`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct DashboardFrame {
    #[graphql(flatten)]
    place: FramePlace,
    #[graphql(skip)]
    project_id: Option<Id>,
    #[graphql(skip)]
    changed: bool,
}

#[ComplexObject]
impl DashboardFrame {
    /// The numbers as they are now; null in a frame that only tells the position.
    async fn dashboard(&self, ctx: &Context<'_>) -> Nullable<Dashboard> {
        let project = self.project_id.as_ref().or(ctx.scope().actor().project());
        Ok(self.changed.then(|| Dashboard {
            project: project.cloned(),
        }))
    }
}

/// A frame of `unreadNotificationsChanged`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct UnreadFrame {
    #[graphql(flatten)]
    place: FramePlace,
    #[graphql(skip)]
    changed: bool,
}

#[ComplexObject]
impl UnreadFrame {
    /// How many the bell shows now; null in a frame that only tells the position.
    async fn unread(&self, ctx: &Context<'_>) -> Nullable<i32> {
        if !self.changed {
            return Ok(None);
        }
        Ok(Some(unread_count(ctx).await?))
    }
}

/// What the dashboard counts.
const COUNTED: [&str; 4] = [
    meeting::Entity::KIND,
    prd::Entity::KIND,
    ticket::Entity::KIND,
    agent_job::Entity::KIND,
];

/// Notifications that come or are read.
struct BellInterest;

impl Interest for BellInterest {
    fn permits(&self, actor: &Actor) -> crate::Result<()> {
        rows(actor, Table::Notification).map(drop)
    }

    fn names(&self, entry: &audit_log::Model, actor: &Actor) -> bool {
        entry.target_type == notification::Entity::KIND && sees_entry(actor, entry)
    }

    fn matches<'a>(
        &'a self,
        _: &'a Event,
        _: &'a Feed,
        _: &'a Actor,
    ) -> BoxFuture<'a, crate::Result<Matched>> {
        Box::pin(async { Ok(Matched::Yes(None)) })
    }
}

subscriptions! {
    /// Counters, live.
    CounterSubscription {
        /// Tells the dashboard's numbers whenever a meeting, a brief, a ticket or a job comes, goes or moves. A view of the
        /// ledger: nothing is lost between `after` and now.
        dashboard_changed("Only what is in this project." project_id: Option<Id>) -> DashboardFrame {
            follows: |_ctx| MovesInterest { kinds: &COUNTED, project_id: project_id.clone(), approvals: false },
            shows: |place, occurrence| DashboardFrame {
                place,
                project_id: project_id.clone(),
                changed: occurrence.event.is_some(),
            },
        }

        /// Tells how many notifications the bell shows, whenever one comes or is read. A view of the ledger: nothing is lost
        /// between `after` and now.
        unread_notifications_changed() -> UnreadFrame {
            follows: |_ctx| BellInterest,
            shows: |place, occurrence| UnreadFrame { place, changed: occurrence.event.is_some() },
        }
    }
}
