//! Who holds a connection that stays open, for as long as it does.

use super::{App, credentials::Credentials, quota::Portion, unread::Reader};
use crate::{
    auth::Actor,
    error::{Error, Result, Whose},
    graph::Visitor,
};
use entity::Timestamp;
use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Who holds a connection. Its token can be exchanged for a newer one of the same actor.
pub(super) struct Caller {
    visitor: Visitor,
    /// The actor, who stays the same.
    reader: Reader,
    current: Mutex<Current>,
    /// Up to where in the ledger the actor is known, and since when.
    checked: tokio::sync::Mutex<Option<(i64, Instant)>>,
    _seat: Portion,
}

struct Current {
    credentials: Credentials,
    actor: Actor,
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
        let authenticating = credentials.authenticate(app, &visitor);
        let (actor, until) = in_time(app, authenticating).await?;
        let reader = Reader::actor(&actor);
        let Some(seat) = app.seats.take(reader.key(), 1) else {
            // There is no end to the seats of all, so these are the actor's.
            let more = app.limits.sockets_per_actor.saturating_add(1);
            app.limits.check_sockets_per_actor(more)?;
            return Err(Error::Busy(Whose::Actor));
        };
        let caller = Self {
            visitor,
            reader,
            _seat: seat,
            current: Mutex::new(Current {
                credentials,
                actor: actor.clone(),
                until,
            }),
            checked: tokio::sync::Mutex::default(),
        };
        Ok((Arc::new(caller), actor))
    }

    /// Tells the actor apart from all others.
    pub(super) fn key(&self) -> &str {
        self.reader.key()
    }

    /// Who reads what is sent.
    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The credentials that count now.
    pub(super) fn credentials(&self) -> Credentials {
        self.current().credentials.clone()
    }

    /// The actor, as it was when it was last authenticated.
    pub(super) fn known(&self) -> Actor {
        self.current().actor.clone()
    }

    /// The actor, as the database knew it when the ledger had come this far, or later, and not long ago; and when it was
    /// asked. Whoever holds several streams is authenticated once for all of them.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the token does not hold any more.
    pub(super) async fn actor(&self, app: &App, position: i64) -> Result<(Actor, Instant)> {
        let mut checked = self.checked.lock().await;
        let known = checked.filter(|(known, _)| position <= *known);
        if let Some((_, at)) = known
            && at.elapsed() < app.limits.vetted_for()
        {
            return Ok((self.known(), at));
        }
        let begun = Instant::now();
        let credentials = self.credentials();
        match in_time(app, credentials.authenticate(app, &self.visitor)).await {
            Ok((actor, _)) => self.current().actor = actor,
            // Nothing but time has passed, and nobody can say now: it is asked again as long after.
            Err(error) if known.is_some() && error.is_temporary() => {}
            Err(error) => return Err(error),
        }
        *checked = Some((known.map_or(position, |(known, _)| known), begun));
        Ok((self.known(), begun))
    }

    /// Whether the credentials hold, as far as is known.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when they do not.
    pub(super) async fn check(&self, app: &App) -> Result<()> {
        let credentials = self.credentials();
        let checking = credentials.authenticate_once(app, &self.visitor);
        in_time(app, checking).await.map(drop)
    }

    /// Goes on with other credentials.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when they do not hold, [`Error::Forbidden`] when they are somebody else's: what goes on
    /// is the first actor's. [`Error::RateLimited`] when the actor asks too often.
    pub(super) async fn renew(&self, app: &App, credentials: Credentials) -> Result<()> {
        app.requests.check(self.key())?;
        let authenticating = credentials.authenticate(app, &self.visitor);
        let (actor, until) = in_time(app, authenticating).await?;
        if actor.key() != self.key() {
            return Err(Error::Forbidden(
                "This is another actor's token.".to_owned(),
            ));
        }
        *self.current() = Current {
            credentials,
            actor,
            until,
        };
        Ok(())
    }

    /// When the token ends, if it does.
    pub(super) fn until(&self) -> Option<Timestamp> {
        self.current().until
    }

    /// How long until the token ends, if it does.
    pub(super) fn left(&self, app: &App) -> Option<Duration> {
        let until = self.until()?;
        Some(app.sessions.tokens().remaining(until))
    }

    /// Waits until the token ends.
    pub(super) async fn ending(&self, app: &App) {
        match self.left(app) {
            Some(left) => tokio::time::sleep(left).await,
            None => pending().await,
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever waits for a check of credentials holds up others, so it may take no longer than an operation.
async fn in_time<T>(app: &App, check: impl Future<Output = Result<T>>) -> Result<T> {
    let in_time = tokio::time::timeout(app.limits.operation_time(), check).await;
    in_time.unwrap_or(Err(Error::TOO_SLOW))
}
