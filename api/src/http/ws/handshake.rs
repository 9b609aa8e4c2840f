//! How a request becomes a WebSocket (RFC 6455, section 4.2).

use super::PROTOCOL;
use crate::error::{Error, Result};
use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
            SEC_WEBSOCKET_VERSION, UPGRADE,
        },
        request::Parts,
    },
    response::Response,
};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A request that may become a WebSocket.
pub(super) struct Handshake {
    accept: HeaderValue,
    /// Whether the client speaks our subprotocol.
    pub(super) speaks_our_protocol: bool,
    /// The connection, when the response is on its way.
    pub(super) upgrading: OnUpgrade,
}

/// Whether a request wants to become a WebSocket.
pub(in crate::http) fn is_upgrade(parts: &Parts) -> bool {
    parts.method == Method::GET && lists(&parts.headers, &UPGRADE, "websocket")
}

impl Handshake {
    /// Takes what it needs of a request.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] naming the header that is wrong.
    pub(super) fn of(parts: &mut Parts) -> Result<Self> {
        let headers = &parts.headers;
        if !lists(headers, &CONNECTION, "upgrade") {
            return Err(Error::bad_input(
                "Connection",
                "must be `Upgrade` for a WebSocket",
            ));
        }
        if !lists(headers, &SEC_WEBSOCKET_VERSION, "13") {
            return Err(Error::bad_input("Sec-WebSocket-Version", "must be 13"));
        }
        let key = headers.get(SEC_WEBSOCKET_KEY);
        let accept = key.and_then(|key| derive_accept_key(key.as_bytes()).try_into().ok());
        let accept = accept
            .ok_or_else(|| Error::bad_input("Sec-WebSocket-Key", "is needed for a WebSocket"))?;
        let speaks_our_protocol = lists(headers, &SEC_WEBSOCKET_PROTOCOL, PROTOCOL);
        let upgrading = parts.extensions.remove::<OnUpgrade>();
        let upgrading = upgrading
            .ok_or_else(|| Error::bad_input("Upgrade", "is not possible on this connection"))?;
        Ok(Self {
            accept,
            speaks_our_protocol,
            upgrading,
        })
    }

    /// The response that accepts it.
    pub(super) fn response(&self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        if self.speaks_our_protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        }
        response
    }
}

/// Whether a header, on any of its lines, lists a word.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|listed| listed.trim().eq_ignore_ascii_case(word))
}
