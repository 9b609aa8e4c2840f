//! GraphQL over Server-Sent Events, a stream for each operation: `next` for each answer, then `complete`.

use super::{
    App,
    answer::{Refusal, has_run},
    caller::Caller,
    credentials::Credentials,
    negotiate::Media,
    operation::Operation,
    refusals::DidNotRun,
};
use crate::{
    answer::complete,
    error::{Error, Result, Whose},
    graph::Visitor,
    live::{Frame, Subscription},
};
use async_graphql::{Response as Answer, ServerError};
use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::watch;

/// The end. A browser hands over no event without a line of data, so there is an empty one.
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata:\n\n");

/// A comment.
const BEAT: Bytes = Bytes::from_static(b":\n\n");

/// After so long without an event a comment tells that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The cursor that a client saw last.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Asks proxies to pass every event on at once.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The cursor of the last event that the client saw before its connection broke.
pub(super) fn last_event(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(&LAST_EVENT_ID)?.to_str().unwrap_or("?");
    Some(id.to_owned()).filter(|id| !id.is_empty())
}

/// The answer of a query or mutation as a stream: one `next`, then `complete`.
pub(super) fn answer(mut answer: Answer, request_id: &str) -> Response {
    complete(&mut answer, request_id);
    let has_run = has_run(&answer);
    let text = if has_run {
        serde_json::to_string(&answer)
    } else {
        serde_json::to_string(&json!({ "errors": answer.errors }))
    };
    match text.map_err(Error::internal) {
        Ok(text) => {
            let mut response = respond_with(stream::iter([next(&text, None), COMPLETE]));
            response.headers_mut().extend(answer.http_headers);
            if !has_run {
                response.extensions_mut().insert(DidNotRun);
            }
            response
        }
        Err(error) => Refusal::from(error).respond(Media::Json, request_id),
    }
}

/// Begins a subscription. Who may not ask is refused with a status; what is wrong with the operation is told in the stream,
/// because browsers show nothing of a stream that does not begin.
pub(super) async fn subscribe(
    app: App,
    operation: Operation,
    credentials: Result<Credentials>,
    visitor: Visitor,
    resume: Option<String>,
) -> Response {
    let request_id = visitor.origin.request_id.clone();
    let refuse = |error: Error| Refusal::from(error).respond(Media::Json, &request_id);
    let credentials = match credentials {
        Ok(credentials) => credentials,
        Err(error) => return refuse(error),
    };
    let (caller, actor) = match Caller::new(&app, credentials, visitor.clone()).await {
        Ok(called) => called,
        Err(error) => return refuse(error),
    };
    let turn = match operation.turn(&app, &actor).await {
        Ok(turn) => turn,
        Err(error) => return refuse(error),
    };
    let subscription = match operation.open(&app, actor, visitor, resume, turn).await {
        Ok(subscription) => subscription,
        Err(errors) => return self::answer(Answer::from_errors(errors), &request_id),
    };
    let stopping = app.stopping.subscribe();
    let following = Following {
        app,
        caller,
        subscription,
        stopping,
        request_id,
    };
    respond_with(stream::unfold(Stage::Follows(Box::new(following)), step))
}

fn respond_with(events: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (BUFFERING, HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(beating(events))).into_response()
}

/// The events, and a comment whenever there was none for a while.
fn beating(
    events: impl Stream<Item = Bytes> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::unfold(Box::pin(events), |mut events| async {
        let next = tokio::time::timeout(HEARTBEAT, events.next()).await;
        let event = next.unwrap_or(Some(BEAT))?;
        Some((Ok(event), events))
    })
}

/// A subscription on its way to one client.
struct Following {
    app: App,
    caller: Arc<Caller>,
    subscription: Subscription,
    stopping: watch::Receiver<bool>,
    request_id: String,
}

enum Stage {
    Follows(Box<Following>),
    Completes,
    Ended,
}

async fn step(stage: Stage) -> Option<(Bytes, Stage)> {
    match stage {
        Stage::Follows(following) => following.step().await,
        Stage::Completes => Some((COMPLETE, Stage::Ended)),
        Stage::Ended => None,
    }
}

impl Following {
    async fn step(mut self: Box<Self>) -> Option<(Bytes, Stage)> {
        let event = loop {
            let frame = tokio::select! {
                frame = self.subscription.next() => frame,
                () = self.caller.ending(&self.app) => Frame::End(vec![expired()]),
                // Without `complete`, so that the client comes back, to another server.
                () = App::stop_of(&mut self.stopping) => return None,
            };
            match frame {
                Frame::Next { payload, cursor } => {
                    let event = next(&payload, Some(&cursor));
                    let (reader, bytes) = (self.caller.reader(), event.len() as u64);
                    let Some(on_its_way) = self.app.unread.take(reader, bytes) else {
                        return Some(self.end(vec![Error::Busy(Whose::Unread).into()]));
                    };
                    break on_its_way.with(event);
                }
                Frame::CheckCredentials(at) => match self.caller.actor(&self.app, at).await {
                    Ok((actor, at)) => self.subscription.set_actor(actor, at),
                    Err(error) => return Some(self.end(vec![error.into()])),
                },
                Frame::End(errors) => return Some(self.end(errors)),
            }
        };
        Some((event, Stage::Follows(self)))
    }

    /// The last `next`, with what ended the stream.
    fn end(&self, errors: Vec<ServerError>) -> (Bytes, Stage) {
        if errors.is_empty() {
            return (COMPLETE, Stage::Ended);
        }
        let mut answer = Answer::from_errors(errors);
        complete(&mut answer, &self.request_id);
        let body = json!({ "data": null, "errors": answer.errors });
        (next(&body.to_string(), None), Stage::Completes)
    }
}

fn expired() -> ServerError {
    Error::Unauthenticated("The token has expired. Subscribe again with a new one.").into()
}

/// A result, as JSON, which is one line. The id is the cursor after it.
fn next(payload: &str, id: Option<&str>) -> Bytes {
    let event = match id {
        Some(id) => format!("event: next\nid: {id}\ndata: {payload}\n\n"),
        None => format!("event: next\ndata: {payload}\n\n"),
    };
    event.into()
}
