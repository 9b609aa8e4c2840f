//! Hints over NATS.

use super::{CARRIED_WITHIN, heard};
use crate::store::Store;
use async_nats::{Client, ConnectOptions, Event, ServerAddr, connection::State};
use futures_util::StreamExt;
use std::{
    fmt, future,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
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
        if !known || url.parse::<ServerAddr>().is_err() {
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

/// What is told of the connection: once that it is lost, and once that it is back, however often it is tried.
struct News {
    address: String,
    lost: AtomicBool,
}

impl News {
    fn of(url: &str) -> Arc<Self> {
        // Without user and password.
        let address = url.parse::<ServerAddr>().map_or_else(
            |_| String::new(),
            |server| format!("{}:{}", server.host(), server.port()),
        );
        Arc::new(Self {
            address,
            lost: AtomicBool::new(false),
        })
    }

    fn lost(&self, error: &dyn fmt::Display) {
        if !self.lost.swap(true, Relaxed) {
            tracing::warn!(
                address = self.address,
                %error,
                "NATS is out of reach, where NATS_URL says it is; it is tried again, and the poll finds changes meanwhile"
            );
        }
    }

    fn found(&self) {
        self.lost.store(false, Relaxed);
        tracing::info!(address = self.address, "connected to NATS");
    }

    fn of_event(&self, event: &Event) {
        match event {
            Event::Connected => self.found(),
            Event::Disconnected | Event::Closed | Event::ServerError(_) | Event::ClientError(_) => {
                self.lost(event);
            }
            _ => {}
        }
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
    let news = News::of(&url);
    loop {
        if let Err(error) = listen(&store, &url, &connected, &news).await {
            news.lost(&error);
        }
        tokio::time::sleep(CARRIED_WITHIN).await;
    }
}

async fn listen(
    store: &Store,
    url: &str,
    connected: &OnceCell<Client>,
    news: &Arc<News>,
) -> Result<(), async_nats::Error> {
    let connect = || async {
        let news = news.clone();
        let options = ConnectOptions::new()
            .name("workgraph")
            .retry_on_initial_connect()
            .event_callback(move |event| {
                news.of_event(&event);
                future::ready(())
            });
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
