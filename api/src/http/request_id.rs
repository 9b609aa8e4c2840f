//! A name for every request, so that an answer can be found in the log; and what the log says of it beside.

use super::{REQUEST_ID, answer::Refusal, negotiate::Media};
use crate::error::Error;
use axum::{extract::Request, http::HeaderValue, middleware::Next, response::Response};
use futures_util::FutureExt;
use std::{net::IpAddr, panic::AssertUnwindSafe, time::Instant};
use tracing::{Instrument, Span, field::Empty};

/// An operation's name is logged up to so many characters.
const NAME_LENGTH: usize = 100;

/// The request's name, for handlers.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Notes for the log what the document calls the operation that is asked for.
pub(super) fn note_operation(name: &str) {
    let name: String = name.chars().take(NAME_LENGTH).collect();
    Span::current().record("operation", name);
}

/// Notes for the log where the request comes from.
pub(super) fn note_address(address: IpAddr) {
    Span::current().record("address", tracing::field::display(address));
}

/// Notes for the log who asks: the workspace's id and the user's or token's.
pub(super) fn note_actor(key: &str) {
    Span::current().record("actor", key);
}

/// Names the request, logs its end and returns the name in a header. A panic becomes an error like all others.
pub(super) async fn name(mut request: Request, next: Next) -> Response {
    let id = cuid2::create_id();
    let span = tracing::info_span!(
        "request",
        id = %id,
        method = %request.method(),
        path = request.uri().path(),
        address = Empty,
        operation = Empty,
        actor = Empty,
        // What `answer::complete` writes.
        code = Empty,
    );
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, http::StatusCode, middleware, routing::get};
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;

    async fn fails() -> &'static str {
        panic!("a secret")
    }

    #[tokio::test]
    async fn a_panic_is_an_error_like_all_others_and_keeps_its_secret() {
        let router = Router::new()
            .route("/", get(fails))
            .layer(middleware::from_fn(name));
        let service = TowerToHyperService::new(router);
        let response = service.call(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let id = response.headers()[REQUEST_ID].to_str().unwrap().to_owned();
        let body = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let extensions = &body["errors"][0]["extensions"];
        assert_eq!(
            (&extensions["code"], &extensions["requestId"]),
            (&"INTERNAL".into(), &id.into())
        );
        assert!(!body.to_string().contains("a secret"), "{body}");
    }
}
