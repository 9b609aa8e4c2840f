//! Many who listen, each at as little cost as possible.

use super::stage::{Stage, Tenant};
use crate::{Result, line::Socket};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

/// How long nobody may hear anything that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How a frame begins.
const NEXT: &str = r#"{"type":"next""#;
/// How many connect at once.
const AT_ONCE: usize = 64;

/// What one heard: what it was about, and when it came.
pub(super) type Heard = (u64, Instant);

/// Those who listen, until this is dropped.
pub(super) struct Listeners {
    _tasks: JoinSet<()>,
    heard: mpsc::UnboundedReceiver<Result<Heard>>,
}

impl Listeners {
    /// So many for each of these tenants, with so many different selections.
    pub(super) async fn open(
        stage: &Stage,
        tenants: &[Tenant],
        each: usize,
        selections: usize,
    ) -> Result<Self> {
        let address = stage.server.address;
        let who = tenants
            .iter()
            .flat_map(|tenant| (0..each).map(move |number| (tenant, number)));
        let opened = who.map(|(tenant, number)| {
            open(address, tenant, selection(number % selections), Value::Null)
        });
        let sockets: Vec<_> = stream::iter(opened)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let (sender, heard) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for mut socket in sockets {
            let sender = sender.clone();
            tasks.spawn(async move {
                while let Some(text) = socket.receive().await {
                    let heard = if !text.starts_with(NEXT) {
                        Err(format!("a subscription ended: {text}").into())
                    } else if let Some(target) = target(&text) {
                        Ok((name(target), Instant::now()))
                    } else {
                        continue;
                    };
                    // When nobody takes it any more, it is over.
                    if sender.send(heard).is_err() {
                        return;
                    }
                }
                let _ = sender.send(Err("a connection broke".into()));
            });
        }
        Ok(Self {
            _tasks: tasks,
            heard,
        })
    }

    /// The next that anyone hears.
    pub(super) async fn hear(&mut self) -> Result<Heard> {
        match timeout(PATIENCE, self.heard.recv()).await {
            Ok(Some(heard)) => heard,
            Ok(None) => Err("nobody listens".into()),
            Err(_) => Err("something was written, and not everyone hears of it".into()),
        }
    }

    /// All that was heard so far and not taken yet.
    pub(super) fn take(&mut self) -> Vec<Result<Heard>> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}

/// Follows, and waits for the first frame.
pub(super) async fn open(
    address: SocketAddr,
    tenant: &Tenant,
    selection: String,
    after: Value,
) -> Result<Socket> {
    let mut socket = Socket::open(address, &tenant.workspace.token).await?;
    socket
        .subscribe(&selection, json!({ "after": after }))
        .await?;
    match socket.receive().await {
        Some(text) if text.starts_with(NEXT) => Ok(socket),
        other => Err(format!("a subscription begins with {other:?}").into()),
    }
}

/// Selections that differ in the name of one field only, so that each costs the same.
pub(super) fn selection(number: usize) -> String {
    format!(
        "subscription($after: Cursor) {{ activity(after: $after) \
         {{ cursor position previous event {{ seq id action createdAt kind{number}: targetType targetId }} }} }}"
    )
}

/// What a frame's event is about.
pub(super) fn target(text: &str) -> Option<&str> {
    let (_, rest) = text.rsplit_once(r#""targetId":""#)?;
    rest.split('"').next()
}

/// Short for an id.
pub(super) fn name(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
