//! What other services tell by themselves, at `/webhooks/{sender}/{connection}`.
//!
//! Whoever is not known to be the sender is told one thing, whether the connection is there or not. A genuine delivery is
//! answered with 200 whatever comes of it, so that it is not sent again for nothing; only what may be otherwise then is not.

use super::{
    App,
    answer::Refusal,
    negotiate::Media,
    parameters::{self, Kind},
    request_id::{RequestId, note_actor},
    who,
};
use crate::{
    aside,
    auth::{Actor, Origin},
    error::{Error, Measured, Result},
    store::retried,
    webhooks::{self, Said},
    workflow::{Line, Received, not_genuine, receive},
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{ConnectInfo, Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, Method, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc};

/// A delivery of so many bytes takes milliseconds to hash and to read.
const LARGE: usize = 64 << 10;

/// A delivery that was read, and not judged yet.
struct Delivery {
    headers: HeaderMap,
    body: Bytes,
    origin: Arc<Origin>,
}

/// `/webhooks/{sender}/{connection}`.
pub(super) async fn handle(
    State(app): State<App>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Refusal::method("POST", "must be POST here").respond(Media::Json, &request_id);
    }
    let visitor = who::visitor(&app, &parts.method, &parts, peer, &request_id);
    // It is kept in mind until it is answered: it is large, and who sent it is not known.
    let mut held = app.incoming.none(&visitor.origin.key());
    let body = parameters::read(body, Kind::Delivery, &app.limits, &mut held).await;
    let body = match body {
        Ok(body) => Bytes::from(body),
        Err(error) => return Refusal::of_body(error).respond(Media::Json, &request_id),
    };
    let delivery = Delivery {
        headers: parts.headers,
        body,
        origin: visitor.origin,
    };
    // What is no text names no connection.
    let (sender, connection) = path.map(|Path(names)| names).unwrap_or_default();
    match answer(&app, &sender, &connection, delivery).await {
        Ok(told) => {
            let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            (no_store, Json(told)).into_response()
        }
        Err(error) => Refusal::from(error).respond(Media::Json, &request_id),
    }
}

async fn answer(app: &App, sender: &str, connection: &str, delivery: Delivery) -> Result<Value> {
    let Delivery {
        headers,
        body,
        origin,
    } = delivery;
    let connection = webhooks::connection(connection);
    let line = Line::find(&app.store, sender, connection, origin.address);
    let line = line.await?.map(Arc::new);
    let is_large = body.len() > LARGE;
    let (judged, now) = (line.clone(), app.store.clock().now());
    let judging = aside::run(is_large, move || {
        let secret = judged.as_deref().map(Line::secret);
        // Whoever names no sender is taken for the one whose signature takes longest to read.
        let kind = { judged.as_deref() }.map_or(webhooks::Sender::Generic, |line| line.sender);
        let signed = webhooks::is_genuine(kind, secret, &headers, &body, now)?;
        let said = webhooks::read(kind, &headers, &body, signed);
        Some((said, webhooks::name_of(kind, &headers, &body, signed)))
    });
    let (Some((said, name)), Some(line)) = (judging.await?, line) else {
        return Err(not_genuine());
    };
    app.requests.check(&line.key())?;
    let actor = Actor::system(line.tenant().clone(), line.sender.component()).from(origin.clone());
    note_actor(&actor.key());
    let received = match &said {
        Said::Challenge(challenge) => return Ok(json!({ "challenge": challenge })),
        Said::Nothing(why) => Ok(Received::Ignored((*why).to_owned())),
        said => {
            let acting = act(app, &line, actor, &origin, &name, said);
            let in_time = tokio::time::timeout(app.limits.operation_time(), acting);
            in_time.await.unwrap_or(Err(Error::TOO_SLOW))
        }
    };
    let received = match received {
        Err(error) if is_for_good(&error) => Received::Ignored(error.message()),
        received => received?,
    };
    Ok(match received {
        Received::Taken(did) => json!({ "status": "taken", "message": did }),
        Received::Repeated => json!({ "status": "repeated" }),
        Received::Ignored(why) => {
            tracing::info!(sender = line.sender.name(), "a webhook was ignored");
            json!({ "status": "ignored", "message": why })
        }
    })
}

/// Does what a genuine delivery says.
async fn act(
    app: &App,
    line: &Line,
    actor: Actor,
    origin: &Arc<Origin>,
    name: &str,
    said: &Said,
) -> Result<Received> {
    let _turn = app.store.admit(&actor).await?;
    let (scope, token) = match said {
        Said::Reply { token, .. } => {
            let vouched = app.sessions.vouched_reply(line.tenant(), token, origin);
            match vouched.await? {
                Some((row, scope)) => (scope, Some(row.id)),
                None => (app.store.scope(actor), None),
            }
        }
        _ => (
            app.store.scope_within(actor, app.limits.operation_time()),
            None,
        ),
    };
    retried(|| receive(&scope, line, name, said, token.as_ref())).await
}

/// Whether it would be the same if it were sent again.
fn is_for_good(error: &Error) -> bool {
    !(error.is_temporary()
        || matches!(
            error,
            Error::Internal(_)
                | Error::OutOfReach(_)
                | Error::Unauthenticated(_)
                | Error::RateLimited { .. }
                | Error::TooMuch {
                    what: Measured::Requests { .. },
                    ..
                }
        ))
}
