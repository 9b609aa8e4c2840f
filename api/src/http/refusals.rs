//! Refusing costs little, but who is refused can ask again at once, on as many connections as it has. Whoever is refused
//! often waits for it, so that refusing leaves the processors to those who are served.

use super::{App, request_id::note_address, who};
use crate::auth::{Limiter, address_key};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, header::CONNECTION},
    middleware::Next,
    response::Response,
};
use std::{net::SocketAddr, time::Duration};

/// How long those wait who were refused too often.
const PAUSE: Duration = Duration::from_secs(1);

/// Marks a response to what did not run.
#[derive(Clone, Copy)]
pub(super) struct DidNotRun;

/// Counts refusals, by the address that they go to.
pub(super) struct Refusals(Limiter);

impl Refusals {
    /// Refuses so many a minute at once.
    pub(super) fn per_minute(most: u64) -> Self {
        Self(Limiter::per_minute(most))
    }

    /// How long who is refused waits, if it waits.
    pub(super) fn pause(&self, address_key: &str) -> Option<Duration> {
        self.0.check(address_key).is_err().then_some(PAUSE)
    }

    /// Holds a refusal back, if who is refused waits, and tells whether it did.
    pub(super) async fn hold(&self, address_key: &str) -> bool {
        let pause = self.pause(address_key);
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        pause.is_some()
    }
}

/// Holds refusals back from whoever is refused often.
pub(super) async fn hold(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let address = who::address(&app, request.headers(), peer);
    note_address(address);
    let mut response = next.run(request).await;
    if response.extensions().get::<DidNotRun>().is_some()
        && app.refusals.hold(&address_key(address)).await
    {
        // What was sent behind it on the connection is not kept for as many pauses.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}
