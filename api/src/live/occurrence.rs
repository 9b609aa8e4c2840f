//! What one frame is about.

use crate::store::{Event, Feed};
use entity::Id;
use std::{any::Any, sync::Arc};

/// What a subscription's resolver makes a frame of.
#[derive(Clone)]
pub(crate) struct Occurrence {
    /// Where the stream stands after this frame.
    pub(crate) position: i64,
    /// Where it stood before.
    pub(crate) previous: i64,
    /// The entry; none in a stream's first frame and in heartbeats.
    pub(crate) event: Option<Arc<Event>>,
    pub(super) feed: Option<Arc<Feed>>,
    pub(super) row: Option<Arc<dyn Any + Send + Sync>>,
}

impl Occurrence {
    /// A stream's first frame, or a heartbeat.
    pub(super) fn without_event(position: i64, previous: i64) -> Self {
        Self {
            position,
            previous,
            event: None,
            feed: None,
            row: None,
        }
    }

    /// The entry with this id and its feed, if it is the one that this frame is about.
    pub(crate) fn entry(&self, id: &Id) -> Option<(&Event, &Feed)> {
        let event = self.event.as_deref()?;
        (event.entry().id == *id).then_some((event, self.feed.as_deref()?))
    }

    /// The id of the row that the entry is about.
    pub(crate) fn target(&self) -> Option<Id> {
        self.event.as_ref()?.entry().target_id.clone()
    }

    /// The row that the entry is about, as it is now; none when it is gone.
    pub(crate) fn row<M: Send + Sync + 'static>(&self) -> Option<Arc<M>> {
        self.row.clone()?.downcast().ok()
    }
}
