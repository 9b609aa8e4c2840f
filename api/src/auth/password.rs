//! Passwords: Argon2id, slow on purpose, and as slow when there is nobody to compare with.

use super::{Origin, turns::Turns};
use crate::error::{Error, Result};
use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::{
    fmt,
    sync::{Arc, LazyLock},
    thread::available_parallelism,
};

/// The password of everyone in the demo. Everybody knows it.
pub const DEMO_PASSWORD: &str = "workgraph-demo";

/// The fewest characters of a new password.
const SHORTEST: usize = 12;
/// The most bytes of a password; more would only keep the server busy.
const LONGEST: usize = 1024;

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
    turns: Arc<Turns>,
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
        let turns = Turns::at_once(processors.div_ceil(2));
        Self {
            turns: Arc::new(turns),
        }
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords")
    }
}

impl Passwords {
    /// Remembers that somebody signed in from there.
    pub(super) fn welcome(&self, origin: &Origin) {
        self.turns.welcome(origin);
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
        self.turns
            .take(origin, move || {
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
        self.turns
            .take(origin, move || {
                compare(password.as_bytes(), kept.as_deref())
            })
            .await
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
    use std::time::{Duration, Instant};

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
        let differs = |usual: Duration, time: Duration| time * 2 <= usual || time >= usual * 2;
        // On a busy machine it takes more rounds until each was once undisturbed.
        for round in 0..50 {
            for (kept, fastest) in &mut kept {
                let started = Instant::now();
                assert_eq!(compare(b"wrong", *kept), Verdict::Wrong);
                *fastest = started.elapsed().min(*fastest);
            }
            if round >= 6 && !kept.iter().any(|(_, time)| differs(kept[0].1, *time)) {
                break;
            }
        }
        let usual = kept[0].1;
        for (kept, time) in kept {
            assert!(!differs(usual, time), "{kept:?}: {time:?}, not {usual:?}");
        }
    }
}
