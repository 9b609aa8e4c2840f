//! Sessions: signing in, going on, and ending.
//!
//! A session is a family of refresh tokens, each good for one use. Who presents one that was used before holds a copy, so
//! the whole family ends with it.

use super::{
    Actor, Origin, Passwords, Tokens, Verdict,
    opaque::{self, REFRESH},
    rate::{Limiter, address_key},
};
use crate::{
    error::{Error, Result},
    store::{Store, Tx},
};
use chrono::TimeDelta;
use entity::{Id, Secret, Timestamp, auth_token::AuthTokenKind, user};
use sea_orm::ActiveValue::{NotSet, Set};
use std::{sync::Arc, time::Duration};

/// How long an access token is valid.
const ACCESS: Duration = Duration::from_secs(15 * 60);
/// How long a session lasts without being used.
const REFRESHABLE: TimeDelta = TimeDelta::days(7);
/// A refresh token that comes again so soon was sent by another tab of the same browser, not stolen.
const SAME_MOMENT: TimeDelta = TimeDelta::seconds(10);

const WRONG: Error =
    Error::Unauthenticated("The workspace, the e-mail address or the password is wrong.");
const ENDED: Error = Error::Unauthenticated("This session has ended. Sign in again.");

/// Opens, continues and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    tokens: Tokens,
    passwords: Passwords,
    limits: Arc<Limits>,
}

/// How often a sign-in may be tried.
struct Limits {
    by_address: Limiter,
    by_account: Limiter,
}

/// An account may be tried so many times as often as one address may try: its user signs in from several.
const ACCOUNT: u64 = 4;

/// What a client holds of a session. Its tokens are shown once.
pub struct Session {
    /// Speaks for the user.
    pub access_token: String,
    /// When it stops.
    pub access_token_expires_at: Timestamp,
    /// Good for one exchange for new ones.
    pub refresh_token: String,
    /// When it stops.
    pub refresh_token_expires_at: Timestamp,
}

impl Sessions {
    /// Sessions of this store's users. An address may try to sign in so many times a minute.
    pub fn new(store: Store, tokens: Tokens, tries_per_minute: u64) -> Self {
        let limits = Limits {
            by_address: Limiter::per_minute(tries_per_minute),
            by_account: Limiter::per_minute(tries_per_minute.saturating_mul(ACCOUNT)),
        };
        Self {
            store,
            tokens,
            passwords: Passwords::default(),
            limits: Arc::new(limits),
        }
    }

    /// The same sessions over a handle of the store that measures.
    pub(crate) fn over(self, store: Store) -> Self {
        Self { store, ..self }
    }

    /// Checks and makes access tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Begins a session. A wrong password and an unknown address are answered alike and equally slowly.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], or [`Error::RateLimited`] when it was tried too often.
    pub async fn sign_in(
        &self,
        workspace: &str,
        email: &str,
        password: &str,
        origin: &Arc<Origin>,
    ) -> Result<Session> {
        self.limits.check(workspace, email, origin)?;
        let system = self.store.system();
        let Some(tenant) = system.workspace(workspace.trim()).await? else {
            self.passwords.verify(password, None).await?;
            return Err(WRONG);
        };
        let user = system
            .user_by_email(&tenant.id, &email.trim().to_lowercase())
            .await?;
        let kept = user.as_ref().and_then(|(_, hash)| hash.clone());
        let verdict = self.passwords.verify(password, kept).await?;
        let (Some((user, _)), Verdict::Right | Verdict::Outdated) = (&user, verdict) else {
            let actor = Actor::system(tenant.id.clone(), "sign_in").from(origin.clone());
            let scope = self.store.scope(actor);
            let mut tx = scope.begin().await?;
            match &user {
                Some((user, _)) => tx.note::<user::Entity>(user, "user.login_failed"),
                None => tx.note::<entity::tenant::Entity>(&tenant, "user.login_failed"),
            }
            tx.commit().await?;
            return Err(WRONG);
        };
        let rehashed = match verdict {
            Verdict::Outdated => Set(Secret::new(
                self.passwords.hash("password", password).await?,
            )),
            _ => NotSet,
        };
        let scope = self
            .store
            .scope(Actor::user(user.clone()).from(origin.clone()));
        let mut tx = scope.begin().await?;
        let changes = user::ActiveModel {
            last_login_at: Set(Some(tx.now())),
            password_hash: rehashed,
            ..Default::default()
        };
        let user = tx
            .update::<user::Entity, _>(user, changes, "user.login")
            .await?;
        let session = self.open(&mut tx, &user, Id(cuid2::create_id())).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Exchanges a refresh token for a new pair.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it does not hold; one that was used before ends its session.
    /// [`Error::Conflict`] when it was used a moment ago.
    pub async fn refresh(&self, token: &str, origin: &Arc<Origin>) -> Result<Session> {
        let (user, scope) = self.holder(token, origin).await?.ok_or(ENDED)?;
        let mut tx = scope.begin().await?;
        let Some(row) = tx.refresh_token(&opaque::hash(token)).await? else {
            return Err(ENDED);
        };
        let family = row.family_id.clone().ok_or(ENDED)?;
        if let Some(consumed) = row.consumed_at {
            let lives = tx.end_sessions(&user.id, Some(&family)).await? > 0;
            if lives && tx.now().inner() - consumed.inner() < SAME_MOMENT {
                // The transaction is dropped, so nothing was ended.
                return Err(just_used());
            }
            if lives {
                tx.note::<user::Entity>(&user, "session.reuse_detected");
                tx.explain("A refresh token was used twice, so its session was ended.");
                tx.commit().await?;
            }
            return Err(ENDED);
        }
        if row.expires_at <= tx.now() {
            return Err(ENDED);
        }
        if !tx.consume(&row).await? {
            return Err(just_used());
        }
        let session = self.open(&mut tx, &user, family).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Ends the session that a refresh token belongs to. One that does not hold has none to end.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn sign_out(&self, token: &str, origin: &Arc<Origin>) -> Result<()> {
        let Some((user, scope)) = self.holder(token, origin).await? else {
            return Ok(());
        };
        let mut tx = scope.begin().await?;
        let row = tx.refresh_token(&opaque::hash(token)).await?;
        let Some(family) = row.and_then(|row| row.family_id) else {
            return Ok(());
        };
        if tx.end_sessions(&user.id, Some(&family)).await? > 0 {
            tx.note::<user::Entity>(&user, "user.logout");
            tx.commit().await?;
        }
        Ok(())
    }

    /// Sets a new password, ends all sessions and begins a new one.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when the current password is wrong or the new one too short.
    pub async fn change_password(
        &self,
        actor: &Actor,
        current: &str,
        new: &str,
    ) -> Result<Session> {
        let id = actor
            .user_id()
            .ok_or_else(|| Error::Forbidden("Only people have passwords.".to_owned()))?;
        let system = self.store.system();
        let (user, kept) = system
            .user_with_password(actor.tenant(), id)
            .await?
            .ok_or(ENDED)?;
        if self.passwords.verify(current, kept).await? == Verdict::Wrong {
            return Err(Error::bad_input("currentPassword", "is wrong"));
        }
        let hash = self.passwords.hash("newPassword", new).await?;
        let scope = self.store.scope(actor.clone());
        let mut tx = scope.begin().await?;
        let user = set_password(&mut tx, &user, hash).await?;
        let session = self.open(&mut tx, &user, Id(cuid2::create_id())).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Sets a user's password without knowing the current one, for the server's operator.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such user, [`Error::BadUserInput`] when the password is too short.
    pub async fn reset_password(&self, workspace: &str, email: &str, new: &str) -> Result<()> {
        let system = self.store.system();
        let tenant = system.workspace(workspace).await?;
        let tenant = tenant.ok_or(Error::NotFound { kind: "Tenant" })?;
        let user = system
            .user_by_email(&tenant.id, &email.to_lowercase())
            .await?;
        let (user, _) = user.ok_or(Error::NotFound { kind: "User" })?;
        let hash = self.passwords.hash("password", new).await?;
        let scope = system.tenant(tenant.id, "command_line");
        let mut tx = scope.begin().await?;
        set_password(&mut tx, &user, hash).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The user of a refresh token, and what they can reach.
    async fn holder(
        &self,
        token: &str,
        origin: &Arc<Origin>,
    ) -> Result<Option<(user::Model, crate::store::Scope)>> {
        let system = self.store.system();
        let Some(row) = system.auth_token(&opaque::hash(token)).await? else {
            return Ok(None);
        };
        let (AuthTokenKind::Refresh, Some(user)) = (row.kind, row.user_id) else {
            return Ok(None);
        };
        let user = system.user(&row.tenant_id, &user).await?;
        Ok(user.map(|user| {
            let actor = Actor::user(user.clone()).from(origin.clone());
            (user, self.store.scope(actor))
        }))
    }

    async fn open(&self, tx: &mut Tx<'_>, user: &user::Model, family: Id) -> Result<Session> {
        let refresh_token = opaque::mint(REFRESH);
        let refresh_token_expires_at = Timestamp::new(tx.now().inner() + REFRESHABLE);
        tx.keep_session(
            &user.id,
            family,
            opaque::hash(&refresh_token),
            refresh_token_expires_at,
        )
        .await?;
        Ok(Session {
            access_token: self.tokens.issue(user, ACCESS)?,
            access_token_expires_at: Timestamp::new(tx.now().inner() + ACCESS),
            refresh_token,
            refresh_token_expires_at,
        })
    }
}

impl Limits {
    /// A proxy on the same machine speaks for everyone, so its address says nothing of who tries.
    fn check(&self, workspace: &str, email: &str, origin: &Origin) -> Result<()> {
        if let Some(address) = origin.address.filter(|address| !address.is_loopback()) {
            self.by_address.check(&address_key(address))?;
        }
        let account = format!("{}\n{}", workspace.trim(), email.trim().to_lowercase());
        self.by_account.check(&opaque::hash(&account))
    }
}

fn just_used() -> Error {
    Error::Conflict(
        "This refresh token was used a moment ago. Use the one that came in exchange.".to_owned(),
    )
}

async fn set_password(tx: &mut Tx<'_>, user: &user::Model, hash: String) -> Result<user::Model> {
    let changes = user::ActiveModel {
        password_hash: Set(Secret::new(hash)),
        ..Default::default()
    };
    let user = tx
        .update::<user::Entity, _>(user, changes, "user.password_reset")
        .await?;
    end_all(tx, &user).await
}

/// Ends all sessions of a user: their access tokens stop at once, their refresh tokens are used up.
///
/// # Errors
/// If the database fails.
pub(crate) async fn end_all(tx: &mut Tx<'_>, user: &user::Model) -> Result<user::Model> {
    tx.end_sessions(&user.id, None).await?;
    let changes = user::ActiveModel {
        token_version: Set(user.token_version + 1),
        ..Default::default()
    };
    tx.update::<user::Entity, _>(user, changes, "user.logout")
        .await
}
