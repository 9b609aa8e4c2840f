//! Who holds a connection that stays open, for as long as it does.

use super::{App, credentials::Credentials, seats::Seat};
use crate::{
    auth::Actor,
    error::{Error, Result},
    graph::Visitor,
};
use entity::Timestamp;
use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Who holds a connection. Its token can be exchanged for a newer one of the same actor.
pub(super) struct Caller {
    visitor: Visitor,
    /// Tells the actor apart from all others.
    key: String,
    current: Mutex<Current>,
    _seat: Seat,
}

#[derive(Clone)]
struct Current {
    credentials: Credentials,
    until: Option<Timestamp>,
}

impl Caller {
    /// Checks the credentials, and takes a seat.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when they do not hold, [`Error::LimitExceeded`] when the actor holds too many
    /// connections.
    pub(super) async fn new(
        app: &App,
        credentials: Credentials,
        visitor: Visitor,
    ) -> Result<(Arc<Self>, Actor)> {
        let (actor, until) = credentials.authenticate_until(app, &visitor).await?;
        let key = actor.key();
        let caller = Self {
            visitor,
            _seat: app.seats.take(key.clone(), &app.limits)?,
            key,
            current: Mutex::new(Current { credentials, until }),
        };
        Ok((Arc::new(caller), actor))
    }

    /// The credentials that count now.
    pub(super) fn credentials(&self) -> Credentials {
        self.current().credentials.clone()
    }

    /// The actor, as the database knows it now.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the token does not hold any more.
    pub(super) async fn actor(&self, app: &App) -> Result<Actor> {
        self.credentials().authenticate(app, &self.visitor).await
    }

    /// Goes on with other credentials.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when they do not hold, [`Error::Forbidden`] when they are somebody else's: what goes on
    /// is the first actor's.
    pub(super) async fn renew(&self, app: &App, credentials: Credentials) -> Result<()> {
        let (actor, until) = credentials.authenticate_until(app, &self.visitor).await?;
        if actor.key() != self.key {
            return Err(Error::Forbidden(
                "This is another actor's token.".to_owned(),
            ));
        }
        *self.current() = Current { credentials, until };
        Ok(())
    }

    /// When the token ends, if it does.
    pub(super) fn until(&self) -> Option<Timestamp> {
        self.current().until
    }

    /// Waits until the token ends, or until so long before.
    pub(super) async fn ending(&self, app: &App, before: Duration) {
        match self.until() {
            Some(until) => {
                let left = app.sessions.tokens().remaining(until);
                tokio::time::sleep(left.saturating_sub(before)).await;
            }
            None => pending().await,
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
