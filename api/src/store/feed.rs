//! The live feed: followers of a ledger share one reader and the latest entries.
//!
//! Nothing is pushed to anyone. One task per followed tenant and process reads what is new into a ring; a follower holds
//! a position and pulls from there. Entries that the ring has let go of, or never had, are read from the database. A
//! hint only says "look": the ledger is the truth, and a poll finds what no hint told.

mod cursor;
mod event;
mod follower;
mod history;
mod kept;
mod poll;
mod pulse;
mod reader;
mod registry;
mod replay;
mod ring;
mod share;
#[cfg(test)]
mod tests;
mod weight;

pub(super) use self::registry::Feeds;
pub(crate) use self::{
    event::Event,
    follower::Follower,
    history::READ_WITHIN,
    kept::{Key, Made},
    pulse::{Beat, Pulse},
    share::Hold,
    weight::{bytes_of_json, bytes_of_row},
};

use self::{
    kept::{Kept, Lane},
    replay::Pages,
    ring::{After, CAPACITY, Gap, Ring},
    share::Share,
};
use super::{
    Store,
    accounts::{account_of, ends_all},
};
use crate::error::Result;
use entity::{Id, audit_log};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::AtomicU64},
};
use tokio::sync::{OnceCell, Semaphore, watch};

/// How far behind the latest entry what followers made of one is forgotten.
const FRESH: i64 = 512;

/// One tenant's ledger as this process follows it. It lives as long as somebody does.
pub(crate) struct Feed {
    tenant: Id,
    store: Store,
    latest: Mutex<Latest>,
    /// The newest entry's position, for followers to wait on.
    head: watch::Sender<i64>,
    /// How far the ledger is said to have come, for the reader to wait on.
    hinted: watch::Sender<i64>,
    begun: OnceCell<()>,
    pulses: Mutex<HashMap<u8, Weak<Pulse>>>,
    /// How many beats have fallen.
    beats: AtomicU64,
    pages: Pages,
    kept: Kept,
    /// What it takes for itself.
    own: Arc<Share>,
    /// Whose frames of this workspace are made at the moment.
    frames: Arc<Semaphore>,
    /// What the actors who follow take.
    shares: Mutex<HashMap<String, Weak<Share>>>,
}

struct Latest {
    ring: Ring,
    /// Where people's and agents' own accounts were last changed, since it is followed.
    accounts: HashMap<Id, i64>,
    /// Where all of them were, because the workspace was deleted.
    ended: Option<i64>,
    /// Where it began to be followed.
    since: i64,
    /// Where an entry was missing when it was last looked for.
    gap: Option<i64>,
}

/// Whoever keeps up, but is further behind than this, is told to resume.
pub(super) const MOST_BEHIND: i64 = CAPACITY as i64;

/// How many ledgers are followed, and how many entries the one that is furthest behind has yet to read.
pub(super) async fn lag(store: &Store) -> Result<(usize, i64)> {
    let mut feeds = store.feeds().current();
    feeds.retain(|feed| feed.begun.initialized());
    if feeds.is_empty() {
        return Ok((0, 0));
    }
    let tenants: Vec<_> = feeds.iter().map(|feed| &feed.tenant).collect();
    let heads = history::heads(store, &tenants).await?;
    let behind = feeds.iter().filter_map(|feed| {
        let (_, head) = heads.iter().find(|(tenant, _)| *tenant == feed.tenant)?;
        Some(head - feed.last())
    });
    Ok((feeds.len(), behind.max().unwrap_or(0).max(0)))
}

impl Store {
    /// Follows a tenant's ledger from a position, or from its head.
    ///
    /// # Errors
    /// [`Error::CursorMismatch`](crate::Error::CursorMismatch) when the ledger has not come so far; or if the database
    /// fails.
    pub(crate) async fn follow(&self, tenant: &Id, after: Option<i64>) -> Result<Follower> {
        // Registered first, so that no hint is missed while the head is read.
        let feed = self.feeds().feed(self, tenant);
        feed.begin().await?;
        Follower::new(feed, after).await
    }
}

impl Feed {
    fn new(store: Store, tenant: Id, capacity: usize) -> Self {
        let feeds = store.feeds();
        let turn = Arc::new(Semaphore::new(1));
        Self {
            kept: Kept::new(&feeds.kept),
            own: Arc::new(Share::new(vec![turn, feeds.reads.clone()])),
            frames: Arc::new(Semaphore::new(feeds.most.workspace)),
            shares: Mutex::default(),
            latest: Mutex::new(Latest {
                ring: Ring::new(0, capacity, &feeds.entries),
                accounts: HashMap::new(),
                ended: None,
                since: 0,
                gap: None,
            }),
            head: watch::Sender::default(),
            hinted: watch::Sender::default(),
            begun: OnceCell::new(),
            pulses: Mutex::default(),
            beats: AtomicU64::new(0),
            pages: Pages::default(),
            tenant,
            store,
        }
    }

    /// Whose ledger it is.
    pub(crate) fn tenant(&self) -> &Id {
        &self.tenant
    }

    /// Where it is kept.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The newest position that followers can have.
    pub(crate) fn last(&self) -> i64 {
        self.latest().ring.last()
    }

    /// Where the account of a user or an agent was last changed, or may have been.
    pub(crate) fn account_changed(&self, account: &Id) -> i64 {
        let latest = self.latest();
        let changed = latest.accounts.get(account);
        let changed = changed.copied().unwrap_or(latest.since);
        latest.ended.map_or(changed, |ended| changed.max(ended))
    }

    /// What an actor, named by its key, takes of it.
    pub(crate) fn share(&self, actor: &str) -> Arc<Share> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(actor).and_then(Weak::upgrade) {
            return share;
        }
        if shares.len() == shares.capacity() {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let feeds = self.store.feeds();
        let own = Arc::new(Semaphore::new(feeds.most.actor));
        let way = vec![own, self.frames.clone(), feeds.frames.clone()];
        let share = Arc::new(Share::new(way));
        shares.insert(actor.to_owned(), Arc::downgrade(&share));
        share
    }

    /// What it takes for itself: short statements, which need not wait for frames.
    pub(crate) fn own(&self) -> &Arc<Share> {
        &self.own
    }

    /// What a key stands for, made in somebody's turn unless it is kept. If it is to be kept, `weigh` says how many bytes
    /// it has.
    ///
    /// # Errors
    /// If making it fails; then the next one tries.
    pub(crate) async fn make_once<T: Clone + Send + Sync + 'static>(
        &self,
        key: Key,
        share: &Share,
        weigh: impl FnOnce(&T) -> Option<usize>,
        make: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if let Some(kept) = self.kept.get(&key) {
            return Ok(kept);
        }
        let cell = self.kept.cell(key);
        let made = share.fill(&cell, make).await?.clone();
        let passes = matches!(key.made, Made::Beat(..)) || key.position <= self.last() - FRESH;
        let lane = if passes { Lane::Passing } else { Lane::Fresh };
        self.kept.keep(key, &cell, weigh(&made), lane);
        self.store.feeds().relieve();
        Ok(made)
    }

    /// Lets go of what the entries that have come make too old or too much.
    fn relieve(&self) {
        self.kept.age(self.last() - FRESH);
        self.store.feeds().relieve();
    }

    fn bytes_kept(&self) -> usize {
        self.kept.bytes()
    }

    fn shrink_kept(&self, most: usize) {
        self.kept.shrink(most);
    }

    fn bytes_of_entries(&self) -> usize {
        self.latest().ring.bytes()
    }

    fn shrink_entries(&self, most: usize) {
        self.latest().ring.shrink(most);
    }

    fn listen(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    fn after(&self, position: i64) -> After {
        self.latest().ring.after(position)
    }

    /// Says that the ledger has come this far.
    fn hint(&self, head: i64) {
        if head > self.last() {
            self.hinted
                .send_modify(|hinted| *hinted = head.max(*hinted));
        }
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Latest {
    fn push(&mut self, entry: audit_log::Model) -> Result<(), Gap> {
        let event = Event::new(entry);
        self.ring.push(event.clone())?;
        if ends_all(event.entry()) {
            self.ended = Some(event.seq());
        }
        if let Some(id) = account_of(event.entry()) {
            self.accounts.insert(id.clone(), event.seq());
        }
        Ok(())
    }
}
