//! The ledger, live: what everything else that is live is a view of.

use super::{
    prelude::*,
    subscription::{Beginning, follow, in_project},
};
use crate::{
    auth::{Actor, rows},
    live::Interest,
};
use async_graphql::{InputObject, SimpleObject, Subscription};
use entity::{BigInt, Id, Table, audit_log};
use futures_util::Stream;

/// A frame of `activity`.
#[derive(SimpleObject)]
pub struct ActivityFrame {
    /// Where the stream stands after this frame, for `after`.
    cursor: Cursor,
    /// The same as a number: the entry's `seq`, or how far the ledger was looked through.
    position: BigInt,
    /// The position of this stream's frame before this one. If you have seen another one last, you missed something.
    previous: BigInt,
    /// What happened; null in the first frame, which says where the stream begins, and when nothing did for a while.
    event: Option<AuditLog>,
}

/// Narrows what is followed. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct ActivityFilter {
    /// What happened in this project.
    project_id: Option<Id>,
    /// What was done begins with one of these, such as `ticket.` or `brief.approved`.
    #[graphql(validator(max_items = 50))]
    action_prefix: Option<Vec<String>>,
    /// What a person, an agent or the server did.
    actor_type: Option<audit_log::ActorType>,
    /// What this one did, named as in the entry's `actor`.
    actor: Option<String>,
    /// What was done to things of these types, such as `Ticket`.
    #[graphql(validator(max_items = 50))]
    target_type: Option<Vec<String>>,
    /// What was done to this one.
    target_id: Option<Id>,
}

impl Interest for ActivityFilter {
    fn permits(&self, actor: &Actor) -> crate::Result<()> {
        rows(actor, Table::AuditLog).map(drop)
    }

    fn names(&self, entry: &audit_log::Model, actor: &Actor) -> bool {
        fn is<T: PartialEq>(wanted: &Option<T>, found: Option<&T>) -> bool {
            wanted.as_ref().is_none_or(|wanted| Some(wanted) == found)
        }
        fn any(wanted: &Option<Vec<String>>, test: impl Fn(&String) -> bool) -> bool {
            wanted.as_ref().is_none_or(|wanted| wanted.iter().any(test))
        }
        in_project(entry, actor)
            && is(&self.project_id, entry.project_id.as_ref())
            && any(&self.action_prefix, |prefix| {
                entry.action.starts_with(prefix)
            })
            && is(&self.actor_type, Some(&entry.actor_type))
            && is(&self.actor, Some(&entry.actor))
            && any(&self.target_type, |kind| *kind == entry.target_type)
            && is(&self.target_id, entry.target_id.as_ref())
    }
}

/// The ledger, live.
#[derive(Default)]
pub struct ActivitySubscription;

#[Subscription]
impl ActivitySubscription {
    /// Follows the ledger: what came after `after`, then what happens, in order and without gaps. Without a filter each
    /// frame's `position` is one more than the one before; with one, `previous` tells that nothing was missed. A stream
    /// that cannot go on so ends with `RESYNC_REQUIRED`.
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Follow after this cursor: a frame's, or a `feedCursor`; from now on if not given."
        )]
        after: Option<Cursor>,
        #[graphql(desc = "Only what satisfies this.")] filter: Option<ActivityFilter>,
        #[graphql(
            default = 15,
            validator(minimum = 5, maximum = 60),
            desc = "After so many seconds without a frame one comes that only tells the position; 5 to 60."
        )]
        heartbeat_seconds: i32,
    ) -> Result<impl Stream<Item = ActivityFrame>> {
        let beginning = Beginning {
            after,
            heartbeat_seconds,
        };
        let interest = async {
            let filter = filter.unwrap_or_default();
            Ok(Box::new(filter) as Box<dyn Interest>)
        };
        follow(ctx, beginning, interest, |place, occurrence| {
            ActivityFrame {
                cursor: place.cursor,
                position: place.position,
                previous: place.previous,
                event: occurrence
                    .event
                    .as_ref()
                    .map(|event| event.entry().clone().into()),
            }
        })
        .await
    }
}
