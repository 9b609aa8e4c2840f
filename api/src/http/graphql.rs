//! GraphQL over HTTP: one operation per POST, as JSON.

use super::{App, graphiql, guard, request_id::RequestId, who};
use crate::error::Error;
use async_graphql::{
    ErrorExtensionValues, Pos, Request, Response as Answer, ServerError, Variables,
};
use async_graphql_axum::GraphQLResponse;
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{ConnectInfo, State, rejection::BytesRejection},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{net::SocketAddr, time::Instant};

/// A client that sends this header is told what its operation cost.
const EXPLAIN: &str = "x-workgraph-explain";

/// The body of a request, as GraphQL over HTTP defines it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    query: String,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    #[expect(
        dead_code,
        reason = "checked to be an object, as the specification asks"
    )]
    extensions: Option<Map<String, Value>>,
}

/// `GET /graphql` in a browser.
pub(super) async fn page(State(app): State<App>, headers: HeaderMap) -> Response {
    let wants_html = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if wants_html.is_some_and(|accept| accept.contains("text/html")) {
        return graphiql::page(&app.graphiql);
    }
    super::not_allowed().await.into_response()
}

/// `POST /graphql`.
pub(super) async fn execute(
    State(app): State<App>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let started = Instant::now();
    let refuse = |status, code, message: &str| error(status, code, message, &request_id);
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/json")
    {
        let message = "Send the operation with `Content-Type: application/json`.";
        return refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
        );
    }
    let Ok(body) = body else {
        return refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "LIMIT_EXCEEDED",
            "The body is larger than 256 KiB.",
        );
    };
    let Ok(body) = serde_json::from_slice::<Body>(&body) else {
        let message = "The body is not a GraphQL request: a JSON object with `query` and, optionally, `variables`.";
        return refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", message);
    };
    let variables = Value::Object(body.variables.unwrap_or_default());
    if holds_nul(&variables) || body.query.contains('\0') || body.query.contains("\\u0000") {
        return refuse(
            StatusCode::BAD_REQUEST,
            "BAD_USER_INPUT",
            "NUL characters are not allowed.",
        );
    }
    let visitor = who::visitor(&app, &Method::POST, &headers, peer, &request_id);
    let mut request = Request::new(body.query).variables(Variables::from_json(variables));
    request.operation_name = body.operation_name;
    let judged = judge(&mut request);
    let scope = match who::authenticate(&app, &headers, &visitor).await {
        Ok(actor) => Some(app.store.scope(actor)),
        Err(_) if judged.is_ok() && is_public(&mut request) => None,
        Err(error) => {
            let status = match error {
                Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
                Error::Forbidden(_) => StatusCode::FORBIDDEN,
                Error::BadUserInput { .. } => StatusCode::BAD_REQUEST,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            return refuse(status, error.code(), &error.message());
        }
    };
    request = request.data(visitor);
    if let Some(scope) = &scope {
        request = request.data(scope.clone());
    }
    let mut answer = match judged {
        Ok(()) => app.schema.execute(request).await,
        Err(error) => {
            let error = async_graphql::Error::from(error).into_server_error(Pos::default());
            Answer::from_errors(vec![error])
        }
    };
    for error in &mut answer.errors {
        complete(error, &request_id);
    }
    if headers.contains_key(EXPLAIN) {
        let elapsed = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
        let cost = async_graphql::value!({
            "sqlStatements": scope.map_or(0, |scope| scope.statements()),
            "durationMicros": elapsed,
        });
        answer = answer.extension("cost", cost);
    }
    respond(answer, &headers)
}

/// Looks at the document before anything walks it. One that does not parse is left for the library to name.
fn judge(request: &mut Request) -> Result<(), Error> {
    guard::check_text(&request.query)?;
    request.parsed_query().map_or(Ok(()), guard::check_document)
}

fn is_public(request: &mut Request) -> bool {
    let name = request.operation_name.clone();
    let document = request.parsed_query();
    document.is_ok_and(|document| who::is_public(document, name.as_deref()))
}

/// PostgreSQL cannot store NUL in text; it is refused at the door so that both databases agree.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

/// Gives every error a code and the request's name. Errors without a code come from the library's own checks.
fn complete(error: &mut ServerError, request_id: &str) {
    let extensions = error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default);
    if extensions.get("code").is_none() {
        let code = if error.path.is_empty() {
            "GRAPHQL_VALIDATION_FAILED"
        } else {
            "BAD_USER_INPUT"
        };
        let parse = error.message.trim_start().starts_with("-->");
        extensions.set("code", if parse { "GRAPHQL_PARSE_FAILED" } else { code });
    }
    extensions.set("requestId", request_id);
}

fn respond(answer: Answer, headers: &HeaderMap) -> Response {
    let mut response = GraphQLResponse::from(answer).into_response();
    let accept = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !accept.contains("application/graphql-response+json") {
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
    }
    response
}

fn error(status: StatusCode, code: &str, message: &str, request_id: &str) -> Response {
    let extensions = json!({ "code": code, "requestId": request_id });
    (
        status,
        Json(json!({ "errors": [{ "message": message, "extensions": extensions }] })),
    )
        .into_response()
}

/// An error outside of any operation.
pub(super) fn plain_error(status: StatusCode, code: &str, message: &str) -> Response {
    let extensions = json!({ "code": code });
    (
        status,
        Json(json!({ "errors": [{ "message": message, "extensions": extensions }] })),
    )
        .into_response()
}
