//! Sessions: signing in, going on, and ending.
//!
//! A session is a family of refresh tokens, each good for one use. Who presents one that was used before holds a copy, so
//! the whole family ends with it.

use super::{
    Actor, Origin, Passwords, Tokens,
    failures::Failures,
    limits::Limits,
    oidc::Oidc,
    opaque::{self, REFRESH, REPLY},
    resets::Resets,
};
use crate::{
    error::{Error, Result},
    store::{Scope, Store, Tx, retried},
};
use chrono::TimeDelta;
use entity::{
    Id, Secret, Timestamp,
    auth_token::{self, AuthTokenKind},
    user,
};
use sea_orm::ActiveValue::Set;
use std::{sync::Arc, time::Duration};

/// How long an access token is valid.
const ACCESS: Duration = Duration::from_secs(15 * 60);
/// How long a session lasts without being used.
const REFRESHABLE: TimeDelta = TimeDelta::days(7);
/// How often a password is compared again because the account changed while it was compared.
pub(super) const ROUNDS: usize = 3;
/// A refresh token that comes again so soon was sent by another tab of the same browser, not stolen.
const SAME_MOMENT: TimeDelta = TimeDelta::seconds(10);

pub(super) const ENDED: Error = Error::Unauthenticated("This session has ended. Sign in again.");

/// Opens, continues and ends sessions.
///
/// Whoever touches a user's sessions locks the user first, so that they take their turns, and compares again what was read
/// before that.
#[derive(Clone)]
pub struct Sessions {
    pub(super) store: Store,
    pub(super) tokens: Tokens,
    pub(super) passwords: Passwords,
    pub(super) limits: Arc<Limits>,
    pub(super) failures: Arc<Failures>,
    pub(super) resets: Arc<Resets>,
    /// Whether everybody may found a workspace; without a word, those in development mode.
    pub(super) sign_up: Option<bool>,
    /// The provider through which people sign in, too.
    pub(super) oidc: Option<Arc<Oidc>>,
}

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
        Self {
            failures: Arc::new(Failures::new(store.clone(), tokens.clock())),
            resets: Arc::new(Resets::new(store.clone())),
            store,
            tokens,
            passwords: Passwords::default(),
            limits: Arc::new(Limits::new(tries_per_minute)),
            sign_up: None,
            oidc: None,
        }
    }

    /// The same sessions over a handle of the store that measures.
    pub(crate) fn over(self, store: Store) -> Self {
        Self { store, ..self }
    }

    /// Writes down what is known of failed tries, and the links of those who asked for new passwords, before the server ends.
    pub async fn finish(&self) {
        self.resets.finish().await;
        self.failures.finish().await;
    }

    /// Checks and makes access tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Exchanges a refresh token for a new pair.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it does not hold; one that was used before ends its session.
    /// [`Error::Conflict`] when it was used a moment ago, [`Error::RateLimited`] when there were too many exchanges.
    pub async fn refresh(&self, token: &str, origin: &Arc<Origin>) -> Result<Session> {
        let (user, scope) = self.holder(token, origin).await?.ok_or(ENDED)?;
        self.limits.check_exchanging(&user)?;
        let _turn = self.store.admit_to_sign_in(origin.address).await?;
        retried(|| self.exchange(&scope, &user.id, token)).await
    }

    async fn exchange(&self, scope: &Scope, user: &Id, token: &str) -> Result<Session> {
        let mut tx = scope.begin().await?;
        let (user, _) = tx.user_with_password(user).await?.ok_or(ENDED)?;
        let Some(row) = tx.one_time_token(&opaque::hash(token)).await? else {
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
        tx.consume(&row).await?;
        let session = self.open(&mut tx, &user, family).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Ends the session that a refresh token belongs to. One that does not hold has none to end.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when there were too many tries; if the database fails.
    pub async fn sign_out(&self, token: &str, origin: &Arc<Origin>) -> Result<()> {
        let Some((user, scope)) = self.holder(token, origin).await? else {
            return Ok(());
        };
        let _turn = self.store.admit_to_sign_in(origin.address).await?;
        retried(|| end_one(&scope, &user.id, token)).await
    }

    /// Sets a user's password without knowing the current one, for the server's operator.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when there is no such user, or the password is too short.
    pub async fn reset_password(&self, tenant: Id, email: &str, new: &str) -> Result<()> {
        let nobody = || {
            let reason = format!("there is nobody with the address `{email}` in this workspace");
            Error::bad_input("email", reason)
        };
        let system = self.store.system();
        let user = system.user_by_email(&tenant, &email.to_lowercase()).await?;
        let (user, _) = user.ok_or_else(nobody)?;
        let hash = self
            .passwords
            .hash("password", new, &Origin::default())
            .await?;
        let scope = system.tenant(tenant, "command_line");
        retried(|| async {
            let mut tx = scope.begin().await?;
            let (user, _) = tx.user_with_password(&user.id).await?.ok_or_else(nobody)?;
            set_password(&mut tx, &user, hash.clone()).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    /// The user of a refresh token, and what they can reach.
    async fn holder(
        &self,
        token: &str,
        origin: &Arc<Origin>,
    ) -> Result<Option<(user::Model, Scope)>> {
        let held = self.holder_of(REFRESH, token, origin).await?;
        let held = held.filter(|(row, ..)| row.kind == AuthTokenKind::Refresh);
        Ok(held.map(|(_, user, scope)| (user, scope)))
    }

    /// The token of a reply to a message, and what whom it was sent to can reach.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is none, [`Error::RateLimited`] when there were too many tries.
    pub(crate) async fn reply(
        &self,
        token: &str,
        origin: &Arc<Origin>,
    ) -> Result<(auth_token::Model, Scope)> {
        let held = self.holder_of(REPLY, token, origin).await?;
        let held = held.map(|(row, _, scope)| (row, scope));
        held.ok_or(Error::Unauthenticated(
            "This server has sent no such token, or whom it was sent to is gone. Decide in the dashboard.",
        ))
    }

    /// The same of a token that comes from a service which proved that it speaks for this workspace: many replies come from
    /// its address. None when it is none of the workspace's.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn vouched_reply(
        &self,
        tenant: &Id,
        token: &str,
        origin: &Arc<Origin>,
    ) -> Result<Option<(auth_token::Model, Scope)>> {
        if !opaque::is_one(REPLY, token) {
            return Ok(None);
        }
        let held = self.look_for(token, origin).await?;
        let held = held.filter(|(row, ..)| row.tenant_id == *tenant);
        Ok(held.map(|(row, _, scope)| (row, scope)))
    }

    pub(super) async fn holder_of(
        &self,
        prefix: &str,
        token: &str,
        origin: &Arc<Origin>,
    ) -> Result<Option<(auth_token::Model, user::Model, Scope)>> {
        if !opaque::is_one(prefix, token) {
            return Ok(None);
        }
        self.limits.check_presenting(origin)?;
        self.look_for(token, origin).await
    }

    /// The token, whosever it is, the user it was given to, and what they can reach.
    async fn look_for(
        &self,
        token: &str,
        origin: &Arc<Origin>,
    ) -> Result<Option<(auth_token::Model, user::Model, Scope)>> {
        let system = self.store.entrance(origin.address);
        let Some(row) = system.auth_token(&opaque::hash(token)).await? else {
            return Ok(None);
        };
        let Some(user) = &row.user_id else {
            return Ok(None);
        };
        let user = system.user(&row.tenant_id, user).await?;
        Ok(user.map(|user| {
            let actor = Actor::user(user.clone()).from(origin.clone());
            (row, user, self.store.scope(actor))
        }))
    }

    /// Begins or continues a session of a user whose row is locked.
    pub(super) async fn open(
        &self,
        tx: &mut Tx<'_>,
        user: &user::Model,
        family: Id,
    ) -> Result<Session> {
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

async fn end_one(scope: &Scope, user: &Id, token: &str) -> Result<()> {
    let mut tx = scope.begin().await?;
    let Some((user, _)) = tx.user_with_password(user).await? else {
        return Ok(());
    };
    let row = tx.one_time_token(&opaque::hash(token)).await?;
    let Some(family) = row.and_then(|row| row.family_id) else {
        return Ok(());
    };
    if tx.end_sessions(&user.id, Some(&family)).await? > 0 {
        tx.note::<user::Entity>(&user, "user.logout");
        tx.commit().await?;
    }
    Ok(())
}

fn just_used() -> Error {
    Error::Conflict(
        "This refresh token was used a moment ago. Use the one that came in exchange.".to_owned(),
    )
}

pub(super) async fn set_password(
    tx: &mut Tx<'_>,
    user: &user::Model,
    hash: String,
) -> Result<user::Model> {
    let changes = user::ActiveModel {
        password_hash: Set(Secret::new(hash)),
        ..Default::default()
    };
    let user = tx
        .update::<user::Entity, _>(user, changes, "user.password_reset")
        .await?;
    end_all(tx, &user).await
}

/// Ends all sessions of a user: their access tokens stop at once, their other tokens are used up, also those by which they
/// decide by reply.
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
