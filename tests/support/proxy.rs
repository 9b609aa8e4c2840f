//! A wire to PostgreSQL that a test can cut.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpSocket, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// Passes connections on to a server, as long as it is not cut.
pub struct Proxy {
    pub address: SocketAddr,
    to: String,
    carrying: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Proxy {
    /// Passes on to `host:port`, from a port of its own.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxy = Self {
            address: listener.local_addr().expect("an address"),
            to: server.to_owned(),
            carrying: Arc::default(),
        };
        proxy.carry(listener);
        proxy
    }

    /// Breaks all connections, and refuses new ones.
    pub async fn cut(&self) {
        let carrying = self.carrying.lock().expect("locks").take();
        if let Some(carrying) = carrying {
            carrying.abort();
            let _ = carrying.await;
        }
    }

    /// Takes connections again.
    pub async fn mend(&self) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("reuses");
        socket.bind(self.address).expect("the port is still free");
        self.carry(socket.listen(128).expect("listens"));
    }

    fn carry(&self, listener: TcpListener) {
        let to = self.to.clone();
        let carrying = tokio::spawn(async move {
            // Dropped with this task, and with it all connections.
            let mut connections = JoinSet::new();
            while let Ok((mut from, _)) = listener.accept().await {
                let to = to.clone();
                connections.spawn(async move {
                    if let Ok(mut to) = TcpStream::connect(to).await {
                        let _ = copy_bidirectional(&mut from, &mut to).await;
                    }
                });
            }
        });
        *self.carrying.lock().expect("locks") = Some(carrying);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(carrying) = self.carrying.lock().expect("locks").take() {
            carrying.abort();
        }
    }
}
