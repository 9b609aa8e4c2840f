//! Headers that tell browsers what they may do with an answer.

use super::{REQUEST_ID, graphql::EXPLAIN};
use axum::{
    http::{
        HeaderName, HeaderValue, Method,
        header::{
            ACCEPT, AUTHORIZATION, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
            STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    response::Response,
};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may remember what a page of another origin may send.
const REMEMBER: Duration = Duration::from_secs(60 * 60);

/// Lets the pages of these origins use the API with their cookies; none if there are no such origins.
pub(super) fn cross_origin(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = origins
        .iter()
        .filter_map(|origin| origin.parse().ok())
        .collect();
    if origins.is_empty() {
        return None;
    }
    let sent = [
        ACCEPT,
        AUTHORIZATION,
        CONTENT_TYPE,
        HeaderName::from_static("last-event-id"),
        HeaderName::from_static("x-project-id"),
        HeaderName::from_static(EXPLAIN),
    ];
    Some(
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(sent)
            .expose_headers([REQUEST_ID, RETRY_AFTER])
            .max_age(REMEMBER),
    )
}

/// What every answer says. Browsers heed the last only where they came over TLS.
pub(super) async fn secure(mut response: Response) -> Response {
    let always = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ];
    for (name, value) in always {
        let value = HeaderValue::from_static(value);
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
