//! GraphQL over HTTP: one operation per request, by POST as JSON, or by GET if it only reads or subscribes.

use super::{
    App,
    answer::{Refusal, compressed, counted_until_read, respond},
    credentials::Credentials,
    graphiql,
    negotiate::{Media, negotiate, takes_events, takes_gzip},
    operation::{Answered, Operation},
    parameters::{self, Kind, Parameters},
    request_id::RequestId,
    sse, who, ws,
};
use crate::{aside, error::Error, graph::Visitor};
use async_graphql::{Response as Answer, parser::types::OperationType};
use axum::{
    Extension,
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CONTENT_ENCODING},
        request::Parts,
    },
    response::Response,
};
use std::net::SocketAddr;

/// A client that sends this header is told what its operation cost.
pub(super) const EXPLAIN: &str = "x-workgraph-explain";

const NO_STREAM: &str =
    "a subscription needs `text/event-stream`, or a WebSocket with graphql-transport-ws";

/// `/graphql`.
pub(super) async fn handle(
    State(app): State<App>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    if ws::is_upgrade(&parts) {
        return ws::upgrade(app, &mut parts, peer, &request_id);
    }
    if let Some(page) = page(&app, &parts, peer) {
        return page;
    }
    let Some(media) = negotiate(&parts.headers) else {
        let reason =
            "must allow application/json, application/graphql-response+json or text/event-stream";
        let refusal = Refusal::new(
            StatusCode::NOT_ACCEPTABLE,
            Error::bad_input("Accept", reason),
        );
        return refusal.respond(Media::Json, &request_id);
    };
    let prefers_events = media == Media::Events;
    let visitor = who::visitor(&app, &parts.method, &parts, peer, &request_id);
    let read = match parts.method {
        Method::GET => Parameters::from_uri(&parts.uri).map_err(Refusal::from),
        Method::POST => from_body(&app, &parts.headers, &visitor, body).await,
        _ => Err(Refusal::method(
            "GET, POST",
            "must be POST, or GET for operations that only read",
        )),
    };
    let parameters = match read {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal.respond(media, &request_id),
    };
    let operation = match Operation::new(&app, parameters).await {
        Ok(operation) => operation,
        Err(errors) => {
            let answer = Answer::from_errors(errors);
            return match media {
                Media::Events => sse::answer(answer, &request_id),
                _ => respond(answer, media, &request_id),
            };
        }
    };
    let subscribes = operation.kind() == OperationType::Subscription;
    let by_events = prefers_events || subscribes && takes_events(&parts.headers);
    if subscribes && !by_events {
        return Refusal::from(Error::bad_input("Accept", NO_STREAM)).respond(media, &request_id);
    }
    if parts.method == Method::GET && operation.kind() == OperationType::Mutation {
        let refusal = Refusal::method("POST", "must be POST: a GET only reads");
        return refusal.respond(media, &request_id);
    }
    let explain = parts.headers.contains_key(EXPLAIN);
    let credentials = Credentials::from_headers(&parts.headers, &visitor);
    if by_events && subscribes {
        let resume = sse::last_event(&parts.headers);
        return sse::subscribe(app, operation, credentials, visitor, resume).await;
    }
    let answered = match operation.run(&app, credentials, visitor, explain).await {
        Ok(answered) => answered,
        Err(error) => return Refusal::from(error).respond(media, &request_id),
    };
    let Answered {
        answer,
        reader,
        is_large,
        turn,
    } = answered;
    let (id, compresses) = (
        request_id.clone(),
        is_large && !by_events && takes_gzip(&parts.headers),
    );
    let writing = aside::run(is_large, move || {
        let response = if by_events {
            sse::answer(answer, &id)
        } else {
            respond(answer, media, &id)
        };
        if compresses {
            compressed(response)
        } else {
            response
        }
    });
    let written = writing.await;
    drop(turn);
    match written {
        Ok(response) => counted_until_read(response, &app.unread, &reader).await,
        Err(error) => Refusal::from(error).respond(media, &request_id),
    }
}

/// GraphiQL, for a browser that comes without an operation.
fn page(app: &App, parts: &Parts, peer: SocketAddr) -> Option<Response> {
    let wants_page = parts.method == Method::GET && prefers_html(&parts.headers);
    let asks = parts.uri.query().is_some_and(|query| {
        let mut operations = ["query=", "documentId=", "extensions="].into_iter();
        operations.any(|parameter| query.contains(parameter))
    });
    let graphiql = app.graphiql.as_ref().filter(|_| wants_page && !asks)?;
    Some(graphiql::page(graphiql, app.is_development(parts, peer)))
}

fn prefers_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

async fn from_body(
    app: &App,
    headers: &HeaderMap,
    visitor: &Visitor,
    body: axum::body::Body,
) -> Result<Parameters, Refusal> {
    if !parameters::is_json(headers) {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::bad_input("Content-Type", "must be application/json, in UTF-8"),
        ));
    }
    let is_coded = |coding: &HeaderValue| !coding.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().any(is_coded) {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::bad_input(
                "Content-Encoding",
                "must be left out: bodies are not compressed",
            ),
        ));
    }
    let address = visitor.origin.key();
    let mut held = app.incoming.none(&address);
    let body = parameters::read(body, Kind::Request, &app.limits, &mut held).await;
    let body = body.map_err(Refusal::of_body)?;
    Ok(Parameters::from_body(&body)?)
}
