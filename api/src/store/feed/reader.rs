//! The one reader of a followed ledger.

use super::{Feed, Gap, Latest, Ring, history};
use crate::error::{Error, Result};
use entity::audit_log;
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::sync::watch;

/// How long the reader waits after a full page, so that a large commit does not sweep through the ring before anyone who
/// keeps up can look: 25,000 entries a second at most.
const PACE: Duration = Duration::from_millis(20);
/// How long the reader waits after it failed.
const RETRY: Duration = Duration::from_millis(500);

impl Feed {
    /// Reads where the ledger stands, once, and begins to read along.
    pub(super) async fn begin(self: &Arc<Self>) -> Result<()> {
        let begin = async {
            let (head, rows) = history::newest(&self.store, &self.tenant).await?;
            self.restart(head, rows);
            tokio::spawn(read_along(Arc::downgrade(self), self.hinted.subscribe()));
            Ok(())
        };
        self.own.fill(&self.begun, begin).await.copied()
    }

    /// Fills the ring with the newest entries, so that those who come back soon need no replay.
    fn restart(&self, head: i64, rows: Vec<audit_log::Model>) {
        let mut latest = self.latest();
        latest.since = head;
        let before_first = rows.first().map_or(head, |row| row.seq.0 - 1);
        latest.ring = self.ring(before_first, &latest);
        for row in rows {
            if latest.ring.push(super::Event::new(row)).is_err() {
                break;
            }
        }
        if latest.ring.last() != head {
            latest.ring = self.ring(head, &latest);
        }
        self.head.send_replace(head);
    }

    /// An empty ring in place of the one there is.
    fn ring(&self, last: i64, latest: &Latest) -> Ring {
        Ring::new(last, latest.ring.capacity(), &self.store.feeds().entries)
    }

    /// Where the ledger stands in the database. The reader is told.
    pub(super) async fn look(&self) -> Result<i64> {
        let heads = history::heads(&self.store, &[&self.tenant]).await?;
        let head = heads.first().map_or(0, |(_, head)| *head);
        self.hint(head);
        Ok(head)
    }

    /// Reads what is new, up to what was hinted at least.
    async fn catch_up(&self, hinted: i64) -> Result<()> {
        loop {
            let last = self.last();
            if last >= hinted {
                return Ok(());
            }
            let turn = self.own.turn().await;
            let rows = history::after(&self.store, &self.tenant, last).await?;
            drop(turn);
            if rows.is_empty() {
                return Ok(());
            }
            let full = rows.len() as u64 == history::PAGE;
            let taken = self.take(rows);
            self.head.send_replace(self.last());
            self.relieve();
            taken?;
            if full {
                tokio::time::sleep(PACE).await;
            }
        }
    }

    /// Takes what this process has just committed, which need not be read then. Whatever is out of turn is left to the
    /// reader: another server committed in between, or one commit overtook another on its way here.
    pub(super) fn committed(&self, head: i64, entries: Vec<audit_log::Model>) {
        // A large commit must not sweep through the ring: the reader goes slowly.
        if self.begun.initialized() && entries.len() as u64 <= history::PAGE {
            let mut latest = self.latest();
            let mut taken = false;
            for entry in entries {
                taken |= latest.push(entry).is_ok();
            }
            drop(latest);
            if taken {
                self.head.send_replace(self.last());
                self.relieve();
            }
        }
        self.hint(head);
    }

    fn take(&self, rows: Vec<audit_log::Model>) -> Result<()> {
        rows.iter().for_each(|row| self.store.accounts().learn(row));
        let mut latest = self.latest();
        for row in rows {
            let (expected, found) = (latest.ring.last() + 1, row.seq.0);
            // A commit of this process's own may have come first.
            if found < expected {
                continue;
            }
            let Err(Gap) = latest.push(row) else {
                continue;
            };
            // Entries become visible in order, so one that is missing twice was taken out. Whoever stands before it
            // cannot go on, and is told so.
            if latest.gap.replace(expected) == Some(expected) {
                latest.ring = self.ring(found - 1, &latest);
                latest.gap = None;
            }
            return Err(Error::internal(format!(
                "ledger entry {expected} is missing before {found}"
            )));
        }
        latest.gap = None;
        Ok(())
    }
}

/// Reads whenever there is a hint, until nobody follows any more.
async fn read_along(feed: Weak<Feed>, mut hinted: watch::Receiver<i64>) {
    loop {
        let head = *hinted.borrow_and_update();
        let Some(following) = feed.upgrade() else {
            return;
        };
        let read = following.catch_up(head).await;
        let tenant = following.tenant.clone();
        drop(following);
        if let Err(error) = read {
            tracing::error!(%tenant, error = error.cause(), "the live feed cannot read its ledger");
            tokio::time::sleep(RETRY).await;
        } else if hinted.changed().await.is_err() {
            return;
        }
    }
}
