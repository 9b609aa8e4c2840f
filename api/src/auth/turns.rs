//! Turns for work that is slow on purpose: so many at once, with a place to wait in, and no place for everyone.

use super::{Origin, recent::Recent};
use crate::{
    error::{Error, Result, Whose},
    store::{Admission, Most, Shares},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// So many wait for their turn at most, for each one that goes on: at some 25 ms each, the last of them waits for a second
/// and a half. Whoever comes then is told at once.
const WAITING: u64 = 64;

/// One in so many places is kept for those who signed in from their address before; so many of the others one network
/// has, and half of those one address.
const PART: u64 = 4;

/// So many addresses are remembered from which somebody signed in.
const REMEMBERED: usize = 10_000;

/// Who goes on, and who waits.
pub(super) struct Turns {
    at_once: Arc<Semaphore>,
    /// For those that go on or wait.
    strangers: Arc<Admission>,
    /// For more of those from addresses that are known: so many strangers as there are, they do not keep them out.
    friends: Arc<Admission>,
    /// The addresses from which somebody signed in.
    known: Mutex<Recent<()>>,
}

impl Turns {
    /// So many go on at once.
    pub(super) fn at_once(turns: usize) -> Self {
        Self::with(turns, turns as u64 * (WAITING + 1))
    }

    fn with(turns: usize, places: u64) -> Self {
        let of = |all: u64| {
            let network = all.div_ceil(PART);
            let most = Shares {
                actor: network.div_ceil(2),
                workspace: network,
                all,
            };
            // There is a place at once, or there is none.
            Admission::new(Most {
                at_once: most,
                present: most,
                wait: Duration::ZERO,
            })
        };
        let kept = places.div_ceil(PART);
        Self {
            at_once: Arc::new(Semaphore::new(turns)),
            strangers: of(places - kept),
            friends: of(kept),
            known: Mutex::new(Recent::new(REMEMBERED, Duration::MAX)),
        }
    }

    /// Remembers that somebody signed in from there.
    pub(super) fn welcome(&self, origin: &Origin) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keep(&origin.key(), (), Instant::now());
    }

    fn is_known(&self, address: &str) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(address).is_some()
    }

    /// Works in turn. The turn goes with the work, which runs to its end even when nobody waits for it any more.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait already.
    pub(super) async fn take<T: Send + 'static>(
        &self,
        origin: &Origin,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (network, address) = (origin.network(), origin.key());
        let place = match self.strangers.acquire(&network, &address).await {
            Err(_) if self.is_known(&address) => self.friends.acquire(&network, &address).await,
            place => place,
        };
        // Whosever share it is that is used up: whoever comes has no workspace yet.
        let place = place.map_err(|_| Error::Busy(Whose::All))?;
        let turn = self.at_once.clone().acquire_owned().await;
        let turn = turn.map_err(|_| Error::Unavailable)?;
        let working = spawn_blocking(move || {
            let _held = (turn, place);
            work()
        });
        working.await.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::RwLock;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn so_many_go_on_so_many_wait_and_the_others_are_told_at_once() {
        let turns = Arc::new(Turns::with(2, 8));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(RwLock::new(()));
        let closed = gate.clone().write_owned().await;
        let tries: Vec<_> = (0..20)
            .map(|number| {
                let (turns, running, most) = (turns.clone(), running.clone(), most.clone());
                let gate = gate.clone();
                tokio::spawn(async move {
                    let work = move || {
                        most.fetch_max(
                            running.fetch_add(1, Ordering::SeqCst) + 1,
                            Ordering::SeqCst,
                        );
                        drop(gate.blocking_read());
                        running.fetch_sub(1, Ordering::SeqCst);
                    };
                    turns.take(&from(number, 0), work).await.is_ok()
                })
            })
            .collect();
        let refused = || tries.iter().filter(|tried| tried.is_finished()).count();
        while refused() < 14 || running.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        drop(closed);
        let mut let_in = 0;
        for tried in tries {
            let_in += usize::from(tried.await.unwrap());
        }
        assert_eq!((let_in, most.load(Ordering::SeqCst)), (6, 2));
    }

    /// Somebody at an address of a network.
    fn from(network: u16, address: u16) -> Origin {
        let address = [0x2001, 0xdb8, network, address, 0, 0, 0, 1];
        Origin {
            address: Some(std::net::Ipv6Addr::from(address).into()),
            ..Origin::default()
        }
    }

    #[tokio::test]
    async fn one_network_has_a_part_of_the_places_and_who_signed_in_before_has_more() {
        let turns = Turns::with(1, 64);
        let closed = turns.at_once.clone().acquire_owned().await.unwrap();
        let mut waiting = Vec::new();
        // Who has a place waits for the turn; who has none knows at once.
        let mut let_in = |origins: Vec<Origin>| {
            let before = waiting.len();
            for origin in origins {
                let turns = &turns;
                let mut trying = Box::pin(async move { turns.take(&origin, || ()).await });
                if (&mut trying).now_or_never().is_none() {
                    waiting.push(trying);
                }
            }
            waiting.len() - before
        };
        assert_eq!(let_in((0..40).map(|_| from(1, 0)).collect()), 6);
        assert_eq!(let_in((0..40).map(|address| from(1, address)).collect()), 6);
        let home = || from(9, 0);
        turns.welcome(&home());
        assert_eq!(
            let_in((10..100).map(|network| from(network, 0)).collect()),
            36
        );
        assert_eq!(let_in(vec![from(100, 0)]), 0);
        assert_eq!(let_in((0..9).map(|_| home()).collect()), 2);
        drop(closed);
    }

    #[tokio::test]
    async fn an_address_that_is_known_has_no_fewer_places_than_a_stranger() {
        let turns = Turns::with(1, 64);
        let _closed = turns.at_once.clone().acquire_owned().await.unwrap();
        let home = from(1, 0);
        turns.welcome(&home);
        let mut waiting = Vec::new();
        for _ in 0..20 {
            let mut trying = Box::pin(turns.take(&home, || ()));
            if (&mut trying).now_or_never().is_none() {
                waiting.push(trying);
            }
        }
        assert_eq!(waiting.len(), 6 + 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn whoever_goes_away_does_not_let_another_one_in() {
        let turns = Arc::new(Turns::with(1, 8));
        let gate = Arc::new(RwLock::new(()));
        let closed = gate.clone().write_owned().await;
        let (begun, at_work) = tokio::sync::oneshot::channel();
        let work = {
            let gate = gate.clone();
            move || {
                let _ = begun.send(());
                drop(gate.blocking_read());
            }
        };
        let gone = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(&from(0, 0), work).await }
        });
        at_work.await.unwrap();
        gone.abort();
        assert!(gone.await.is_err());
        assert_eq!(turns.at_once.available_permits(), 0, "it is still at work");
        drop(closed);
        assert!(turns.take(&from(1, 0), || ()).await.is_ok());
    }
}
