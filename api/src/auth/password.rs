//! Passwords: Argon2id, slow on purpose, and as slow when there is nobody to compare with.

use super::Origin;
use crate::{
    error::{Error, Result},
    store::{Admission, Most, Shares},
};
use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::{
    collections::HashSet,
    fmt, mem,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    thread::available_parallelism,
    time::Duration,
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// The password of everyone in the demo. Everybody knows it.
pub const DEMO_PASSWORD: &str = "workgraph-demo";

/// The fewest characters of a new password.
const SHORTEST: usize = 12;
/// The most bytes of a password; more would only keep the server busy.
const LONGEST: usize = 1024;

/// So many comparisons wait for their turn at most, for each one that goes on: at some 25 ms each, the last of them waits
/// for a second and a half. Whoever comes then is told at once.
const WAITING: u64 = 64;

/// One in so many places is kept for those who signed in from their address before; so many of the others one network
/// has, and half of those one address.
const PART: u64 = 4;

/// So many addresses are remembered from which somebody signed in.
const REMEMBERED: usize = 10_000;

/// Compared with when there is no user or no password, so that an answer takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    Argon2::default()
        .hash_password(b"nobody's password")
        .map(|hash| hash.to_string())
        .unwrap_or_default()
});

/// Hashes and checks passwords, each in 19 MiB of memory, on half of the processors: who is signed in does not wait for
/// those who try to be.
#[derive(Clone)]
pub struct Passwords {
    /// For those that go on.
    turns: Arc<Semaphore>,
    /// For those that go on or wait, from addresses that are not known.
    strangers: Arc<Admission>,
    /// The same, from addresses that are: so many strangers as there are, they do not keep them out.
    friends: Arc<Admission>,
    known: Arc<Mutex<Known>>,
}

/// The addresses from which somebody signed in: the latest, and those before them.
#[derive(Default)]
struct Known {
    lately: HashSet<String>,
    before: HashSet<String>,
}

/// What became of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Wrong password, or nobody to compare with.
    Wrong,
    /// Right.
    Right,
    /// Right, but hashed more weakly than is done today.
    Outdated,
}

impl Default for Passwords {
    fn default() -> Self {
        // Made now, so that the first comparison with nobody takes no longer than the others.
        LazyLock::force(&NOBODY);
        let processors = available_parallelism().map_or(1, usize::from);
        let turns = processors.div_ceil(2);
        Self::with(turns, turns as u64 * (WAITING + 1))
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords")
    }
}

impl Passwords {
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
            turns: Arc::new(Semaphore::new(turns)),
            strangers: of(places - kept),
            friends: of(kept),
            known: Arc::default(),
        }
    }

    /// Remembers that somebody signed in from there.
    pub(super) fn welcome(&self, origin: &Origin) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.lately.len() >= REMEMBERED / 2 {
            known.before = mem::take(&mut known.lately);
        }
        known.lately.insert(origin.key());
    }

    fn is_known(&self, address: &str) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.lately.contains(address) || known.before.contains(address)
    }

    /// The hash to keep of a new password.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when it is shorter than 12 characters or longer than 1,024 bytes, or the demo's;
    /// [`Error::Busy`] when too many wait already.
    pub async fn hash(&self, field: &str, password: &str, origin: &Origin) -> Result<String> {
        if password.len() > LONGEST || password.chars().count() < SHORTEST {
            let reason =
                format!("needs at least {SHORTEST} characters and at most {LONGEST} bytes");
            return Err(Error::bad_input(field, reason));
        }
        if password == DEMO_PASSWORD {
            return Err(Error::bad_input(
                field,
                "is the demo's, which everybody knows",
            ));
        }
        self.rehash(password, origin).await
    }

    /// The hash to keep of a password that is known to be right.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait already.
    pub(super) async fn rehash(&self, password: &str, origin: &Origin) -> Result<String> {
        let password = password.to_owned();
        self.slowly(origin, move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(Error::internal)
        })
        .await?
    }

    /// Compares a password with a kept hash, or with nobody's.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait already.
    pub async fn verify(
        &self,
        password: &str,
        kept: Option<String>,
        origin: &Origin,
    ) -> Result<Verdict> {
        // Nobody has a longer one. It is refused as slowly as any other, without hashing megabytes.
        let (password, kept) = match password.len() {
            0..=LONGEST => (password.to_owned(), kept),
            _ => (String::new(), None),
        };
        self.slowly(origin, move || {
            compare(password.as_bytes(), kept.as_deref())
        })
        .await
    }

    /// Works in turn. The turn goes with the work, which runs to its end even when nobody waits for it any more.
    async fn slowly<T: Send + 'static>(
        &self,
        origin: &Origin,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (network, address) = (origin.network(), origin.key());
        let places = match self.is_known(&address) {
            true => &self.friends,
            false => &self.strangers,
        };
        let place = places.acquire(&network, &address).await?;
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.map_err(|_| Error::Unavailable)?;
        let working = spawn_blocking(move || {
            let _held = (turn, place);
            work()
        });
        working.await.map_err(Error::internal)
    }
}

fn compare(password: &[u8], kept: Option<&str>) -> Verdict {
    let matches = |hash: &PasswordHash| Argon2::default().verify_password(password, hash).is_ok();
    let kept = kept.and_then(|kept| PasswordHash::new(kept).ok());
    let verdict = match &kept {
        Some(hash) if is_weak(hash) && matches(hash) => Verdict::Outdated,
        Some(hash) if !is_weak(hash) && matches(hash) => Verdict::Right,
        _ => Verdict::Wrong,
    };
    // What was compared with nothing, or with less than is hashed today, would be answered sooner, and tell so.
    if verdict == Verdict::Wrong
        && kept.as_ref().is_none_or(is_weak)
        && let Ok(nobody) = PasswordHash::new(&NOBODY)
    {
        matches(&nobody);
    }
    verdict
}

/// Whether it took less to make than a hash takes today.
fn is_weak(hash: &PasswordHash) -> bool {
    Params::try_from(hash).map_or(true, |params| {
        params.m_cost() < Params::DEFAULT_M_COST || params.t_cost() < Params::DEFAULT_T_COST
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::{Duration, Instant},
    };
    use tokio::{sync::RwLock, task::JoinHandle};

    #[tokio::test]
    async fn a_password_is_known_again_and_nobody_has_one() {
        let passwords = Passwords::default();
        let hash = passwords
            .hash("password", "correct horse battery", &Origin::default())
            .await
            .unwrap();
        assert!(hash.starts_with("$argon2id$"));
        let nowhere = Origin::default();
        let verify = async |password: &str, kept| {
            let verdict = passwords.verify(password, kept, &nowhere).await;
            verdict.unwrap()
        };
        assert_eq!(
            verify("correct horse battery", Some(hash.clone())).await,
            Verdict::Right
        );
        assert_eq!(
            verify("correct horse batterz", Some(hash)).await,
            Verdict::Wrong
        );
        assert_eq!(verify("nobody's password", None).await, Verdict::Wrong);
        assert_eq!(verify("x", Some("not a hash".into())).await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_weaker_hash_is_outdated_and_a_short_or_known_password_refused() {
        let passwords = Passwords::default();
        let cheap = Argon2::from(Params::new(1024, 1, 1, None).unwrap());
        let hash = cheap.hash_password(DEMO_PASSWORD.as_bytes()).unwrap();
        let nowhere = Origin::default();
        let verify = async |kept| {
            let verdict = passwords.verify(DEMO_PASSWORD, Some(kept), &nowhere).await;
            verdict.unwrap()
        };
        assert_eq!(verify(hash.to_string()).await, Verdict::Outdated);
        let strong = passwords.rehash(DEMO_PASSWORD, &nowhere).await.unwrap();
        assert_eq!(verify(strong).await, Verdict::Right);
        for refused in ["elevenchars", DEMO_PASSWORD] {
            let hash = passwords.hash("newPassword", refused, &nowhere).await;
            assert!(
                matches!(hash, Err(Error::BadUserInput { field, .. }) if field == "newPassword")
            );
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn so_many_go_on_so_many_wait_and_the_others_are_told_at_once() {
        let passwords = Passwords::with(2, 8);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(RwLock::new(()));
        let closed = gate.clone().write_owned().await;
        let tries: Vec<_> = (0..20)
            .map(|number| {
                let (passwords, running, most) = (passwords.clone(), running.clone(), most.clone());
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
                    passwords.slowly(&from(number, 0), work).await.is_ok()
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
    async fn one_network_has_a_part_of_the_places_and_who_signed_in_before_has_others() {
        let passwords = Passwords::with(1, 64);
        let closed = passwords.turns.clone().acquire_owned().await.unwrap();
        let tries = |origin: Origin| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.slowly(&origin, || ()).await })
        };
        // Those who are refused have been, by then.
        let waiting = async |tried: Vec<JoinHandle<Result<()>>>| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            tried.iter().filter(|tried| !tried.is_finished()).count()
        };
        let from_one_address = (0..40).map(|_| tries(from(1, 0))).collect();
        assert!((1..=6).contains(&waiting(from_one_address).await));
        let from_one_network = (0..40).map(|address| tries(from(1, address))).collect();
        assert!((1..=11).contains(&waiting(from_one_network).await));
        let home = from(9, 0);
        passwords.welcome(&home);
        let from_many = (10..100).map(|network| tries(from(network, 0))).collect();
        assert!((30..=47).contains(&waiting(from_many).await));
        assert_eq!(
            waiting(vec![tries(from(100, 0))]).await,
            0,
            "there is no place"
        );
        assert_eq!(waiting(vec![tries(home)]).await, 1);
        drop(closed);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn whoever_goes_away_does_not_let_another_one_in() {
        let passwords = Passwords::with(1, 8);
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
            let passwords = passwords.clone();
            async move { passwords.slowly(&from(0, 0), work).await }
        });
        at_work.await.unwrap();
        gone.abort();
        assert!(gone.await.is_err());
        assert_eq!(
            passwords.turns.available_permits(),
            0,
            "it is still at work"
        );
        drop(closed);
        assert!(passwords.slowly(&from(1, 0), || ()).await.is_ok());
    }

    #[test]
    fn whatever_is_wrong_takes_as_long() {
        let cheap = Argon2::from(Params::new(1024, 1, 1, None).unwrap());
        let weak = cheap
            .hash_password(DEMO_PASSWORD.as_bytes())
            .unwrap()
            .to_string();
        let strong = Argon2::default()
            .hash_password(DEMO_PASSWORD.as_bytes())
            .unwrap()
            .to_string();
        LazyLock::force(&NOBODY);
        let mut kept = [
            Some(strong.as_str()),
            None,
            Some("not a hash"),
            Some(""),
            Some(&weak),
        ]
        .map(|kept| (kept, Duration::MAX));
        for _ in 0..7 {
            for (kept, fastest) in &mut kept {
                let started = Instant::now();
                assert_eq!(compare(b"wrong", *kept), Verdict::Wrong);
                *fastest = started.elapsed().min(*fastest);
            }
        }
        let usual = kept[0].1;
        for (kept, time) in kept {
            assert!(
                time * 2 > usual && time < usual * 2,
                "{kept:?}: {time:?}, not {usual:?}"
            );
        }
    }
}
