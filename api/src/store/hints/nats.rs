//! Hints over NATS.

use super::{CARRIED_WITHIN, heard};
use crate::store::Store;
use async_nats::{Client, ConnectOptions, connection::State};
use futures_util::StreamExt;
use std::{fmt, str::FromStr, sync::Arc};
use tokio::sync::OnceCell;

const SUBJECT: &str = "workgraph.ledger";

/// Where NATS is. It may hold a password, so it is not shown.
#[derive(Clone)]
pub struct NatsUrl(String);

impl FromStr for NatsUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let known = ["nats://", "tls://"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        if !known || url.parse::<async_nats::ServerAddr>().is_err() {
            return Err("expected nats://HOST:4222 or tls://USER:PASSWORD@HOST:4222".to_owned());
        }
        Ok(Self(url.to_owned()))
    }
}

impl fmt::Debug for NatsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NatsUrl")
    }
}

/// Tells the other servers, if there is a connection: what would wait for one is no hint any more.
pub(super) async fn tell(client: Option<&Client>, payload: &str) {
    let Some(client) = client.filter(|client| client.connection_state() == State::Connected) else {
        return;
    };
    if let Err(error) = client.publish(SUBJECT, payload.to_owned().into()).await {
        tracing::warn!(%error, "a hint could not be sent over NATS; the poll will find the change");
    }
}

/// Connects, and hears what other servers tell, for ever. The connection comes back by itself.
pub(super) async fn hear(store: Store, NatsUrl(url): NatsUrl, connected: Arc<OnceCell<Client>>) {
    loop {
        if let Err(error) = listen(&store, &url, &connected).await {
            tracing::warn!(%error, "hints over NATS are interrupted; the poll goes on");
        }
        tokio::time::sleep(CARRIED_WITHIN).await;
    }
}

async fn listen(
    store: &Store,
    url: &str,
    connected: &OnceCell<Client>,
) -> Result<(), async_nats::Error> {
    let connect = || async {
        let options = ConnectOptions::new()
            .name("workgraph")
            .retry_on_initial_connect();
        Ok::<_, async_nats::Error>(options.connect(url).await?)
    };
    let client = connected.get_or_try_init(connect).await?;
    let mut messages = client.subscribe(SUBJECT).await?;
    while let Some(message) = messages.next().await {
        if let Ok(payload) = str::from_utf8(&message.payload) {
            heard(store, payload);
        }
    }
    Ok(())
}
