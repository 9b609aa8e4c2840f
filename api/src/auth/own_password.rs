//! People's own passwords: changed, or asked for as proof of who it is, by who has signed in.

use super::{
    Actor, Session, Sessions, Verdict,
    session::{ENDED, ROUNDS, set_password},
};
use crate::{
    error::{Error, Result},
    store::{Scope, retried},
};
use chrono::TimeDelta;
use entity::{Id, user};

/// Who signed in since then has proved who they are.
const LATELY: TimeDelta = TimeDelta::minutes(10);

impl Sessions {
    /// Sets a new password, ends all sessions and begins a new one.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when the current password is wrong or the new one too short, [`Error::Conflict`] when the
    /// password or the sessions changed meanwhile, [`Error::RateLimited`] when it was tried too often.
    pub async fn change_password(
        &self,
        actor: &Actor,
        current: &str,
        new: &str,
    ) -> Result<Session> {
        let id = actor.user_id().ok_or_else(not_a_person)?;
        self.limits.check_own_password(id)?;
        let system = self.store.system();
        let (seen, mut kept) = system
            .user_with_password(actor.tenant(), id)
            .await?
            .ok_or(ENDED)?;
        let scope = self.store.scope(actor.clone());
        let origin = actor.origin().cloned().unwrap_or_default();
        let mut hashed = None;
        for _ in 0..ROUNDS {
            if self
                .passwords
                .verify(current, kept.clone(), &origin)
                .await?
                == Verdict::Wrong
            {
                return Err(Error::bad_input("currentPassword", "is wrong"));
            }
            let hash = match hashed.take() {
                Some(hash) => hash,
                None => self.passwords.hash("newPassword", new, &origin).await?,
            };
            match retried(|| self.replace(&scope, &seen, kept.as_deref(), &hash)).await? {
                Ok(session) => return Ok(session),
                // A sign-in has hashed it anew.
                Err(still) => (hashed, kept) = (Some(hash), still),
            }
        }
        Err(changed_meanwhile())
    }

    /// Refuses who does not know the password of the account that acts: whoever took over a session does not. Who has none
    /// because they sign in through a provider must have done so lately; who has never had one need not prove anything.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when it is wrong or left out, [`Error::Forbidden`] for who is no person,
    /// [`Error::RateLimited`] when it was tried too often.
    pub(crate) async fn check_own_password(
        &self,
        actor: &Actor,
        password: Option<&str>,
    ) -> Result<()> {
        let id = actor.user_id().ok_or_else(not_a_person)?;
        let system = self.store.system();
        let found = system.user_with_password(actor.tenant(), id).await?;
        let wrong = |reason: &str| Err(Error::bad_input("password", reason));
        let (user, kept) = found.ok_or(ENDED)?;
        let Some(kept) = kept else {
            if user.identity_subject.is_none() {
                return Ok(());
            }
            let since = self.tokens.clock().now().inner() - LATELY;
            return match user.last_login_at.is_some_and(|at| at.inner() >= since) {
                true => Ok(()),
                false => wrong(
                    "is none that you have: sign in through your provider again, and repeat this within 10 minutes",
                ),
            };
        };
        let Some(password) = password else {
            return wrong("is needed, as proof that it is you");
        };
        self.limits.check_own_password(id)?;
        let origin = actor.origin().cloned().unwrap_or_default();
        let verdict = self.passwords.verify(password, Some(kept), &origin).await?;
        match verdict {
            Verdict::Wrong => wrong("is wrong"),
            _ => Ok(()),
        }
    }

    /// Replaces the hash that was compared, or returns the one that is kept by now.
    async fn replace(
        &self,
        scope: &Scope,
        seen: &user::Model,
        kept: Option<&str>,
        hash: &str,
    ) -> Result<Result<Session, Option<String>>> {
        let mut tx = scope.begin().await?;
        tx.check_account().await?;
        let (user, still) = tx.user_with_password(&seen.id).await?.ok_or(ENDED)?;
        if user.token_version != seen.token_version {
            return Err(changed_meanwhile());
        }
        if still.as_deref() != kept {
            return Ok(Err(still));
        }
        let user = set_password(&mut tx, &user, hash.to_owned()).await?;
        let session = self.open(&mut tx, &user, Id(cuid2::create_id())).await?;
        tx.commit().await?;
        Ok(Ok(session))
    }
}

fn not_a_person() -> Error {
    Error::Forbidden("Only people have passwords.".to_owned())
}

fn changed_meanwhile() -> Error {
    Error::Conflict(
        "Your password was changed or your sessions were ended meanwhile. Sign in again."
            .to_owned(),
    )
}
