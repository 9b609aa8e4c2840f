//! Replay: the way to the ring for who comes back after a while. Those who are on the same page share it.

use super::{Feed, event::Event, history, share::Share};
use crate::error::Result;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::OnceCell;

/// A page of the ledger, read when it is first asked for.
type Page = OnceCell<Vec<Arc<Event>>>;

/// The pages that somebody reads at the moment. Page 0 begins with the ledger's first entry.
#[derive(Default)]
pub(super) struct Pages(Mutex<HashMap<i64, Weak<Page>>>);

/// Where a follower stands in a page.
pub(super) struct Replay {
    page: Arc<Page>,
    next: usize,
}

impl Replay {
    /// The page of what comes after a position, read in somebody's turn. It is empty when there is nothing.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn after(feed: &Feed, position: i64, share: &Share) -> Result<Self> {
        let length = history::PAGE as i64;
        let number = position / length;
        let page = if (number + 1) * length <= feed.last() {
            feed.pages.page(number)
        } else {
            // It grows, so whoever comes later reads more of it.
            Arc::default()
        };
        let read = async {
            let rows = history::after(&feed.store, &feed.tenant, number * length).await?;
            Ok::<_, crate::Error>(rows.into_iter().map(Event::new).collect::<Vec<_>>())
        };
        let events = share.fill(&page, read).await?;
        let next = events.partition_point(|event| event.seq() <= position);
        Ok(Self { page, next })
    }

    /// The next entry of the page.
    pub(super) fn next(&mut self) -> Option<Arc<Event>> {
        let event = self.page.get()?.get(self.next)?.clone();
        self.next += 1;
        Some(event)
    }
}

impl Pages {
    fn page(&self, number: i64) -> Arc<Page> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.get(&number).and_then(Weak::upgrade) {
            return page;
        }
        pages.retain(|_, page| page.strong_count() > 0);
        let page = Arc::default();
        pages.insert(number, Arc::downgrade(&page));
        page
    }
}
