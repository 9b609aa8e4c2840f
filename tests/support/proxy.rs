//! A wire to PostgreSQL that a test can cut.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// Passes connections on to a server, as long as it is not cut.
pub struct Proxy {
    pub address: SocketAddr,
    to: String,
    carrying: Arc<Mutex<Option<JoinHandle<()>>>>,
    loses_commits: Arc<AtomicBool>,
}

impl Proxy {
    /// Passes on to `host:port`, from a port of its own.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxy = Self {
            address: listener.local_addr().expect("an address"),
            to: server.to_owned(),
            carrying: Arc::default(),
            loses_commits: Arc::default(),
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

    /// Whether a connection breaks once the server was asked to commit, and before it has answered.
    pub fn lose_commits(&self, lose: bool) {
        self.loses_commits.store(lose, SeqCst);
    }

    /// Takes connections again.
    pub async fn mend(&self) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("reuses");
        socket.bind(self.address).expect("the port is still free");
        self.carry(socket.listen(128).expect("listens"));
    }

    fn carry(&self, listener: TcpListener) {
        let (to, loses_commits) = (self.to.clone(), self.loses_commits.clone());
        let carrying = tokio::spawn(async move {
            // Dropped with this task, and with it all connections.
            let mut connections = JoinSet::new();
            while let Ok((from, _)) = listener.accept().await {
                let (to, loses_commits) = (to.clone(), loses_commits.clone());
                connections.spawn(async move {
                    if let Ok(to) = TcpStream::connect(to).await {
                        let _ = pass_on(from, to, &loses_commits).await;
                    }
                });
            }
        });
        *self.carrying.lock().expect("locks") = Some(carrying);
    }
}

async fn pass_on(
    mut from: TcpStream,
    mut to: TcpStream,
    loses_commits: &AtomicBool,
) -> io::Result<()> {
    let (mut asked, mut answers) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        tokio::select! {
            read = from.read(&mut asked) => {
                let asked = &asked[..read?];
                if asked.is_empty() {
                    return Ok(());
                }
                to.write_all(asked).await?;
                if loses_commits.load(SeqCst) && asked.windows(6).any(|bytes| bytes == b"COMMIT") {
                    // Its answer is read, so that it was made, and not passed on.
                    let answered = tokio::time::timeout(Duration::from_secs(5), to.read(&mut answers));
                    return answered.await?.map(drop);
                }
            }
            read = to.read(&mut answers) => {
                let answers = &answers[..read?];
                if answers.is_empty() {
                    return Ok(());
                }
                from.write_all(answers).await?;
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(carrying) = self.carrying.lock().expect("locks").take() {
            carrying.abort();
        }
    }
}
