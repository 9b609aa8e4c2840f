//! Commits that other servers have not been told of yet.

use entity::Id;
use std::{
    collections::HashMap,
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// The newest position of each ledger that was written to. It stays empty as long as nobody takes from it.
#[derive(Default)]
pub(in crate::store) struct Outbox {
    open: AtomicBool,
    heads: Mutex<HashMap<Id, i64>>,
    filled: Notify,
}

impl Outbox {
    /// From now on somebody takes what is put in.
    pub(super) fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    /// Puts in that a ledger has come this far.
    pub(in crate::store) fn put(&self, tenant: &Id, head: i64) {
        if !self.open.load(Ordering::Relaxed) {
            return;
        }
        let mut heads = self.heads();
        let newest = heads.entry(tenant.clone()).or_default();
        *newest = head.max(*newest);
        drop(heads);
        self.filled.notify_one();
    }

    /// Waits until something was put in.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Takes everything.
    pub(super) fn take(&self) -> HashMap<Id, i64> {
        mem::take(&mut *self.heads())
    }

    fn heads(&self) -> MutexGuard<'_, HashMap<Id, i64>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
