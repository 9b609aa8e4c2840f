//! New passwords for those who lost theirs, by a link that is mailed.
//!
//! Whether there is such an account is told to nobody: what is written for one is written beside the answer, which comes no
//! later for it.

use super::{
    Actor, Links, Origin, Sessions,
    opaque::{self, RESET},
    session::set_password,
    sign_in::Named,
};
use crate::{
    error::{Error, Result},
    post::Page,
    store::{READ_WITHIN, Store, retried},
};
use chrono::TimeDelta;
use entity::{
    Id, Secret, Timestamp,
    auth_token::{self, AuthTokenKind},
    user,
};
use sea_orm::{ActiveEnum as _, ActiveValue::Set, Condition, sea_query::ExprTrait};
use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinSet;

/// How long a link is good.
const GOOD_FOR: TimeDelta = TimeDelta::hours(1);
/// So many links an account has at a time: more would only fill a mailbox.
const MOST_OPEN: usize = 3;
/// So many wait to be written at most.
const MOST_WAITING: usize = 1000;

const NO_LINK: Error = Error::Unauthenticated(
    "This link was used, its hour is over, or it never was one. Ask for another one with requestPasswordReset.",
);

/// What is written beside the answers.
pub(super) struct Resets {
    store: Store,
    /// One link is written after the other: they take one connection, however many there are.
    pen: tokio::sync::Mutex<()>,
    writing: Mutex<JoinSet<()>>,
    /// Whose link waits to be written: who asks again meanwhile gets that one.
    waiting: Mutex<HashSet<Id>>,
}

impl Resets {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            pen: tokio::sync::Mutex::default(),
            writing: Mutex::default(),
            waiting: Mutex::default(),
        }
    }

    /// Waits for what is being written.
    pub(super) async fn finish(&self) {
        let mut writing = mem::take(&mut *self.writing());
        while writing.join_next().await.is_some() {}
    }

    /// Has a link written for a user.
    fn note(self: &Arc<Self>, user: user::Model, origin: &Arc<Origin>) {
        let mut writing = self.writing();
        while writing.try_join_next().is_some() {}
        if self.waiting().contains(&user.id) {
            return;
        }
        if writing.len() >= MOST_WAITING {
            tracing::warn!("too many ask for new passwords; some get no link");
            return;
        }
        self.waiting().insert(user.id.clone());
        let (resets, origin) = (self.clone(), origin.clone());
        writing.spawn(async move {
            let _pen = resets.pen.lock().await;
            resets.waiting().remove(&user.id);
            if let Err(error) = retried(|| resets.write(&user, &origin)).await {
                tracing::warn!(
                    error = error.cause(),
                    "somebody who asked for a new password gets no link"
                );
            }
        });
    }

    async fn write(&self, user: &user::Model, origin: &Arc<Origin>) -> Result<()> {
        let actor = Actor::system(user.tenant_id.clone(), "password_reset").from(origin.clone());
        let _turn = self.store.admit_to_note().await?;
        let scope = self.store.scope_within(actor, READ_WITHIN);
        let mut tx = scope.begin().await?;
        let Some((user, _)) = tx.user_with_password(&user.id).await? else {
            return Ok(());
        };
        tx.forget_expired(&user.id, AuthTokenKind::PasswordReset)
            .await?;
        let now = tx.now();
        let open = tx.unlocked_rows_up_to::<auth_token::Entity>(MOST_OPEN as u64, |place| {
            Condition::all()
                .add(
                    place
                        .column(auth_token::Column::UserId)
                        .eq(user.id.as_str()),
                )
                .add(
                    place
                        .column(auth_token::Column::Kind)
                        .eq(AuthTokenKind::PasswordReset.to_value()),
                )
                .add(place.column(auth_token::Column::ConsumedAt).is_null())
                .add(place.column(auth_token::Column::ExpiresAt).gt(now))
                // One that never went out is in nobody's mailbox.
                .add(
                    Condition::any()
                        .add(
                            place
                                .column(auth_token::Column::NextDeliveryAt)
                                .is_not_null(),
                        )
                        .add(place.column(auth_token::Column::DeliveryError).is_null()),
                )
        });
        if open.await?.len() >= MOST_OPEN {
            return Ok(());
        }
        let nonce = Links::nonce();
        let token = tx.post().token(Page::NewPassword, &nonce);
        let row = auth_token::ActiveModel {
            kind: Set(AuthTokenKind::PasswordReset),
            token_hash: Set(Secret::new(opaque::hash(&token))),
            link_nonce: Set(Secret::new(nonce)),
            next_delivery_at: Set(Some(now)),
            user_id: Set(Some(user.id.clone())),
            expires_at: Set(Timestamp::new(now.inner() + GOOD_FOR)),
            ..Default::default()
        };
        tx.insert_untold(row).await?;
        tx.note::<user::Entity>(&user, "user.reset_requested");
        tx.commit().await?;
        Ok(())
    }

    fn writing(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, HashSet<Id>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    /// Has a link mailed to a person who lost their password. The answer says nothing of whether there is one. Those who sign in
    /// through another provider only have none to lose.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where nothing is mailed, [`Error::RateLimited`] when it was asked for too often.
    pub(crate) async fn request_password_reset(
        &self,
        workspace: &str,
        email: &str,
        origin: &Arc<Origin>,
    ) -> Result<()> {
        if self.store.post().mail().is_none() {
            return Err(Error::Forbidden(
                "This server sends no mail. Ask who runs it for a new password: `workgraph set-password` sets one.".to_owned(),
            ));
        }
        self.limits.check_address(origin)?;
        let named = Named::new(workspace, email);
        let known = self.look_up(&named, origin).await?;
        if let (Some(user), Some(_)) = (known.user, known.hash) {
            self.resets.note(user, origin);
        }
        Ok(())
    }

    /// Sets a new password for whoever holds the link to do so, and ends all their sessions.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is none, or is no longer good; [`Error::BadUserInput`] when the password cannot be one.
    pub(crate) async fn use_password_reset(
        &self,
        token: &str,
        password: &str,
        origin: &Arc<Origin>,
    ) -> Result<()> {
        let held = self.holder_of(RESET, token, origin).await?;
        let (row, user, scope) = held.ok_or(NO_LINK)?;
        let clock = self.tokens.clock();
        let is_good = |row: &auth_token::Model, now| {
            row.kind == AuthTokenKind::PasswordReset
                && row.consumed_at.is_none()
                && now < row.expires_at
        };
        if !is_good(&row, clock.now()) {
            return Err(NO_LINK);
        }
        let hash = self.passwords.hash("newPassword", password, origin).await?;
        let _turn = self.store.admit_to_sign_in(origin.address).await?;
        retried(|| async {
            let mut tx = scope.begin().await?;
            let (user, _) = tx.user_with_password(&user.id).await?.ok_or(NO_LINK)?;
            // Whoever used it a moment ago has held the user.
            let row = tx.one_time_token(&opaque::hash(token)).await?;
            if !row.is_some_and(|row| is_good(&row, tx.now())) {
                return Err(NO_LINK);
            }
            set_password(&mut tx, &user, hash.clone()).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}
