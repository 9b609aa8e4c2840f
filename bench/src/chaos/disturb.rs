//! What goes wrong, on purpose and all the time.

use super::tally::Tally;
use crate::{Result, installation::Installation, nats::Nats, servers::Servers};
use std::{ops::Range, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Waits for a random time; whether there is still something to disturb then.
async fn pause(stopping: &mut watch::Receiver<bool>, milliseconds: Range<u64>) -> bool {
    let time = Duration::from_millis(rand::random_range(milliseconds));
    tokio::select! {
        _ = stopping.wait_for(|stopping| *stopping) => false,
        () = tokio::time::sleep(time) => true,
    }
}

/// Kills one server after the other, and starts each again, until told to stop.
pub(super) async fn kill_in_turn(
    servers: Arc<Servers>,
    mut stopping: watch::Receiver<bool>,
    every: Range<u64>,
    tally: Arc<Tally>,
) -> Result<()> {
    for turn in 0.. {
        if !pause(&mut stopping, every.clone()).await {
            break;
        }
        servers.replace(turn % servers.count()).await?;
        tally.kills.add(1);
    }
    Ok(())
}

/// Cuts the connections on which servers listen.
pub(super) async fn cut_listeners(
    installation: Arc<Installation>,
    mut stopping: watch::Receiver<bool>,
    tally: Arc<Tally>,
) -> Result<()> {
    let Some(postgres) = installation.postgres() else {
        return Ok(());
    };
    while pause(&mut stopping, 500..2500).await {
        tally.cuts.add(postgres.cut_listeners().await? as u64);
    }
    Ok(())
}

/// Kills NATS, and starts it again after a while.
pub(super) async fn kill_nats(
    mut nats: Nats,
    mut stopping: watch::Receiver<bool>,
    tally: Arc<Tally>,
) -> Result<Nats> {
    while pause(&mut stopping, 1000..3000).await {
        nats.kill().await?;
        tally.nats_kills.add(1);
        pause(&mut stopping, 100..1500).await;
        nats.restart().await?;
    }
    Ok(nats)
}
