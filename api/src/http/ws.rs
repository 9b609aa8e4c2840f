//! GraphQL over a WebSocket, with the protocol graphql-transport-ws: the upgrade.

mod end;
mod frames;
mod handshake;
mod hearing;
mod intake;
mod message;
mod socket;
mod step;

pub(super) use self::handshake::is_upgrade;

use self::{
    handshake::Handshake,
    intake::{Bounds, Intake},
    socket::{INIT, Socket},
};
use super::{App, answer::Refusal, credentials::Credentials, negotiate::Media, who};
use crate::error::{Error, Whose};
use axum::{
    http::{Method, StatusCode, request::Parts},
    response::Response,
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::protocol::{Role, WebSocketConfig},
};
use tracing::Instrument;

/// The subprotocol spoken here.
const PROTOCOL: &str = "graphql-transport-ws";

/// The buffer that a socket reads into. There may be many sockets, and most say little.
const READ_BUFFER: usize = 1024;

/// So many bytes of messages that are ready at the same time are written at once.
const WRITE_BUFFER: usize = 4096;

/// The most bytes of a message before the client has said who it is: a token, and what else stands in a header elsewhere.
const FIRST_BYTES: u64 = 16 << 10;

/// What carries a socket.
type Carrier = WebSocketStream<Intake<TokioIo<Upgraded>>>;

/// Makes a request a WebSocket.
pub(super) fn upgrade(app: App, parts: &mut Parts, peer: SocketAddr, request_id: &str) -> Response {
    let handshake = match Handshake::of(parts) {
        Ok(handshake) => handshake,
        Err(error) => {
            return Refusal::new(StatusCode::BAD_REQUEST, error).respond(Media::Json, request_id);
        }
    };
    // Unlike a GET, a socket can write: a cookie counts only if the page is said to be an allowed one.
    let visitor = who::visitor(&app, &Method::POST, parts, peer, request_id);
    let address = visitor.origin.key();
    let Some(opening) = app.opening.take(&address, 1) else {
        return Refusal::from(Error::Busy(Whose::All)).respond(Media::Json, request_id);
    };
    // The headers themselves are not kept: they would hold the whole buffer that they were read into.
    let credentials = Credentials::from_headers(&parts.headers, &visitor);
    let bounds = Bounds::new(app.limits.body_bytes.min(FIRST_BYTES), INIT);
    let held = app.incoming.none(&address);
    // The second wall; the first is the intake.
    let most = usize::try_from(app.limits.body_bytes).ok();
    let mut config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER);
    (config.max_message_size, config.max_frame_size) = (most, most);
    let (accepted, response) = (handshake.speaks_our_protocol, handshake.response());
    let stopping = app.stopping.subscribe();
    let serving = async move {
        let Ok(upgraded) = handshake.upgrading.await else {
            return;
        };
        let intake = Intake::new(TokioIo::new(upgraded), bounds.clone(), held);
        let carrier = WebSocketStream::from_raw_socket(intake, Role::Server, Some(config)).await;
        let socket = Socket::new(
            carrier,
            app,
            credentials,
            visitor,
            bounds,
            stopping,
            opening,
        );
        if accepted {
            socket.serve().await;
        } else {
            socket.turn_away().await;
        }
    };
    let span = tracing::info_span!("socket", id = %request_id);
    tokio::spawn(serving.instrument(span));
    response
}
