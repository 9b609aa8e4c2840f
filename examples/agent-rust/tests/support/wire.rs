//! The way to the server, which a test can break.

use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What is lost on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    Nothing,
    /// Everything.
    All,
    /// From the first request for this operation on, everything.
    Request(&'static str),
    /// The answer to the first request for this operation, and everything after it.
    Answer(&'static str),
}

/// Passes connections on to the server.
pub struct Wire {
    /// Where it takes them.
    pub url: String,
    lost: Arc<watch::Sender<Lost>>,
}

impl Wire {
    /// A wire to the server at an address.
    pub async fn to(url: &str) -> Self {
        let server = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let lost = Arc::new(watch::Sender::new(Lost::Nothing));
        let carried = lost.clone();
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let (server, lost) = (server.clone(), carried.clone());
                tokio::spawn(async move {
                    let to = TcpStream::connect(server).await.unwrap();
                    let mut all = lost.subscribe();
                    tokio::select! {
                        () = carry(from, to, &lost) => {}
                        _ = all.wait_for(|lost| *lost == Lost::All) => {}
                    }
                });
            }
        });
        let url = format!("http://{address}");
        Self { url, lost }
    }

    /// Breaks it, or mends it.
    pub fn lose(&self, lost: Lost) {
        self.lost.send_replace(lost);
    }

    /// Waits until it has lost what it was to lose.
    pub async fn has_lost_it(&self) {
        let mut lost = self.lost.subscribe();
        lost.wait_for(|lost| *lost == Lost::All).await.unwrap();
    }
}

async fn carry(mut from: TcpStream, mut to: TcpStream, lost: &watch::Sender<Lost>) {
    let mut asked = vec![0; 64 << 10];
    loop {
        let mut answer = vec![0; 64 << 10];
        let read = tokio::select! {
            read = from.read(&mut asked) => read.unwrap_or(0),
            read = to.read(&mut answer) => {
                match read {
                    Ok(1..) => from.write_all(&answer[..read.unwrap()]).await.unwrap_or(()),
                    _ => return,
                }
                continue;
            }
        };
        if read == 0 {
            return;
        }
        let now = *lost.borrow();
        if let Lost::Request(name) | Lost::Answer(name) = now
            && names(&asked[..read], name)
        {
            if matches!(now, Lost::Answer(_)) {
                to.write_all(&asked[..read]).await.unwrap();
                assert!(to.read(&mut answer).await.unwrap() > 0);
            }
            lost.send_replace(Lost::All);
            return;
        }
        if to.write_all(&asked[..read]).await.is_err() {
            return;
        }
    }
}

/// Whether a request is for this operation.
fn names(request: &[u8], operation: &str) -> bool {
    let name = format!("\"operationName\":\"{operation}\"");
    String::from_utf8_lossy(request).contains(&name)
}
