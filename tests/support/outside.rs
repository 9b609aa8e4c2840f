//! A service as other services are: it takes some keys and not others, is slow, broken, in a circle or without end.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Serves on a port of its own, in place of all services.
#[derive(Clone)]
pub struct Outside {
    pub url: String,
    heard: Arc<Mutex<Vec<String>>>,
    broken: Arc<AtomicBool>,
    rejecting: Arc<AtomicBool>,
    held: watch::Sender<Option<&'static str>>,
}

impl Outside {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let outside = Self {
            url: format!("http://{address}"),
            heard: Arc::default(),
            broken: Arc::default(),
            rejecting: Arc::default(),
            held: watch::Sender::default(),
        };
        let serving = outside.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.answer(stream).await });
            }
        });
        outside
    }

    /// What was asked until now: each request with its headers.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("nobody panicked").clone()
    }

    /// From now on it has trouble of its own, or has none.
    pub fn breaks(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }

    /// From now on it takes nothing that it is given, or all that is right.
    pub fn rejects(&self, rejecting: bool) {
        self.rejecting.store(rejecting, Ordering::Relaxed);
    }

    /// From now on it leaves whoever asks at this path waiting, or nobody.
    pub fn holds(&self, path: Option<&'static str>) {
        self.held.send_replace(path);
    }

    async fn answer(&self, mut stream: TcpStream) -> Option<()> {
        let mut request = Vec::new();
        let mut part = [0; 4096];
        while !is_whole(&request) {
            let read = stream.read(&mut part).await.ok()?;
            if read == 0 {
                return None;
            }
            request.extend_from_slice(&part[..read]);
        }
        let request = String::from_utf8(request).ok()?;
        self.heard
            .lock()
            .expect("nobody panicked")
            .push(request.clone());
        let is = |word: &str| request.contains(word);
        let path = request.split(' ').nth(1)?;
        let mut held = self.held.subscribe();
        held.wait_for(|held| *held != Some(path)).await.ok()?;
        let answer = match path {
            _ if self.broken.load(Ordering::Relaxed) || is("broken-") => {
                status("500 Internal Server Error", "")
            }
            _ if self.rejecting.load(Ordering::Relaxed) => status("401 Unauthorized", ""),
            _ if is("slow-") => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                return None;
            }
            _ if is("redirect-") => status(
                "302 Found",
                &format!("location: {}/elsewhere\r\n", self.url),
            ),
            _ if is("busy-") => status("429 Too Many Requests", "retry-after: 30\r\n"),
            _ if is("garbled-") => "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned(),
            _ if is("huge-") => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
                stream.write_all(head.as_bytes()).await.ok()?;
                loop {
                    stream.write_all(&[b' '; 65_536]).await.ok()?;
                }
            }
            "/api/auth.test" if is("wrong-") => json(r#"{"ok":false,"error":"invalid_auth"}"#),
            _ if is("wrong-") => status("401 Unauthorized", ""),
            "/api/auth.test" => json(r#"{"ok":true,"team":"Acme","user":"workgraph"}"#),
            "/api/auth.revoke" => json(r#"{"ok":true,"revoked":true}"#),
            "/rest/api/3/myself" => json(r#"{"displayName":"Ada"}"#),
            "/user" => json(r#"{"login":"ada"}"#),
            "/graphql" => json(
                r#"{"data":{"viewer":{"id":"1","email":"ada@example.com"},"organization":{"name":"Acme"}}}"#,
            ),
            "/v1/users/me" => json(r#"{"name":"Workgraph","bot":{"workspace_name":"Acme"}}"#),
            path if path.contains("/models") => json(r#"{"data":[]}"#),
            _ => status("404 Not Found", ""),
        };
        stream.write_all(answer.as_bytes()).await.ok()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = { head.lines() }.find_map(|line| line.strip_prefix("content-length: "));
    length.map_or(0, |length| length.parse().expect("a number")) <= body.len()
}

fn status(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n")
}

fn json(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
