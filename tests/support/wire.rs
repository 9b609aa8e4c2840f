//! HTTP/1.1 by hand, for what no client library sends.

use super::Reply;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// One connection. Its halves can be used at the same time.
pub struct Wire {
    pub reading: Reading,
    pub writing: Writing,
}

/// What comes back.
pub struct Reading(BufReader<OwnedReadHalf>);

/// What is sent.
pub struct Writing {
    half: OwnedWriteHalf,
    host: String,
    token: String,
}

impl Wire {
    /// Connects to a server whose address is that of its `/graphql`.
    pub async fn open(url: &str, token: &str) -> Self {
        let host = url.trim_start_matches("http://");
        let host = host.trim_end_matches("/graphql").to_owned();
        let stream = TcpStream::connect(&host).await.expect("connects");
        let (read, half) = stream.into_split();
        Self {
            reading: Reading(BufReader::new(read)),
            writing: Writing {
                half,
                host,
                token: token.to_owned(),
            },
        }
    }
}

impl Writing {
    /// The head of a POST of JSON, with one more header.
    pub fn head(&self, header: &str) -> String {
        format!(
            "POST /graphql HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n{header}\r\n\r\n",
            self.host, self.token
        )
    }

    /// A whole POST of JSON.
    pub fn post(&self, body: &str) -> String {
        self.head(&format!("content-length: {}", body.len())) + body
    }

    /// Sends bytes. Whether the other side still takes them is its affair.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.half.write_all(bytes.as_ref()).await.is_ok()
    }
}

impl Reading {
    /// Takes some of the bytes that come back, and says how many; none when there is nothing more.
    pub async fn take_some(&mut self) -> usize {
        let mut some = vec![0; 64 << 10];
        self.0.read(&mut some).await.unwrap_or(0)
    }

    /// The next answer, if it is that of an operation that ran; none when it is a refusal of the connection.
    pub async fn answer_if_any(&mut self) -> Option<u16> {
        let status = self.line().await?;
        let status = status.split(' ').nth(1)?.parse().ok()?;
        (status == 200).then_some(status)
    }

    /// The next answer; none when the connection ends instead.
    pub async fn answer(&mut self) -> Option<Reply> {
        let status = self.line().await?;
        let status = status.split(' ').nth(1).expect("a status line");
        let status = status.parse().expect("a number");
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            let name: HeaderName = name.parse().expect("a header's name");
            let value = HeaderValue::from_str(value.trim()).expect("a header's value");
            headers.append(name, value);
        }
        let length = headers.get("content-length").expect("a length");
        let length = length
            .to_str()
            .expect("is ASCII")
            .parse()
            .expect("a number");
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.ok()?;
        Some(Reply::new(status, headers, &body))
    }

    /// The status of what comes back until the connection ends, if that is HTTP.
    pub async fn last_status(&mut self) -> Option<u16> {
        let mut bytes = Vec::new();
        // That it is reset is an end, too.
        let _ = self.0.read_to_end(&mut bytes).await;
        let text = String::from_utf8_lossy(&bytes);
        let status = text.strip_prefix("HTTP/1.1 ")?.split(' ').next();
        status?.parse().ok()
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).await.ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }
}
