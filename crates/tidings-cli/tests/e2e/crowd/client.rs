//! A client of one stream, with a raw socket and little memory.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use uuid::Uuid;

use crate::server::soon;

/// Signs the tokens of all clients.
pub(super) struct Signer(EncodingKey);

impl Signer {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(EncodingKey::from_secret(secret))
    }

    /// The user of a client.
    pub(super) fn owner(number: usize) -> Uuid {
        Uuid::from_u128(0xc0d0_0000_0000_4000_8000_0000_0000_0000 + number as u128)
    }

    /// The id of a client's token.
    pub(super) fn id(number: usize) -> String {
        format!("token-{number}")
    }

    pub(super) fn token(&self, number: usize, lasts: Duration) -> String {
        self.sign(number, "events:read", lasts)
    }

    /// A token to publish for everyone.
    pub(super) fn publisher(&self) -> String {
        self.sign(usize::MAX, "events:publish", Duration::from_secs(3600))
    }

    pub(super) fn administrator(&self) -> String {
        self.sign(usize::MAX, "events:admin", Duration::from_secs(3600))
    }

    fn sign(&self, number: usize, scope: &str, lasts: Duration) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("it is after 1970").as_secs();
        let claims = json!({
            "sub": Self::owner(number),
            "jti": Self::id(number),
            "scope": scope,
            "exp": now + lasts.as_secs(),
        });
        jsonwebtoken::encode(&Header::default(), &claims, &self.0).expect("claims can be signed")
    }
}

/// The way in which a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With the last chunk.
    Chunked,
    /// With the connection, after a whole line.
    Closed,
    /// Within a chunk or a line.
    Cut,
}

/// The client of one stream.
pub(super) struct Client {
    socket: TcpStream,
    /// Whether the body is in chunks.
    chunked: bool,
    /// Bytes of the body as they come.
    raw: Vec<u8>,
    /// The body without chunks.
    text: String,
    has_last_chunk: bool,
    /// The descriptions of the system's events.
    pub(super) events: Vec<String>,
    pub(super) expiring: usize,
    pub(super) retries: usize,
}

impl Client {
    /// Opens a stream and reads it until it is live. An old client speaks HTTP/1.0.
    pub(super) async fn open(server: SocketAddr, token: &str, is_old: bool, narrow: bool) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        if narrow {
            socket.set_recv_buffer_size(4096).expect("a small buffer");
        }
        let socket = soon("a connection", socket.connect(server)).await;
        let mut socket = socket.expect("the server accepts");
        let version = if is_old { "1.0" } else { "1.1" };
        let head = format!(
            "GET /api/system/events/subscribe HTTP/{version}\r\nHost: localhost\r\n\
             Connection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        let sent = soon("room for the request", socket.write_all(head.as_bytes())).await;
        sent.expect("it is sent");
        let mut client = Self {
            socket,
            chunked: !is_old,
            raw: Vec::new(),
            text: String::new(),
            has_last_chunk: false,
            events: Vec::new(),
            expiring: 0,
            retries: 0,
        };
        let head = client.read_head().await;
        assert!(head.contains(" 200 "), "{head}");
        assert_eq!(head.contains("chunked"), client.chunked, "{head}");
        while !client.take_lines() {
            assert!(client.read_more(4096).await, "it begins");
        }
        client
    }

    async fn read_head(&mut self) -> String {
        loop {
            let end = self.raw.windows(4).position(|bytes| bytes == b"\r\n\r\n");
            if let Some(end) = end {
                let rest = self.raw.split_off(end + 4);
                let head = std::mem::replace(&mut self.raw, rest);
                return String::from_utf8(head).expect("a head is text");
            }
            assert!(self.read_more(1024).await, "a head comes");
        }
    }

    /// Reads what has come. `false` at the end.
    pub(super) async fn read(&mut self, slowly: bool) -> bool {
        let goes_on = self.read_more(if slowly { 1024 } else { 16 * 1024 }).await;
        self.take_lines();
        goes_on
    }

    async fn read_more(&mut self, most: usize) -> bool {
        let mut buffer = vec![0; most];
        let read = soon("more of the stream", self.socket.read(&mut buffer)).await;
        let bytes = read.unwrap_or(0);
        self.raw.extend_from_slice(&buffer[..bytes]);
        bytes > 0
    }

    pub(super) async fn half_close(&mut self) {
        self.socket.shutdown().await.expect("it closes");
    }

    pub(super) fn end(&self) -> End {
        if self.has_last_chunk {
            End::Chunked
        } else if !self.chunked && self.text.is_empty() && self.raw.is_empty() {
            End::Closed
        } else {
            End::Cut
        }
    }

    /// Takes the whole lines of the body. Returns whether `live` was among them.
    fn take_lines(&mut self) -> bool {
        self.take_chunks();
        let mut is_live = false;
        let whole = self.text.rfind('\n').map_or(0, |end| end + 1);
        let rest = self.text.split_off(whole);
        for line in std::mem::replace(&mut self.text, rest).lines() {
            match line.split_once(": ") {
                Some(("event", name)) => {
                    is_live |= name == "live";
                    self.expiring += usize::from(name == "expiring");
                }
                Some(("retry", _)) => self.retries += 1,
                Some(("data", data)) => self.take_event(data),
                _ => {}
            }
        }
        is_live
    }

    fn take_event(&mut self, data: &str) {
        let data: Value = serde_json::from_str(data).expect("JSON");
        match data["description"].as_str() {
            // One of those that fill a socket, or not an event.
            Some("large") | None => {}
            Some(description) => self.events.push(description.to_owned()),
        }
    }

    fn take_chunks(&mut self) {
        if !self.chunked {
            let raw = std::mem::take(&mut self.raw);
            // The test sends ASCII only.
            self.text += std::str::from_utf8(&raw).expect("it is ASCII");
            return;
        }
        while let Some(line) = self.raw.windows(2).position(|bytes| bytes == b"\r\n") {
            let length = std::str::from_utf8(&self.raw[..line]).expect("a length");
            let length = usize::from_str_radix(length, 16).expect("in hexadecimal digits");
            let end = line + 2 + length;
            if self.raw.len() < end + 2 {
                return;
            }
            assert_eq!(&self.raw[end..end + 2], b"\r\n");
            let part = std::str::from_utf8(&self.raw[line + 2..end]).expect("it is ASCII");
            self.text += part;
            self.has_last_chunk = length == 0;
            self.raw.drain(..end + 2);
        }
    }
}
