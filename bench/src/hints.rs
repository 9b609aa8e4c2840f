//! Whether one server hears at once of what another one committed, and of everything when it hears nothing.

use crate::{
    Database, Program, Result,
    client::Client,
    frame::Frame,
    installation::Installation,
    line::{Incoming, Line},
    nats::Nats,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const CREATE: &str =
    "mutation($name: String!) { createProject(input: { name: $name }) { project { id } } }";
const PATIENCE: Duration = Duration::from_secs(60);

/// How hints come from one server to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// PostgreSQL's LISTEN/NOTIFY.
    Listen,
    /// NATS, and not LISTEN/NOTIFY.
    Nats,
    /// Not at all.
    None,
}

/// How long each of these changes took from its request to a subscriber of the other server. Each follows as soon as the
/// one before was seen, so that without hints each waits for a whole turn of the poll.
///
/// # Errors
/// When a server cannot be started, or a change is not seen.
pub async fn hints(
    program: &Program,
    database: &Database,
    carrier: Carrier,
    changes: usize,
) -> Result<Vec<Duration>> {
    let mut installation = Installation::new(program, database).await?;
    if carrier != Carrier::Listen {
        installation.set_pooled();
    }
    let nats = match carrier {
        Carrier::Nats => Some(Nats::start().await?),
        Carrier::Listen | Carrier::None => None,
    };
    if let Some(nats) = &nats {
        installation.set("NATS_URL", &nats.url());
    }
    let workspaces = installation.found(1).await?;
    let (writing, reading) = (installation.serve(0).await?, installation.serve(1).await?);
    let token = &workspaces[0].token;
    let client = Client::new(writing.address, token)?;
    let mut line = Line::socket(reading.address, token, None, &Value::Null).await?;
    event(&mut line, None).await?;
    let mut took = Vec::new();
    for number in 0..changes {
        let begun = Instant::now();
        let name = json!({ "name": format!("Change {number}") });
        let made = client.data(CREATE, name).await?;
        let id = &made["createProject"]["project"]["id"];
        event(&mut line, id.as_str()).await?;
        took.push(begun.elapsed());
    }
    Ok(took)
}

/// Waits for the event about this row, or for any frame.
async fn event(line: &mut Line, about: Option<&str>) -> Result<()> {
    let seen = async {
        loop {
            let Incoming::Next(text) = line.next().await else {
                return Err("the subscription ended".into());
            };
            let text = text.as_str();
            let frame = Frame::read(text).ok_or_else(|| format!("no frame: {text}"))?;
            if about.is_none() || frame.event.map(|event| event.target) == about {
                return Ok(());
            }
        }
    };
    timeout(PATIENCE, seen)
        .await
        .unwrap_or_else(|_| Err("a change is not seen".into()))
}
