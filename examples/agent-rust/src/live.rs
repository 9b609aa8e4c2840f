//! What the server tells by itself: two subscriptions on one WebSocket, by the protocol `graphql-transport-ws`.

use crate::server::{BackOff, Refused, Server};
use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::{convert::Infallible, time::Duration};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};
use tracing::{info, warn};

/// A stream has a frame every 15 seconds. After so long without any the connection is dead.
const SILENCE: Duration = Duration::from_secs(45);

/// Hands on what a session is told, over one connection after the other, until that is refused. Null says that a
/// connection began: what happened before was not told.
pub async fn follow(server: &Server, session: &str, hear: impl Fn(&Value)) -> anyhow::Error {
    let mut back_off = BackOff::default();
    loop {
        let Err(error) = connection(server, session, &hear, &mut back_off).await;
        if error.is::<Refused>() {
            return error;
        }
        let pause = back_off.pause();
        warn!("not connected, again in {pause:.1?}: {error:#}");
        sleep(pause).await;
    }
}

async fn connection(
    server: &Server,
    session: &str,
    hear: &impl Fn(&Value),
    back_off: &mut BackOff,
) -> Result<Infallible> {
    let mut request = server.url.replacen("http", "ws", 1).into_client_request()?;
    let protocol = HeaderValue::from_static("graphql-transport-ws");
    let headers = request.headers_mut();
    headers.insert("Sec-WebSocket-Protocol", protocol);
    let (mut socket, _) = timeout(SILENCE, connect_async(request)).await??;
    let say = |message: Value| Message::text(message.to_string());
    let payload = json!({ "authorization": format!("Bearer {}", server.token) });
    let init = say(json!({ "type": "connection_init", "payload": payload }));
    socket.send(init).await?;
    loop {
        let message = timeout(SILENCE, socket.next()).await;
        let message = message.context("nothing is heard")?;
        let told: Value = match message.context("it was closed")?? {
            Message::Text(text) => serde_json::from_str(&text)?,
            Message::Close(Some(frame)) => match frame.code.into() {
                4401 | 4403 => return Err(Refused::unauthenticated(&frame.reason).into()),
                code => bail!("closed with {code}: {}", frame.reason),
            },
            // Pings, which the library answers.
            _ => continue,
        };
        match told["type"].as_str() {
            Some("connection_ack") => {
                info!("connected");
                for id in ["Work", "Commands"] {
                    let payload = Server::request(id, &json!({ "session": session }));
                    let subscribe = json!({ "type": "subscribe", "id": id, "payload": payload });
                    socket.send(say(subscribe)).await?;
                }
                hear(&Value::Null);
            }
            Some("ping") => socket.send(say(json!({ "type": "pong" }))).await?,
            Some("next") if told["payload"]["errors"].is_null() => {
                back_off.reset();
                hear(&told["payload"]["data"]);
            }
            _ => bail!("a stream ended: {told}"),
        }
    }
}
