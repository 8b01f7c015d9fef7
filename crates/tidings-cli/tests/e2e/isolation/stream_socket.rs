//! Reads a stream from its socket, so that the test sees every byte.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The headers that a response of `/subscribe` can have.
const HEADERS: [&str; 10] = [
    "cache-control",
    "connection",
    "content-type",
    "cross-origin-resource-policy",
    "date",
    "referrer-policy",
    "transfer-encoding",
    "x-accel-buffering",
    "x-content-type-options",
    "x-request-id",
];

/// An open stream.
pub(super) struct StreamSocket {
    socket: TcpStream,
    /// Received bytes that are not yet decoded.
    wire: Vec<u8>,
    /// Decoded text of the stream that is not yet returned.
    text: Vec<u8>,
    ended: bool,
}

/// The result of a request for a stream.
pub(super) enum Opened {
    Stream(StreamSocket),
    /// The server rejected the request with this status.
    Rejected(u16),
}

impl StreamSocket {
    /// Requests a stream after `cursor`.
    pub(super) async fn open(server: SocketAddr, token: &str, cursor: &str) -> io::Result<Opened> {
        let mut socket = TcpStream::connect(server).await?;
        let request = format!(
            "GET /api/system/events/subscribe HTTP/1.1\r\nHost: {server}\r\n\
             Authorization: Bearer {token}\r\nLast-Event-ID: {cursor}\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await?;
        let mut wire = Vec::new();
        let head = loop {
            if let Some(end) = find(&wire, b"\r\n\r\n") {
                let rest = wire.split_off(end + 4);
                break std::mem::replace(&mut wire, rest);
            }
            if socket.read_buf(&mut wire).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let status = check_head(std::str::from_utf8(&head).expect("the head is ASCII"));
        if status != 200 {
            return Ok(Opened::Rejected(status));
        }
        Ok(Opened::Stream(Self {
            socket,
            wire,
            text: Vec::new(),
            ended: false,
        }))
    }

    /// Reads up to the next empty line. `None` at the end of the stream. Cancel-safe.
    pub(super) async fn next_block(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = find(&self.text, b"\n\n") {
                let rest = self.text.split_off(end + 2);
                return Ok(Some(std::mem::replace(&mut self.text, rest)));
            }
            if self.ended {
                let left = String::from_utf8_lossy(&self.text);
                // Lines after the last frame need no blank line.
                let is_frame = |line: &str| !line.starts_with("retry: ") && !line.starts_with(':');
                assert!(
                    !left.lines().any(is_frame),
                    "the stream ends within a frame: {left:?}"
                );
                return Ok(None);
            }
            if !self.take_chunk() && self.socket.read_buf(&mut self.wire).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Decodes a chunk (RFC 9112 §7.1) if all of it is received.
    fn take_chunk(&mut self) -> bool {
        let Some(line) = find(&self.wire, b"\r\n") else {
            return false;
        };
        let length = std::str::from_utf8(&self.wire[..line]).expect("a length is ASCII");
        let length = usize::from_str_radix(length, 16).expect("a length is hexadecimal");
        let (begin, end) = (line + 2, line + 2 + length);
        if self.wire.len() < end + 2 {
            return false;
        }
        assert_eq!(&self.wire[end..end + 2], b"\r\n", "a chunk ends there");
        self.text.extend_from_slice(&self.wire[begin..end]);
        self.wire.drain(..end + 2);
        self.ended = length == 0;
        true
    }
}

/// Checks the headers of a response and returns its status.
fn check_head(head: &str) -> u16 {
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().expect("there is a first line");
    let status = status.split(' ').nth(1).and_then(|text| text.parse().ok());
    let status = status.expect("the first line has a status");
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header has a value");
        if status == 200 {
            assert!(HEADERS.contains(&name), "unexpected header {line:?}");
        }
        if name == "content-type" && status == 200 {
            assert_eq!(value, "text/event-stream; charset=utf-8");
        }
    }
    status
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}
