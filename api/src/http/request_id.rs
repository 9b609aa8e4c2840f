//! A name for every request, so that an answer can be found in the log.

use super::{REQUEST_ID, answer::Refusal, negotiate::Media};
use crate::error::Error;
use axum::{extract::Request, http::HeaderValue, middleware::Next, response::Response};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, time::Instant};
use tracing::Instrument;

/// The request's name, for handlers.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Names the request, logs its end and returns the name in a header. A panic becomes an error like all others.
pub(super) async fn name(mut request: Request, next: Next) -> Response {
    let id = cuid2::create_id();
    let span = tracing::info_span!("request", id = %id, method = %request.method(), path = request.uri().path());
    request.extensions_mut().insert(RequestId(id.clone()));
    let started = Instant::now();
    let answering = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answered = answering.instrument(span.clone()).await;
    let mut response = answered.unwrap_or_else(|panic| {
        let cause = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref().copied());
        tracing::error!(parent: &span, cause, "a request panicked");
        Refusal::from(Error::internal("a request panicked")).respond(Media::Json, &id)
    });
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    tracing::info!(parent: &span, status, ?elapsed, "request answered");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
