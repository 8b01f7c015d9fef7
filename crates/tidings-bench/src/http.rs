//! The load generator's side of HTTP/1.1: as little as possible, so that it costs little.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Enough for the head of any response and for a large piece of a replay.
const BUFFER_BYTES: usize = 64 * 1024;

/// A keep-alive connection that publishes.
#[derive(Debug)]
pub(crate) struct Publisher {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Publisher {
    pub(crate) async fn connect(server: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self {
            socket: connect(server).await?,
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    /// Sends a request and waits for the end of its response, which must be 201.
    pub(crate) async fn publish(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.socket.write_all(request).await?;
        let mut filled = 0;
        let (head, length) = loop {
            let read = self.socket.read(&mut self.buffer[filled..]).await?;
            ensure!(read > 0, "the server closed the connection");
            filled += read;
            if let Some(head) = head_length(&self.buffer[..filled]) {
                break (head, content_length(&self.buffer[..head])?);
            }
        };
        let mut left = (head + length).checked_sub(filled);
        ensure!(left.is_some(), "the server sent more than one response");
        if !self.buffer.starts_with(b"HTTP/1.1 201 ") {
            let answer = String::from_utf8_lossy(&self.buffer[..filled]);
            bail!("the server rejected the event: {answer}");
        }
        while let Some(rest @ 1..) = left {
            let room = rest.min(self.buffer.len());
            let read = self.socket.read(&mut self.buffer[..room]).await?;
            ensure!(read > 0, "the server closed the connection");
            left = rest.checked_sub(read);
        }
        Ok(())
    }
}

async fn connect(server: SocketAddr) -> anyhow::Result<TcpStream> {
    let socket = TcpStream::connect(server)
        .await
        .context("could not connect to the server")?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

fn head_length(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    Some(end + 4)
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    let head = std::str::from_utf8(head).context("the head of the response is not UTF-8")?;
    let line = head
        .split("\r\n")
        .find_map(|line| line.strip_prefix("content-length: "));
    let line = line.with_context(|| format!("the response has no length: {head}"))?;
    Ok(line.parse()?)
}

/// A subscriber over HTTP.
#[derive(Debug)]
pub(crate) struct Subscriber {
    socket: TcpStream,
    scan: FrameScan,
}

impl Subscriber {
    /// Requests the stream. `start` is a cursor, `earliest`, or nothing for "from now".
    pub(crate) async fn connect(server: SocketAddr, start: Option<&str>) -> anyhow::Result<Self> {
        let mut request =
            "GET /api/system/events/subscribe HTTP/1.1\r\nHost: localhost\r\n".to_owned();
        if let Some(start) = start {
            request += &format!("Last-Event-ID: {start}\r\n");
        }
        request += "\r\n";
        let mut socket = connect(server).await?;
        socket.write_all(request.as_bytes()).await?;
        Ok(Self::over(socket))
    }

    /// Reads a stream from any connection.
    pub(crate) fn over(socket: TcpStream) -> Self {
        Self {
            socket,
            scan: FrameScan::default(),
        }
    }

    /// Reads once. Returns how many frames with data have ended.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> anyhow::Result<u64> {
        let read = self.socket.read(buffer).await?;
        ensure!(read > 0, "the server ended the stream");
        Ok(self.scan.scan(&buffer[..read]))
    }

    /// Reads until `frames` frames have arrived. Returns their bytes.
    pub(crate) async fn read_frames(&mut self, frames: u64) -> anyhow::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        let mut seen = 0;
        while seen < frames {
            let read = self.socket.read(&mut buffer).await?;
            ensure!(read > 0, "the server ended the stream");
            seen += self.scan.scan(&buffer[..read]);
            text.extend_from_slice(&buffer[..read]);
        }
        ensure!(seen == frames, "received more frames than expected");
        Ok(text)
    }

    /// Reads the frames `ready` and `live` with which a stream starts. Returns the cursor.
    pub(crate) async fn read_to_live(&mut self) -> anyhow::Result<String> {
        let text = self.read_frames(2).await?;
        let text = String::from_utf8_lossy(&text);
        ensure!(
            text.contains("\nevent: ready\n") && text.contains("\nevent: live\n"),
            "not the beginning of a stream: {text}"
        );
        let cursor = text.split("\nid: ").nth(1).and_then(|id| id.lines().next());
        Ok(cursor.context("a frame without an id")?.to_owned())
    }
}

/// Counts the frames of a stream without decoding its chunks: a frame ends with an empty line, and
/// chunk headers end in `\r\n`, so they cannot be mistaken for one. Only frames whose last field is
/// `data` count, so comments and `retry` do not.
#[derive(Debug, Default)]
pub(crate) struct FrameScan {
    /// Whether the current line has started.
    within_line: bool,
    /// The first byte of the last line that has started.
    began_with: u8,
}

impl FrameScan {
    /// Counts the frames that end in `bytes`, which continue the previous ones.
    pub(crate) fn scan(&mut self, mut bytes: &[u8]) -> u64 {
        let mut frames = 0;
        while let Some(first) = bytes.first() {
            if !self.within_line {
                if *first == b'\n' {
                    frames += u64::from(self.began_with == b'd');
                    self.began_with = 0;
                    bytes = &bytes[1..];
                    continue;
                }
                self.within_line = true;
                self.began_with = *first;
            }
            let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            self.within_line = false;
            bytes = &bytes[end + 1..];
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\ndate: now\r\ntransfer-encoding: chunked\r\n\r\n\
        c\r\nretry: 2731\n\r\n\
        d7\r\nevent: ready\nid: 1-2-x\ndata: {}\n\n\r\n\
        c\r\n: keepalive\n\r\n\
        d9\r\nid: 2-2-x\ndata: {\"a\":\"\\n\"}\n\nid: 3-2-x\ndata: {}\n\n\r\n";

    #[test]
    fn frames_with_data_are_counted() {
        assert_eq!(FrameScan::default().scan(STREAM), 3);
    }

    #[test]
    fn it_does_not_matter_where_reads_end() {
        for size in 1..STREAM.len() {
            let mut scan = FrameScan::default();
            let frames: u64 = STREAM.chunks(size).map(|piece| scan.scan(piece)).sum();
            assert_eq!(frames, 3, "in pieces of {size}");
        }
    }
}
