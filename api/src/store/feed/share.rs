//! What one actor takes of a feed, over all of its streams: its turns, and what is held for it.
//!
//! What goes on by itself must not stand in the way of those who ask. Frames, and the pages of a replay, are made by few
//! at a time: so many of one actor, of one workspace and in all. Whoever must wait waits behind its own actor first, then
//! behind its workspace, and only then behind others, so what one has begun makes nobody else's queue longer.

use crate::{error::Result, store::parts::Parts};
use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

/// How many may have their turn at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameLimits {
    /// Frames of all workspaces.
    pub(super) all: usize,
    /// Frames of one workspace.
    pub(super) workspace: usize,
    /// Frames of one actor.
    pub(super) actor: usize,
    /// What the server reads for itself, in all. Each feed reads one thing at a time.
    pub(super) reads: usize,
}

impl FrameLimits {
    /// Of so many connections to the database.
    pub(super) fn of(connections: u32) -> Self {
        let parts = Parts::of(connections);
        let count = |part: u64| usize::try_from(part).unwrap_or(usize::MAX);
        let all = count(parts.frames);
        let workspace = all.div_ceil(2);
        Self {
            all,
            workspace,
            actor: workspace.div_ceil(2),
            reads: count(parts.own),
        }
    }
}

/// The right to use the database for the feed, until it is dropped.
#[must_use = "the turn ends when this is dropped"]
pub(crate) struct FrameTurn {
    _permits: Vec<OwnedSemaphorePermit>,
}

/// What one actor takes of a feed.
pub(crate) struct Share {
    /// What is passed on the way to a turn, in this order.
    way: Vec<Arc<Semaphore>>,
    held: Mutex<Held>,
}

/// What is held for an actor, by its key: how often, and how many bytes it has.
#[derive(Default)]
struct Held {
    counts: HashMap<[u8; 32], (usize, u64)>,
    bytes: u64,
}

/// Something that is held for an actor, until it is dropped.
pub(crate) struct Hold {
    share: Arc<Share>,
    key: [u8; 32],
}

impl Share {
    pub(super) fn new(way: Vec<Arc<Semaphore>>) -> Self {
        Self {
            way,
            held: Mutex::default(),
        }
    }

    /// Waits for its turn.
    pub(crate) async fn turn(&self) -> FrameTurn {
        let mut permits = Vec::with_capacity(self.way.len());
        for gate in &self.way {
            // None of them is ever closed.
            permits.extend(gate.clone().acquire_owned().await.ok());
        }
        FrameTurn { _permits: permits }
    }

    fn try_turn(&self) -> Option<FrameTurn> {
        let gates = self.way.iter();
        let permits = gates.map(|gate| gate.clone().try_acquire_owned().ok());
        Some(FrameTurn {
            _permits: permits.collect::<Option<_>>()?,
        })
    }

    /// Fills a cell that others may want as well, in its turn. While it must wait for that, others may fill it in theirs:
    /// nobody waits in the queue of another actor.
    ///
    /// # Errors
    /// If making it fails; then the next one tries.
    pub(super) async fn fill<'c, T>(
        &self,
        cell: &'c OnceCell<T>,
        make: impl Future<Output = Result<T>>,
    ) -> Result<&'c T> {
        let mut make = pin!(make);
        let mut turn = None;
        loop {
            let attempt = async {
                let Some(_turn) = turn.take().or_else(|| self.try_turn()) else {
                    return Err(None);
                };
                make.as_mut().await.map_err(Some)
            };
            match cell.get_or_try_init(|| attempt).await {
                Ok(made) => return Ok(made),
                Err(Some(error)) => return Err(error),
                Err(None) => turn = Some(self.turn().await),
            }
        }
    }

    /// Holds something of so many bytes, which is counted once however often it is held.
    ///
    /// # Errors
    /// What `check` says of all that would be held then.
    pub(crate) fn hold(
        self: &Arc<Self>,
        key: [u8; 32],
        bytes: u64,
        check: impl Fn(u64) -> Result<()>,
    ) -> Result<Hold> {
        let mut held = self.held();
        if let Some((count, _)) = held.counts.get_mut(&key) {
            *count += 1;
        } else {
            check(held.bytes.saturating_add(bytes))?;
            held.bytes += bytes;
            held.counts.insert(key, (1, bytes));
        }
        Ok(Hold {
            share: self.clone(),
            key,
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.share.held();
        let Some((count, bytes)) = held.counts.get_mut(&self.key) else {
            return;
        };
        *count -= 1;
        let (left, bytes) = (*count, *bytes);
        if left == 0 {
            held.counts.remove(&self.key);
            held.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use futures_util::{FutureExt, poll};
    use std::{future::pending, task::Poll};

    fn gates(counts: [usize; 2]) -> [Arc<Semaphore>; 2] {
        counts.map(|count| Arc::new(Semaphore::new(count)))
    }

    /// An actor who has one turn at a time.
    fn actor([workspace, all]: &[Arc<Semaphore>; 2]) -> Arc<Share> {
        let own = Arc::new(Semaphore::new(1));
        Arc::new(Share::new(vec![own, workspace.clone(), all.clone()]))
    }

    #[tokio::test]
    async fn a_workspace_that_makes_much_leaves_others_their_turn() {
        let all = Arc::new(Semaphore::new(4));
        let workspace = || [Arc::new(Semaphore::new(2)), all.clone()];
        let (busy, other) = (workspace(), workspace());
        let mut turns: Vec<_> = (0..50)
            .map(|_| actor(&busy))
            .map(|share| Box::pin(async move { share.turn().await }))
            .collect();
        let mut had = Vec::new();
        for turn in &mut turns {
            had.extend(turn.now_or_never());
        }
        assert_eq!(had.len(), 2, "two of its fifty have their turn");
        assert!(actor(&other).turn().now_or_never().is_some());
    }

    #[tokio::test]
    async fn nobody_waits_in_the_queue_of_another_actor() {
        let gates = gates([4, 4]);
        let (busy, idle) = (actor(&gates), actor(&gates));
        let _turn = busy.turn().await;
        let cell = OnceCell::new();
        let mut first = Box::pin(busy.fill(&cell, pending::<Result<u8>>()));
        assert!(poll!(&mut first).is_pending());
        let second = idle.fill(&cell, async { Ok(7) });
        assert_eq!(second.now_or_never().unwrap().unwrap(), &7);
        assert!(matches!(
            poll!(&mut first),
            Poll::Pending | Poll::Ready(Ok(7))
        ));
    }

    #[tokio::test]
    async fn who_waited_for_its_turn_takes_what_was_made_meanwhile() {
        let gates = gates([4, 4]);
        let (busy, idle) = (actor(&gates), actor(&gates));
        let turn = busy.turn().await;
        let cell = OnceCell::new();
        let mut first = Box::pin(busy.fill(&cell, async { Ok(1) }));
        assert!(poll!(&mut first).is_pending());
        assert_eq!(idle.fill(&cell, async { Ok(2) }).await.unwrap(), &2);
        drop(turn);
        assert_eq!(first.await.unwrap(), &2);
        assert!(busy.turn().now_or_never().is_some(), "its turn is over");
    }

    #[test]
    fn what_is_held_is_counted_once_until_nobody_holds_it() {
        let share = actor(&gates([1, 1]));
        let check = |bytes| Error::within("bytes", 10, bytes);
        let hold = |key, bytes| share.hold([key; 32], bytes, check);
        let (first, again) = (hold(1, 6).ok(), hold(1, 6).ok());
        assert!(first.is_some() && again.is_some());
        assert!(hold(2, 5).is_err());
        drop(first);
        assert!(hold(2, 5).is_err());
        drop(again);
        let held: Vec<_> = (2..4).map(|key| hold(key, 5)).collect();
        assert!(held.iter().all(Result::is_ok));
        drop(held);
        let left = share.held();
        assert_eq!((left.bytes, left.counts.len()), (0, 0));
    }
}
