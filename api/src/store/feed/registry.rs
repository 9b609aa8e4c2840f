//! Which ledgers this process follows.

use super::{CAPACITY, Feed, poll::poll};
use crate::store::Store;
use entity::{Id, audit_log};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// The feeds of one process.
#[derive(Default)]
pub(in crate::store) struct Feeds(Mutex<Registered>);

#[derive(Default)]
struct Registered {
    feeds: HashMap<Id, Weak<Feed>>,
    polling: bool,
}

impl Feeds {
    /// The feed of a tenant, begun now if nobody follows it yet.
    pub(super) fn feed(&self, store: &Store, tenant: &Id) -> Arc<Feed> {
        let mut registered = self.registered();
        if let Some(feed) = registered.feeds.get(tenant).and_then(Weak::upgrade) {
            return feed;
        }
        let feed = Arc::new(Feed::new(store.clone(), tenant.clone(), CAPACITY));
        registered
            .feeds
            .insert(tenant.clone(), Arc::downgrade(&feed));
        if !registered.polling {
            registered.polling = true;
            tokio::spawn(poll(store.clone()));
        }
        feed
    }

    /// Says that a tenant's ledger has come this far.
    pub(in crate::store) fn hint(&self, tenant: &Id, head: i64) {
        if let Some(feed) = self.followed_feed(tenant) {
            feed.hint(head);
        }
    }

    /// Hands over what this process committed to a tenant's ledger.
    pub(in crate::store) fn committed(
        &self,
        tenant: &Id,
        head: i64,
        entries: Vec<audit_log::Model>,
    ) {
        if let Some(feed) = self.followed_feed(tenant) {
            feed.committed(head, entries);
        }
    }

    fn followed_feed(&self, tenant: &Id) -> Option<Arc<Feed>> {
        self.registered().feeds.get(tenant).and_then(Weak::upgrade)
    }

    /// The feeds that somebody follows. If there are none, whoever asks is to stop polling.
    pub(super) fn followed(&self) -> Option<Vec<Arc<Feed>>> {
        let mut registered = self.registered();
        registered.feeds.retain(|_, feed| feed.strong_count() > 0);
        let feeds: Vec<_> = registered
            .feeds
            .values()
            .filter_map(Weak::upgrade)
            .collect();
        registered.polling = !feeds.is_empty();
        registered.polling.then_some(feeds)
    }

    /// The feeds that somebody follows now.
    pub(super) fn current(&self) -> Vec<Arc<Feed>> {
        let registered = self.registered();
        registered
            .feeds
            .values()
            .filter_map(Weak::upgrade)
            .collect()
    }

    fn registered(&self) -> MutexGuard<'_, Registered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
