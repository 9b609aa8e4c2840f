//! Hints between servers: "this ledger has come so far". They only save waiting; the ledger is the truth, and whoever
//! gets no hint finds out by the poll.
//!
//! A server tells the others after the commit, outside the transaction and for many commits at once: over PostgreSQL's
//! LISTEN/NOTIFY, unless a pooler stands between, and over NATS where that is set up.

mod nats;
mod outbox;
mod payload;
mod postgres;

pub use self::nats::NatsUrl;
pub(super) use self::outbox::Outbox;

use super::{Store, snapshot::Readers};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// How long commits are collected before they are told.
const COLLECT: Duration = Duration::from_millis(5);
/// How long whoever carries hints may take for one, and waits after a failure.
const CARRIED_WITHIN: Duration = Duration::from_secs(1);

/// The tasks that tell other servers of this one's commits, and hear of theirs.
#[must_use = "the hints end when this is dropped"]
pub struct Hints {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Hints {
    /// Begins to tell and to hear. What is out of reach is tried again and again, and never an error.
    pub fn start(store: &Store, nats: Option<NatsUrl>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut carriers: Vec<Carrier> = Vec::new();
        let mut run = |task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
            tasks.spawn(until(stopped.clone(), task));
        };
        if let Readers::Postgres(connections, false, _) = store.readers() {
            let pool = postgres::connections(connections.pool());
            run(Box::pin(postgres::hear(store.clone(), pool.clone())));
            carriers.push(Carrier::Postgres(pool));
        }
        if let Some(url) = nats {
            let client = Arc::new(tokio::sync::OnceCell::new());
            run(Box::pin(nats::hear(store.clone(), url, client.clone())));
            carriers.push(Carrier::Nats(client));
        }
        if !carriers.is_empty() {
            store.outbox().open();
            run(Box::pin(tell(store.clone(), carriers)));
        }
        Self { stop, tasks }
    }

    /// Ends the tasks and waits for them.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What carries hints to other servers.
enum Carrier {
    Postgres(sea_orm::sqlx::PgPool),
    Nats(Arc<tokio::sync::OnceCell<async_nats::Client>>),
}

/// Tells what the outbox collects.
async fn tell(store: Store, carriers: Vec<Carrier>) {
    loop {
        store.outbox().filled().await;
        tokio::time::sleep(COLLECT).await;
        for payload in payload::write(store.outbox().take()) {
            for carrier in &carriers {
                let told = async {
                    match carrier {
                        Carrier::Postgres(pool) => postgres::tell(pool, &payload).await,
                        Carrier::Nats(client) => nats::tell(client.get(), &payload).await,
                    }
                };
                // One that hangs must not hold up the other.
                if tokio::time::timeout(CARRIED_WITHIN, told).await.is_err() {
                    tracing::warn!(
                        "a hint for other servers took too long; their poll will find the change"
                    );
                }
            }
        }
    }
}

/// Takes a hint from another server.
fn heard(store: &Store, payload: &str) {
    for (tenant, head) in payload::read(payload) {
        store.feeds().hint(&tenant, head);
    }
}

async fn until(mut stopped: watch::Receiver<bool>, task: impl Future<Output = ()>) {
    tokio::select! {
        // An error means that whoever could stop it is gone.
        _ = stopped.wait_for(|stopped| *stopped) => {}
        () = task => {}
    }
}
