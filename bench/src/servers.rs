//! Servers over one database, which are killed and started again, and the proxy before them.

use crate::{
    Database, Result,
    installation::{Installation, Server},
    proxy::Proxy,
};
use futures_util::future::try_join_all;
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::Mutex;

/// The servers, and the proxy before them.
pub(crate) struct Servers {
    installation: Arc<Installation>,
    proxy: Proxy,
    running: Vec<Mutex<Server>>,
}

/// How many servers there can be on a database.
pub(crate) fn most(database: &Database) -> usize {
    match database {
        Database::Sqlite => 1,
        Database::Postgres(_) => 2,
    }
}

impl Servers {
    pub(crate) async fn start(installation: &Arc<Installation>, count: usize) -> Result<Self> {
        let mut servers = Self {
            installation: installation.clone(),
            proxy: Proxy::start(count).await?,
            running: Vec::new(),
        };
        for number in 0..count {
            let server = installation.serve(number).await?;
            servers.proxy.set(number, Some(server.address));
            servers.running.push(Mutex::new(server));
        }
        Ok(servers)
    }

    pub(crate) fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    pub(crate) fn count(&self) -> usize {
        self.running.len()
    }

    /// Kills a server without warning, and starts it again.
    pub(crate) async fn replace(&self, number: usize) -> Result<()> {
        let mut server = self.running[number].lock().await;
        self.renew(number, &mut server).await
    }

    /// The same, if it is still the one at this address; says whether it was.
    pub(crate) async fn replace_at(&self, address: SocketAddr) -> Result<bool> {
        for (number, server) in self.running.iter().enumerate() {
            if self.proxy.is_at(number, address) {
                let mut server = server.lock().await;
                if server.address == address {
                    return self.renew(number, &mut server).await.map(|()| true);
                }
            }
        }
        Ok(false)
    }

    async fn renew(&self, number: usize, server: &mut Server) -> Result<()> {
        self.proxy.set(number, None);
        server.kill().await?;
        *server = self.installation.serve(number).await?;
        self.proxy.set(number, Some(server.address));
        Ok(())
    }

    /// Kills all and then starts them again: nothing that was on its way is any more.
    pub(crate) async fn replace_all(&self) -> Result<()> {
        let mut servers = Vec::new();
        for (number, server) in self.running.iter().enumerate() {
            let mut server = server.lock().await;
            self.proxy.set(number, None);
            server.kill().await?;
            servers.push((number, server));
        }
        let start = servers.into_iter().map(|(number, mut server)| async move {
            *server = self.installation.serve(number).await?;
            self.proxy.set(number, Some(server.address));
            Ok::<_, crate::Failure>(())
        });
        try_join_all(start).await.map(drop)
    }
}
