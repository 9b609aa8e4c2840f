//! HTTP for those who send the same request again and again, so that the load takes little of the machine it measures.

use crate::Result;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection, and the request that goes over it.
pub(super) struct Wire {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Wire {
    /// Connects; the request asks GraphQL with this body.
    pub(super) async fn open(address: SocketAddr, token: &str, body: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\naccept: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Ok(Self {
            stream,
            request: request.into_bytes(),
            answer: Vec::new(),
        })
    }

    /// Sends the request and returns the body of its answer, which must be a good one.
    pub(super) async fn ask(&mut self) -> Result<Vec<u8>> {
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        let (head, length) = loop {
            self.more().await?;
            if let Some(end) = self
                .answer
                .windows(4)
                .position(|bytes| bytes == b"\r\n\r\n")
            {
                let head = String::from_utf8_lossy(&self.answer[..end]).to_ascii_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
                let length: usize = length.ok_or_else(|| format!("no length: {head}"))?;
                break (end + 4, length);
            }
        };
        while self.answer.len() < head + length {
            self.more().await?;
        }
        let body = self.answer[head..head + length].to_vec();
        let is_good = self.answer.starts_with(b"HTTP/1.1 200 ");
        if !is_good || std::str::from_utf8(&body)?.contains(r#""errors":["#) {
            return Err(String::from_utf8_lossy(&self.answer).into());
        }
        Ok(body)
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.answer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(())
    }
}
