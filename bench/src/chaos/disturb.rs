//! What goes wrong, on purpose and all the time.

use super::tally::Tally;
use crate::{
    Result,
    installation::{Installation, Server},
    nats::Nats,
    proxy::Proxy,
};
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

/// The servers, and the proxy before them.
pub(super) struct Servers {
    installation: Arc<Installation>,
    proxy: Proxy,
    running: Vec<Server>,
}

impl Servers {
    pub(super) async fn start(installation: &Arc<Installation>, count: usize) -> Result<Self> {
        let mut servers = Self {
            installation: installation.clone(),
            proxy: Proxy::start(count).await?,
            running: Vec::new(),
        };
        for number in 0..count {
            let server = installation.serve(number).await?;
            servers.proxy.set(number, Some(server.address));
            servers.running.push(server);
        }
        Ok(servers)
    }

    pub(super) fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Kills one after the other, and starts each again, until told to stop.
    pub(super) async fn kill_in_turn(
        mut self,
        mut stopping: watch::Receiver<bool>,
        every: Range<u64>,
        tally: Arc<Tally>,
    ) -> Result<Self> {
        for turn in 0.. {
            if !pause(&mut stopping, every.clone()).await {
                break;
            }
            let number = turn % self.running.len();
            self.kill(number).await?;
            tally.kills.add(1);
            self.restart(number).await?;
        }
        Ok(self)
    }

    /// Kills all and starts them again: nothing that was on its way is any more.
    pub(super) async fn kill_all(&mut self) -> Result<()> {
        for number in 0..self.running.len() {
            self.kill(number).await?;
        }
        for number in 0..self.running.len() {
            self.restart(number).await?;
        }
        Ok(())
    }

    async fn kill(&mut self, number: usize) -> Result<()> {
        self.running[number].kill().await?;
        self.proxy.set(number, None);
        Ok(())
    }

    async fn restart(&mut self, number: usize) -> Result<()> {
        let server = self.installation.serve(number).await?;
        self.proxy.set(number, Some(server.address));
        self.running[number] = server;
        Ok(())
    }
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
