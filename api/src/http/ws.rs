//! GraphQL over a WebSocket, with the protocol graphql-transport-ws: the upgrade.

mod end;
mod message;
mod socket;
mod step;

use self::socket::Socket;
use super::{App, answer::Refusal, credentials::Credentials, negotiate::Media, who};
use crate::error::Error;
use axum::{
    extract::{FromRequestParts, WebSocketUpgrade},
    http::{Method, StatusCode, header::UPGRADE, request::Parts},
    response::Response,
};
use std::net::SocketAddr;
use tracing::Instrument;

/// The subprotocol spoken here.
const PROTOCOL: &str = "graphql-transport-ws";

/// The buffer that a socket reads into. There may be many sockets, and most say little.
const READ_BUFFER: usize = 1024;

/// So many bytes of messages that are ready at the same time are written at once.
const WRITE_BUFFER: usize = 4096;

/// A message may be so many times too long before the connection breaks instead of being closed with a reason.
const TOO_LONG: usize = 4;

/// Whether a request wants to become a WebSocket.
pub(super) fn is_upgrade(parts: &Parts) -> bool {
    let upgrade = parts.headers.get(UPGRADE);
    let upgrade = upgrade.and_then(|value| value.to_str().ok());
    parts.method == Method::GET
        && upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// Makes a request a WebSocket.
pub(super) async fn upgrade(
    app: App,
    parts: &mut Parts,
    peer: SocketAddr,
    request_id: &str,
) -> Response {
    let upgrade = match WebSocketUpgrade::from_request_parts(parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let error = Error::bad_input("Upgrade", rejection.body_text());
            return Refusal::new(StatusCode::BAD_REQUEST, error).respond(Media::Json, request_id);
        }
    };
    // Unlike a GET, a socket can write: a cookie counts only if the page is said to be an allowed one.
    let visitor = who::visitor(&app, &Method::POST, parts, peer, request_id);
    // The headers themselves are not kept: they would hold the whole buffer that they were read into.
    let credentials = Credentials::from_headers(&parts.headers, &visitor);
    let span = tracing::info_span!("socket", id = %request_id);
    let most = usize::try_from(app.limits.body_bytes).unwrap_or(usize::MAX);
    upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(most.saturating_mul(TOO_LONG))
        .max_frame_size(most.saturating_mul(TOO_LONG))
        .on_upgrade(move |socket| {
            let accepted = socket.protocol().is_some();
            let socket = Socket::new(socket, app, credentials, visitor);
            async move {
                if accepted {
                    socket.serve().await;
                } else {
                    socket.turn_away().await;
                }
            }
            .instrument(span)
        })
}
