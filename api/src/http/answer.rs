//! How an answer looks on the wire: its status, its media type, and the errors in it.

use super::{
    negotiate::Media,
    refusals::DidNotRun,
    unread::{Reader, Unread},
};
use crate::{
    answer::{code, complete},
    error::Error,
};
use async_graphql::{Response as Answer, ServerError, Value};
use async_graphql_axum::GraphQLResponse;
use axum::{
    Extension, Json,
    body::{Body, to_bytes},
    http::{
        HeaderValue, StatusCode,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, VARY,
        },
    },
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use futures_util::FutureExt;
use serde::Serialize;
use std::io::{self, Write};

/// The body of what did not run. It has no `data`, not even null.
#[derive(Serialize)]
struct Refused {
    errors: Vec<ServerError>,
}

/// A request that does not get as far as an operation.
pub(super) struct Refusal {
    status: StatusCode,
    error: Error,
    allow: Option<&'static str>,
}

impl Refusal {
    /// Refuses with a status.
    pub(super) fn new(status: StatusCode, error: Error) -> Self {
        Self {
            status,
            error,
            allow: None,
        }
    }

    /// Refuses a body that could not be read.
    pub(super) fn of_body(error: Error) -> Self {
        match error {
            Error::LimitExceeded { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, error),
            Error::DeadlineExceeded(_) => Self::new(StatusCode::REQUEST_TIMEOUT, error),
            error => error.into(),
        }
    }

    /// Refuses a method, and says which ones there are.
    pub(super) fn method(allow: &'static str, reason: &str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                Error::bad_input("method", reason),
            )
        }
    }

    /// The response.
    pub(super) fn respond(self, media: Media, request_id: &str) -> Response {
        let answer = Answer::from_errors(vec![self.error.into()]);
        let mut response = respond_with(self.status, answer, media, request_id);
        if let Some(allow) = self.allow {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

impl From<Error> for Refusal {
    /// With the status that fits the error, when there is no operation yet.
    fn from(error: Error) -> Self {
        let status = status(error.code()).unwrap_or(StatusCode::BAD_REQUEST);
        Self::new(status, error)
    }
}

/// The status of errors that are not about the document.
fn status(code: &str) -> Option<StatusCode> {
    match code {
        "UNAUTHENTICATED" => Some(StatusCode::UNAUTHORIZED),
        "FORBIDDEN" => Some(StatusCode::FORBIDDEN),
        "RATE_LIMITED" => Some(StatusCode::TOO_MANY_REQUESTS),
        "UNAVAILABLE" => Some(StatusCode::SERVICE_UNAVAILABLE),
        "DEADLINE_EXCEEDED" => Some(StatusCode::GATEWAY_TIMEOUT),
        "INTERNAL" => Some(StatusCode::INTERNAL_SERVER_ERROR),
        _ => None,
    }
}

/// The response to an operation. One that ran has status 200, whatever its fields say; one that did not, by its media
/// type.
pub(super) fn respond(answer: Answer, media: Media, request_id: &str) -> Response {
    let status = if has_run(&answer) {
        StatusCode::OK
    } else {
        let code = answer.errors.first().and_then(code).unwrap_or_default();
        let refused = match media {
            Media::Json | Media::Events => StatusCode::OK,
            Media::GraphQL => StatusCode::BAD_REQUEST,
        };
        status(&code).unwrap_or(refused)
    };
    respond_with(status, answer, media, request_id)
}

/// Whether an operation began to run; if not, its answer has no data, not even null.
pub(super) fn has_run(answer: &Answer) -> bool {
    answer.is_ok()
        || answer.data != Value::Null
        || answer.errors.iter().any(|error| !error.path.is_empty())
}

fn respond_with(
    status: StatusCode,
    mut answer: Answer,
    media: Media,
    request_id: &str,
) -> Response {
    complete(&mut answer, request_id);
    // What is refused before a stream begins is ordinary JSON.
    let media = match media {
        Media::Events => Media::Json,
        other => other,
    };
    let wait = answer.errors.iter().find_map(retry_after);
    let mut response = if has_run(&answer) {
        (status, GraphQLResponse::from(answer)).into_response()
    } else {
        let errors = answer.errors;
        (status, Extension(DidNotRun), Json(Refused { errors })).into_response()
    };
    let always = [
        (CONTENT_TYPE, media.content_type()),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            VARY,
            HeaderValue::from_static("accept, authorization, cookie, origin"),
        ),
    ];
    for (name, value) in always {
        response.headers_mut().insert(name, value);
    }
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// A response that counts as unread until its last byte is on its way.
pub(super) async fn counted_until_read(
    response: Response,
    unread: &Unread,
    reader: &Reader,
) -> Response {
    let (parts, body) = response.into_parts();
    // It is all there already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let on_its_way = unread.hold(reader, bytes.len() as u64);
    Response::from_parts(parts, Body::from(on_its_way.with(bytes)))
}

/// The response to an operation, compressed. Fast: what is long is mostly read once.
pub(super) fn compressed(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Some(Ok(bytes)) = to_bytes(body, usize::MAX).now_or_never() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    let written = writer.write_all(&bytes).and_then(|()| writer.finish());
    let Ok(written) = written else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let headers = &mut parts.headers;
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    Response::from_parts(parts, Body::from(written))
}

/// How many bytes an answer has as JSON.
pub(super) fn size(answer: &Answer) -> u64 {
    let mut counted = Counted(0);
    // Nothing is written, so nothing fails.
    let _ = serde_json::to_writer(&mut counted, answer);
    counted.0
}

/// Counts what is written to it, and keeps nothing.
struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// In how many seconds the client may try again.
fn retry_after(error: &ServerError) -> Option<u64> {
    match error.extensions.as_ref()?.get("retryAfterMs")? {
        Value::Number(wait) => wait.as_u64().map(|wait| wait.div_ceil(1000)),
        _ => None,
    }
}
