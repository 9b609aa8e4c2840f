//! Which ledgers this process follows.

use super::{CAPACITY, Feed, poll::poll, share::FrameLimits};
use crate::store::Store;
use entity::{Id, audit_log};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many bytes are kept of what was made of entries, of all feeds together.
const MOST_KEPT: usize = 64 << 20;
/// How many bytes of entries the rings of all feeds hold together.
const MOST_ENTRIES: usize = 64 << 20;

/// The feeds of one process, and what they have together.
pub(in crate::store) struct Feeds {
    registered: Mutex<Registered>,
    pub(super) most: FrameLimits,
    /// Whose frames are made at the moment.
    pub(super) frames: Arc<Semaphore>,
    /// Which feeds read for themselves at the moment.
    pub(super) reads: Arc<Semaphore>,
    /// How many bytes are kept of what was made of entries.
    pub(super) kept: Arc<AtomicUsize>,
    /// How many bytes the rings' entries have.
    pub(super) entries: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Registered {
    feeds: HashMap<Id, Weak<Feed>>,
    polling: bool,
}

impl Feeds {
    /// None yet, over so many connections to the database.
    pub(in crate::store) fn new(connections: u32) -> Self {
        let most = FrameLimits::of(connections);
        Self {
            registered: Mutex::default(),
            most,
            frames: Arc::new(Semaphore::new(most.all)),
            reads: Arc::new(Semaphore::new(most.reads)),
            kept: Arc::default(),
            entries: Arc::default(),
        }
    }

    /// Waits for the turn to read something for the server itself.
    pub(in crate::store) async fn turn_to_read(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.reads.clone().acquire_owned().await.ok()
    }

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
        let feeds = registered.all();
        registered.polling = !feeds.is_empty();
        registered.polling.then_some(feeds)
    }

    /// The feeds that somebody follows now.
    pub(super) fn current(&self) -> Vec<Arc<Feed>> {
        self.registered().all()
    }

    /// Lets go of what is too much: of whoever holds most, what is oldest. Not to be called with anything locked.
    pub(super) fn relieve(&self) {
        self.relieve_of(&self.kept, MOST_KEPT, Feed::bytes_kept, Feed::shrink_kept);
        let (bytes, shrink) = (Feed::bytes_of_entries, Feed::shrink_entries);
        self.relieve_of(&self.entries, MOST_ENTRIES, bytes, shrink);
    }

    fn relieve_of(
        &self,
        held: &AtomicUsize,
        most: usize,
        bytes: fn(&Feed) -> usize,
        shrink: fn(&Feed, usize),
    ) {
        if held.load(Ordering::Relaxed) <= most {
            return;
        }
        let feeds = self.current();
        // A little more than is needed, so that the feeds are not gone through for each thing that is kept.
        while held.load(Ordering::Relaxed) > most / 8 * 7 {
            let heaviest = feeds.iter().map(|feed| (bytes(feed), feed));
            match heaviest.max_by_key(|(bytes, _)| *bytes) {
                Some((bytes @ 1.., feed)) => shrink(feed, bytes / 2),
                _ => return,
            }
        }
    }

    fn registered(&self) -> MutexGuard<'_, Registered> {
        self.registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registered {
    fn all(&self) -> Vec<Arc<Feed>> {
        self.feeds.values().filter_map(Weak::upgrade).collect()
    }
}
