//! What waits for a decision, live.

use super::{
    prelude::*,
    shared,
    subscription::{FramePlace, in_project, subscriptions},
};
use crate::{
    auth::{Actor, rows},
    live::{Interest, Matched, change},
    store::{Event, Feed},
};
use async_graphql::{ComplexObject, SimpleObject};
use entity::{
    Id, Owned, Table,
    audit_log::{self, AuditDiff},
    execution_plan, prd, ticket,
};
use futures_util::future::BoxFuture;

/// A frame of `approvalQueueChanged`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ApprovalQueueFrame {
    #[graphql(flatten)]
    place: FramePlace,
    #[graphql(skip)]
    project_id: Option<Id>,
    #[graphql(skip)]
    changed: bool,
}

#[ComplexObject]
impl ApprovalQueueFrame {
    /// How much waits now; null in a frame that only tells the position.
    async fn waiting(&self, ctx: &Context<'_>) -> Nullable<i32> {
        if !self.changed {
            return Ok(None);
        }
        let scope = ctx.scope();
        let project = self.project_id.as_ref().or(scope.actor().project());
        let queue = scope.queue(project, None, None, None)?;
        Ok(Some(shared::count(scope.queue_count(&queue).await?)))
    }
}

/// Rows of these kinds that come, go or move: what puts something into a queue or changes a count.
pub(super) struct MovesInterest {
    pub(super) kinds: &'static [&'static str],
    pub(super) project_id: Option<Id>,
    /// Whether approvals count that others must join, though they move nothing yet.
    pub(super) approvals: bool,
}

/// What the queue is made of.
const QUEUED: [&str; 3] = [
    prd::Entity::KIND,
    execution_plan::Entity::KIND,
    ticket::Entity::KIND,
];

impl Interest for MovesInterest {
    fn permits(&self, actor: &Actor) -> crate::Result<()> {
        rows(actor, Table::PRD).map(drop)
    }

    fn names(&self, entry: &audit_log::Model, actor: &Actor) -> bool {
        self.kinds.contains(&entry.target_type.as_str())
            && in_project(entry, actor)
            && (self.project_id.is_none() || self.project_id == entry.project_id)
    }

    fn matches<'a>(
        &'a self,
        event: &'a Event,
        feed: &'a Feed,
        _: &'a Actor,
    ) -> BoxFuture<'a, crate::Result<Matched>> {
        Box::pin(async {
            let change = change(event, feed).await?;
            // An approval that others must join changes nothing about the row yet.
            let is_counted = self.approvals && event.entry().action.ends_with(".approval_counted");
            Ok(
                if is_counted || change.is_some_and(|change| moves(&change)) {
                    Matched::Yes(None)
                } else {
                    Matched::No
                },
            )
        })
    }
}

/// Whether a change is one of the columns that say what waits.
fn moves(change: &AuditDiff) -> bool {
    let columns = ["status", "waitingReason"];
    columns
        .iter()
        .any(|column| change.was(column).or(change.became(column)).is_some())
}

subscriptions! {
    /// The approval queue, live.
    ApprovalQueueSubscription {
        /// Tells when the approval queue may have changed, and how much waits. A view of the ledger: nothing is lost between
        /// `after` and now.
        approval_queue_changed("Only what waits in this project." project_id: Option<Id>) -> ApprovalQueueFrame {
            follows: |_ctx| MovesInterest { kinds: &QUEUED, project_id: project_id.clone(), approvals: true },
            shows: |place, occurrence| ApprovalQueueFrame {
                place,
                project_id: project_id.clone(),
                changed: occurrence.event.is_some(),
            },
        }
    }
}
