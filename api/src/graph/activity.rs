//! The ledger, live: what everything else that is live is a view of.

use super::{
    constraints::size,
    prelude::*,
    subscription::{FramePlace, in_project, subscriptions},
};
use crate::{
    auth::{Actor, rows, sees_entry},
    live::{Interest, Matched},
    store::{Event, Feed},
};
use async_graphql::{InputObject, SimpleObject};
use entity::{Id, Table, audit_log};
use futures_util::future::BoxFuture;

/// A frame of `activity`.
#[derive(SimpleObject)]
pub struct ActivityFrame {
    #[graphql(flatten)]
    place: FramePlace,
    /// What happened; null in the first frame, which says where the stream begins, when nothing did for a while, and when
    /// it happened to something that is not for you to see.
    event: Option<AuditLog>,
}

/// Narrows what is followed. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default, PartialEq)]
pub struct ActivityFilter {
    /// What happened in this project.
    project_id: Option<Id>,
    /// What is part of this brief's life.
    prd_id: Option<Id>,
    /// What was done begins with one of these, such as `ticket.` or `brief.approved`; at most 50, and with an empty list
    /// nothing does.
    #[graphql(directive = size::apply(0, 50))]
    action_prefix: Option<Vec<String>>,
    /// What a person, an agent or the server did.
    actor_type: Option<audit_log::ActorType>,
    /// What this one did, named as in the entry's `actor`.
    actor: Option<String>,
    /// What was done to things of these types, such as `Ticket`; at most 50, and with an empty list nothing was.
    #[graphql(directive = size::apply(0, 50))]
    target_type: Option<Vec<String>>,
    /// What was done to this one.
    target_id: Option<Id>,
}

impl Interest for ActivityFilter {
    fn permits(&self, actor: &Actor) -> crate::Result<()> {
        rows(actor, Table::AuditLog).map(drop)
    }

    fn names(&self, entry: &audit_log::Model, actor: &Actor) -> bool {
        if !sees_entry(actor, entry) {
            // Whether it would have passed a filter would tell of it.
            return *self == Self::default() && actor.project().is_none();
        }
        fn is<T: PartialEq>(wanted: &Option<T>, found: Option<&T>) -> bool {
            wanted.as_ref().is_none_or(|wanted| Some(wanted) == found)
        }
        fn any(wanted: &Option<Vec<String>>, test: impl Fn(&String) -> bool) -> bool {
            wanted.as_ref().is_none_or(|wanted| wanted.iter().any(test))
        }
        in_project(entry, actor)
            && is(&self.project_id, entry.project_id.as_ref())
            && is(&self.prd_id, entry.prd_id.as_ref())
            && any(&self.action_prefix, |prefix| {
                entry.action.starts_with(prefix)
            })
            && is(&self.actor_type, Some(&entry.actor_type))
            && is(&self.actor, Some(&entry.actor))
            && any(&self.target_type, |kind| *kind == entry.target_type)
            && is(&self.target_id, entry.target_id.as_ref())
    }

    fn matches<'a>(
        &'a self,
        event: &'a Event,
        _: &'a Feed,
        actor: &'a Actor,
    ) -> BoxFuture<'a, crate::Result<Matched>> {
        Box::pin(async {
            Ok(if sees_entry(actor, event.entry()) {
                Matched::Yes(None)
            } else {
                Matched::Withheld
            })
        })
    }
}

subscriptions! {
    /// The ledger, live.
    ActivitySubscription {
        /// Follows the ledger: what came after `after`, then what happens, in order and without gaps. Without a filter each
        /// frame's `position` is one more than the one before; with one, `previous` tells that nothing was missed. A stream
        /// that cannot go on so ends with `RESYNC_REQUIRED`.
        activity("Only what satisfies this." filter: FilterArgument<ActivityFilter>) -> ActivityFrame {
            follows: |_ctx| filter.given()?.unwrap_or_default(),
            shows: |place, occurrence| {
                let event = occurrence.event.as_ref();
                ActivityFrame { place, event: event.map(|event| AuditLog::of(event.entry())) }
            },
        }
    }
}
