//! Passwords: Argon2id, slow on purpose, and as slow when there is nobody to compare with.

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
use tokio::{sync::Semaphore, task::spawn_blocking};

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

/// Hashes and checks passwords, as many at once as there are processors: each takes 19 MiB.
#[derive(Clone)]
pub struct Passwords(Arc<Semaphore>);

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
        let processors = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors)))
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords")
    }
}

impl Passwords {
    /// The hash to keep of a new password.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when it is shorter than 12 characters or longer than 1,024 bytes.
    pub async fn hash(&self, field: &str, password: &str) -> Result<String> {
        if password.chars().count() < SHORTEST || password.len() > LONGEST {
            let reason =
                format!("needs at least {SHORTEST} characters and at most {LONGEST} bytes");
            return Err(Error::bad_input(field, reason));
        }
        let password = password.to_owned();
        self.slowly(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(Error::internal)
        })
        .await?
    }

    /// Compares a password with a kept hash, or with nobody's.
    ///
    /// # Errors
    /// If the server is stopping.
    pub async fn verify(&self, password: &str, kept: Option<String>) -> Result<Verdict> {
        if password.len() > LONGEST {
            return Ok(Verdict::Wrong);
        }
        let password = password.to_owned();
        self.slowly(move || {
            let known = kept.is_some();
            let kept = kept.unwrap_or_else(|| NOBODY.clone());
            let Ok(hash) = PasswordHash::new(&kept) else {
                return Verdict::Wrong;
            };
            let right = Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok();
            let today = Params::try_from(&hash).is_ok_and(|params| {
                params.m_cost() >= Params::DEFAULT_M_COST
                    && params.t_cost() >= Params::DEFAULT_T_COST
            });
            match (known && right, today) {
                (false, _) => Verdict::Wrong,
                (true, true) => Verdict::Right,
                (true, false) => Verdict::Outdated,
            }
        })
        .await
    }

    async fn slowly<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let _turn = self.0.acquire().await.map_err(|_| Error::Unavailable)?;
        spawn_blocking(work).await.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_nobody_has_one() {
        let passwords = Passwords::default();
        let hash = passwords
            .hash("password", "correct horse battery")
            .await
            .unwrap();
        assert!(hash.starts_with("$argon2id$"));
        let verify = async |password: &str, kept| passwords.verify(password, kept).await.unwrap();
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
    async fn a_weaker_hash_is_outdated_and_a_short_password_refused() {
        let passwords = Passwords::default();
        let cheap = Argon2::from(Params::new(1024, 1, 1, None).unwrap());
        let hash = cheap.hash_password(b"workgraph-demo").unwrap().to_string();
        let verdict = passwords
            .verify("workgraph-demo", Some(hash))
            .await
            .unwrap();
        assert_eq!(verdict, Verdict::Outdated);
        let short = passwords.hash("newPassword", "elevenchars").await;
        assert!(matches!(short, Err(Error::BadUserInput { field, .. }) if field == "newPassword"));
    }
}
