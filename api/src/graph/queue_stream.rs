//! What waits for a decision, live.

use super::{
    prelude::*,
    shared,
    subscription::{Beginning, follow, in_project},
};
use crate::{
    auth::{Actor, rows},
    live::{Interest, Matched, change},
    store::{Event, Feed},
};
use async_graphql::{ComplexObject, SimpleObject, Subscription};
use entity::{
    BigInt, Id, Owned, Table,
    audit_log::{self, AuditDiff},
    execution_plan, prd, ticket,
};
use futures_util::{Stream, future::BoxFuture};

/// A frame of `approvalQueueChanged`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ApprovalQueueFrame {
    /// Where the stream stands after this frame, for `after`.
    cursor: Cursor,
    /// The same as a number: the ledger's position.
    position: BigInt,
    /// The position of this stream's frame before this one. If you have seen another one last, you missed something.
    previous: BigInt,
    #[graphql(skip)]
    project_id: Option<Id>,
    #[graphql(skip)]
    changed: bool,
}

#[ComplexObject]
impl ApprovalQueueFrame {
    /// How much waits now; null in a frame that only tells the position.
    async fn waiting(&self, ctx: &Context<'_>) -> Nullable<i32> {
        nullable(async {
            if !self.changed {
                return Ok(None);
            }
            let scope = ctx.scope();
            let project = self.project_id.as_ref().or(scope.actor().project());
            let queue = scope.queue(project, None, None, None)?;
            Ok(Some(shared::count(scope.queue_count(&queue).await?)))
        })
        .await
    }
}

/// What may put something into the queue, or take it out.
struct QueueInterest {
    project_id: Option<Id>,
}

impl Interest for QueueInterest {
    fn permits(&self, actor: &Actor) -> crate::Result<()> {
        rows(actor, Table::PRD).map(drop)
    }

    fn names(&self, entry: &audit_log::Model, actor: &Actor) -> bool {
        let kinds = [
            prd::Entity::KIND,
            execution_plan::Entity::KIND,
            ticket::Entity::KIND,
        ];
        kinds.contains(&entry.target_type.as_str())
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
            Ok(if change.is_some_and(|change| moves(&change)) {
                Matched::Yes(None)
            } else {
                Matched::No
            })
        })
    }
}

/// Whether a change is one of the columns that say what waits.
fn moves(change: &AuditDiff) -> bool {
    let sides = [&change.before, &change.after];
    sides
        .iter()
        .any(|side| side.get("status").is_some() || side.get("waitingReason").is_some())
}

/// The approval queue, live.
#[derive(Default)]
pub struct ApprovalQueueSubscription;

#[Subscription]
impl ApprovalQueueSubscription {
    /// Tells when the approval queue may have changed, and how much waits. A view of the ledger: nothing is lost between
    /// `after` and now.
    async fn approval_queue_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Follow after this cursor; from now on if not given.")] after: Option<
            Cursor,
        >,
        #[graphql(
            default = 15,
            validator(minimum = 5, maximum = 60),
            desc = "After so many seconds without a frame one comes that only tells the position; 5 to 60."
        )]
        heartbeat_seconds: i32,
        #[graphql(desc = "Only what waits in this project.")] project_id: Option<Id>,
    ) -> Result<impl Stream<Item = ApprovalQueueFrame>> {
        let beginning = Beginning {
            after,
            heartbeat_seconds,
        };
        let interest = async {
            let project_id = project_id.clone();
            Ok(Box::new(QueueInterest { project_id }) as Box<dyn Interest>)
        };
        follow(ctx, beginning, interest, |place, occurrence| {
            ApprovalQueueFrame {
                cursor: place.cursor,
                position: place.position,
                previous: place.previous,
                project_id: project_id.clone(),
                changed: occurrence.event.is_some(),
            }
        })
        .await
    }
}
