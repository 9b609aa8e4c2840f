//! A client of graphql-transport-ws as simple as the protocol allows.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// Nothing that a test waits for takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A WebSocket.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// Opens a WebSocket with headers of the test's choice, and says nothing yet.
pub async fn connect(url: &str, headers: &[(&'static str, &str)]) -> Socket {
    let url = url.replace("http://", "ws://");
    let mut request = url.into_client_request().expect("a URL");
    for (name, value) in headers {
        let value = value.parse().expect("a header's value");
        request.headers_mut().insert(*name, value);
    }
    let (socket, _) = connect_async(request).await.expect("a WebSocket");
    Socket(socket)
}

impl Socket {
    /// Opens one that speaks the protocol.
    pub async fn open(url: &str) -> Self {
        connect(url, &[PROTOCOL]).await
    }

    /// Opens one and says who it is.
    pub async fn signed_in(url: &str, token: &str) -> Self {
        let mut socket = Self::open(url).await;
        let authorization = format!("Bearer {token}");
        socket
            .send(
                json!({ "type": "connection_init", "payload": { "authorization": authorization } }),
            )
            .await;
        assert_eq!(socket.receive().await, json!({ "type": "connection_ack" }));
        socket
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    /// Sends what may be no message of the protocol.
    pub async fn send_raw(&mut self, message: Message) {
        self.0.send(message).await.expect("is sent");
    }

    /// Begins an operation.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    /// The next message.
    pub async fn receive(&mut self) -> Value {
        match self.next().await {
            Ok(message) => message,
            Err(code) => panic!("closed with {code:?}"),
        }
    }

    /// The code that the server closes with; messages before it are skipped.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code.expect("a close frame with a code");
            }
        }
    }

    /// The next result of an operation, without errors.
    pub async fn data(&mut self, id: &str) -> Value {
        let message = self.receive().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("next"), &json!(id)),
            "{message:#}"
        );
        assert!(message["payload"].get("errors").is_none(), "{message:#}");
        message["payload"]["data"].clone()
    }

    async fn next(&mut self) -> Result<Value, Option<u16>> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("comes in time");
            match message.ok_or(None)?.map_err(|_| None)? {
                Message::Text(text) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Message::Close(frame) => return Err(frame.map(|frame| frame.code.into())),
                _ => {}
            }
        }
    }
}

/// The header that names the protocol.
pub const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");
