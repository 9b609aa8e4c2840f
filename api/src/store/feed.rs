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
#[cfg(test)]
mod tests;

pub(super) use self::registry::Feeds;
pub(crate) use self::{
    event::Event,
    follower::Follower,
    kept::Kept,
    pulse::{Beat, Pulse},
};

use self::{
    replay::Pages,
    ring::{After, CAPACITY, Gap, Ring},
};
use super::Store;
use crate::error::Result;
use entity::{Id, audit_log};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError, Weak},
};
use tokio::sync::{OnceCell, watch};

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
    pages: Pages,
}

struct Latest {
    ring: Ring,
    /// Where people's and agents' own accounts were last changed, since it is followed.
    accounts: HashMap<Id, i64>,
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
        Self {
            tenant,
            store,
            latest: Mutex::new(Latest {
                ring: Ring::new(0, capacity),
                accounts: HashMap::new(),
                since: 0,
                gap: None,
            }),
            head: watch::Sender::default(),
            hinted: watch::Sender::default(),
            begun: OnceCell::new(),
            pulses: Mutex::default(),
            pages: Pages::default(),
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
        changed.copied().unwrap_or(latest.since)
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
        let entry = event.entry();
        if let ("User" | "AgentToken", Some(id)) = (&*entry.target_type, &entry.target_id) {
            self.accounts.insert(id.clone(), event.seq());
        }
        Ok(())
    }
}
