//! A proxy that hands each TCP connection to the next server that lives, as a load balancer does.

use crate::Result;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// The proxy. It ends with the runtime.
#[derive(Clone)]
pub(crate) struct Proxy {
    address: SocketAddr,
    servers: Arc<Mutex<Vec<Option<SocketAddr>>>>,
}

impl Proxy {
    /// Starts one for so many servers, none of which lives yet.
    pub(crate) async fn start(servers: usize) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = Self {
            address: listener.local_addr()?,
            servers: Arc::new(Mutex::new(vec![None; servers])),
        };
        let (accepting, turn) = (proxy.clone(), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (proxy, turn) = (accepting.clone(), turn.fetch_add(1, Ordering::Relaxed));
                tokio::spawn(async move { proxy.serve(client, turn).await });
            }
        });
        Ok(proxy)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says where a server is now, or that it is dead.
    pub(crate) fn set(&self, server: usize, address: Option<SocketAddr>) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers[server] = address;
    }

    /// Whether a server is at this address now.
    pub(crate) fn is_at(&self, server: usize, address: SocketAddr) -> bool {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers[server] == Some(address)
    }

    /// Where servers live now.
    pub(crate) fn living(&self) -> Vec<SocketAddr> {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.iter().copied().flatten().collect()
    }

    /// Without a server that lives the connection is closed.
    async fn serve(&self, mut client: TcpStream, turn: usize) {
        let living = self.living();
        for attempt in 0..living.len() {
            let address = living[(turn + attempt) % living.len()];
            if let Ok(mut server) = TcpStream::connect(address).await {
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                // An error is how connections end here.
                let _ = copy_bidirectional(&mut client, &mut server).await;
                return;
            }
        }
    }
}
