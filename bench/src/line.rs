//! A subscription's connection: a WebSocket, or a stream of events.

use crate::{Result, client::Client, frame::ACTIVITY};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message, Utf8Bytes, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig,
    },
};

/// What came on a line.
pub(crate) enum Incoming {
    /// A frame as text.
    Next(Text),
    /// The server ended it, with this code of an error.
    Refused { code: String, text: String },
    /// The connection broke, or the server closed it.
    Broken,
}

/// Text of either transport.
pub(crate) enum Text {
    Socket(Utf8Bytes),
    Event(String),
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Socket(text) => text.as_str(),
            Self::Event(text) => text,
        }
    }
}

/// A WebSocket that speaks graphql-transport-ws.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The code that the server closed it with.
    closed: Option<u16>,
}

impl Socket {
    /// Opens one and says who it is.
    pub(crate) async fn open(address: SocketAddr, token: &str) -> Result<Self> {
        let mut request = format!("ws://{address}/graphql").into_client_request()?;
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // There may be thousands.
        let small = WebSocketConfig::default()
            .read_buffer_size(4096)
            .write_buffer_size(0);
        let (stream, _) = client_async_with_config(request, stream, Some(small)).await?;
        let mut socket = Self {
            stream,
            closed: None,
        };
        let authorization = format!("Bearer {token}");
        let init =
            json!({ "type": "connection_init", "payload": { "authorization": authorization } });
        socket.send(&init).await?;
        match socket.receive().await {
            Some(text) if text.contains("connection_ack") => Ok(socket),
            _ => Err("the server did not acknowledge the connection".into()),
        }
    }

    /// Begins an operation.
    pub(crate) async fn subscribe(&mut self, query: &str, variables: Value) -> Result<()> {
        let payload = json!({ "query": query, "variables": variables });
        let subscribe = json!({ "type": "subscribe", "id": "a", "payload": payload });
        self.send(&subscribe).await
    }

    async fn send(&mut self, message: &Value) -> Result<()> {
        Ok(self.stream.send(Message::text(message.to_string())).await?)
    }

    /// The next message; none when there comes no more.
    pub(crate) async fn receive(&mut self) -> Option<Utf8Bytes> {
        loop {
            match self.stream.next().await?.ok()? {
                Message::Text(text) => return Some(text),
                Message::Close(frame) => {
                    self.closed = frame.map(|frame| frame.code.into());
                    return None;
                }
                _ => {}
            }
        }
    }
}

/// A stream of events.
pub(crate) struct Events {
    response: reqwest::Response,
    bytes: Vec<u8>,
}

impl Events {
    async fn receive(&mut self) -> Option<String> {
        loop {
            while let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.bytes.drain(..end + 2).collect();
                let event = String::from_utf8(event).ok()?;
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                if let Some(data) = data {
                    return Some(data.to_owned());
                }
            }
            let chunk = self.response.chunk().await.ok()??;
            self.bytes.extend_from_slice(&chunk);
        }
    }
}

/// Either, or what came instead.
pub(crate) enum Line {
    Socket(Socket),
    Events(Events),
    Refused(String),
}

impl Line {
    /// Follows the ledger over a WebSocket.
    pub(crate) async fn socket(
        address: SocketAddr,
        token: &str,
        after: Option<&str>,
        filter: &Value,
    ) -> Result<Self> {
        let mut socket = Socket::open(address, token).await?;
        let variables = json!({ "after": after, "filter": filter });
        socket.subscribe(ACTIVITY, variables).await?;
        Ok(Self::Socket(socket))
    }

    /// Follows the ledger by events. The cursor goes on as browsers send it, beside where the stream once began.
    pub(crate) async fn events(
        client: &Client,
        began: Option<&str>,
        last: Option<&str>,
        filter: &Value,
    ) -> Result<Self> {
        let variables = json!({ "after": began, "filter": filter });
        let response = client.stream(ACTIVITY, variables, last).await?;
        let kind = response.headers().get("content-type");
        if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"text/event-stream")) {
            // What is refused before it begins is ordinary JSON.
            return Ok(Self::Refused(response.text().await?));
        }
        let bytes = Vec::new();
        Ok(Self::Events(Events { response, bytes }))
    }

    /// What comes next.
    pub(crate) async fn next(&mut self) -> Incoming {
        match self {
            Self::Socket(socket) => match socket.receive().await {
                Some(text) if text.starts_with(r#"{"type":"next""#) => {
                    Incoming::Next(Text::Socket(text))
                }
                Some(text) => refused(&text),
                None => match socket.closed {
                    Some(code) => Incoming::Refused {
                        code: code.to_string(),
                        text: format!("the server closed the socket with {code}"),
                    },
                    None => Incoming::Broken,
                },
            },
            Self::Events(events) => match events.receive().await {
                Some(text) if text.starts_with(r#"{"data":{"#) => Incoming::Next(Text::Event(text)),
                Some(text) => refused(&text),
                None => Incoming::Broken,
            },
            Self::Refused(text) => refused(text),
        }
    }
}

/// The first error's code, wherever it stands.
fn refused(text: &str) -> Incoming {
    let code = text
        .split_once(r#""code":""#)
        .map_or("", |(_, rest)| rest.split('"').next().unwrap_or_default());
    Incoming::Refused {
        code: code.to_owned(),
        text: text.to_owned(),
    }
}
