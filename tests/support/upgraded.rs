//! A WebSocket by hand, for frames that no client library sends.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that was asked to become a WebSocket.
pub struct Upgraded(TcpStream);

impl Upgraded {
    /// Asks for the upgrade from an address, and sends what follows in the same breath.
    pub async fn open(url: &str, address: &str, and: &[u8]) -> Self {
        let host = url.trim_start_matches("http://");
        let host = host.trim_end_matches("/graphql");
        let head = format!(
            "GET /graphql HTTP/1.1\r\nhost: {host}\r\nx-forwarded-for: {address}\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        );
        let mut stream = TcpStream::connect(host).await.expect("connects");
        let sent = [head.as_bytes(), and].concat();
        stream.write_all(&sent).await.expect("is sent");
        Self(stream)
    }

    /// The status that the upgrade is answered with.
    pub async fn status(&mut self) -> u16 {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("an answer"));
        }
        let head = String::from_utf8(head).expect("text");
        let status = head.split(' ').nth(1).expect("a status line");
        status.parse().expect("a number")
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("is sent");
    }

    /// The code and the reason that the server closes with; frames before it are skipped.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            let [first, length] = self.0.read_u16().await.expect("a frame").to_be_bytes();
            assert!(length < 126, "a short frame");
            let mut payload = vec![0; length.into()];
            self.0.read_exact(&mut payload).await.expect("a payload");
            if first == 0x88 {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                let reason = String::from_utf8(payload.split_off(2)).expect("text");
                return (code, reason);
            }
        }
    }
}

/// The header of a client's text frame of so many bytes, whose mask changes nothing.
pub fn text_frame(length: u32, is_last: bool) -> Vec<u8> {
    let first = if is_last { 0x81 } else { 0x01 };
    [
        &[first, 0xff][..],
        &u64::from(length).to_be_bytes(),
        &[0; 4],
    ]
    .concat()
}
