//! A minimal parser for HTTP/1.1 responses.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The status and length of the first response in `bytes`. `None` if the response is incomplete.
pub(super) fn whole(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    if head.contains("transfer-encoding: chunked") {
        let last = b"0\r\n\r\n";
        let body = bytes[end..].windows(last.len());
        // The server's JSON has no line breaks, so a body cannot contain the last chunk.
        let length = body.into_iter().position(|part| part == last)? + last.len();
        return Some((status, end + length));
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    (bytes.len() >= end + length).then_some((status, end + length))
}

/// Reads responses one at a time.
#[derive(Default)]
pub(super) struct Responses {
    bytes: Vec<u8>,
}

impl Responses {
    /// Reads the next response with its body and returns its status.
    pub(super) async fn next(&mut self, socket: &mut (impl AsyncRead + Unpin)) -> io::Result<u16> {
        loop {
            if let Some((status, length)) = whole(&self.bytes) {
                self.bytes.drain(..length);
                return Ok(status);
            }
            if socket.read_buf(&mut self.bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
