//! The load generator's side of HTTP/1.1: as little as possible, so that it costs little.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::scan::{Delivery, Scan};

/// Enough for the head of any response and for a large piece of a replay.
const BUFFER_BYTES: usize = 64 * 1024;

/// A keep-alive connection that sends one request at a time.
#[derive(Debug)]
pub(crate) struct Client {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(server: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self {
            socket: connect(server).await?,
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    /// Sends a request and waits for the end of its response, which must be 201.
    pub(crate) async fn publish(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.exchange(request, b"HTTP/1.1 201 ", None).await
    }

    /// Sends a request and waits for the end of its response, which must be 200.
    pub(crate) async fn update(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.exchange(request, b"HTTP/1.1 200 ", None).await
    }

    /// Requests a resource, which must be there. Returns the body.
    pub(crate) async fn get(&mut self, path: &str, token: Option<&str>) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        let request = request_for(path, token, "");
        self.exchange(request.as_bytes(), b"HTTP/1.1 200 ", Some(&mut body))
            .await?;
        Ok(body)
    }

    /// Changes a resource by a JSON body. Returns the body of the response, which must be 200.
    pub(crate) async fn put(&mut self, path: &str, json: &str) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        let request = format!(
            "PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{json}",
            json.len()
        );
        self.exchange(request.as_bytes(), b"HTTP/1.1 200 ", Some(&mut body))
            .await?;
        Ok(body)
    }

    async fn exchange(
        &mut self,
        request: &[u8],
        status: &[u8],
        mut body: Option<&mut Vec<u8>>,
    ) -> anyhow::Result<()> {
        self.socket.write_all(request).await?;
        let mut filled = 0;
        let (head, length) = loop {
            filled += self.read_from(filled).await?;
            if let Some(head) = head_length(&self.buffer[..filled]) {
                break (head, content_length(&self.buffer[..head])?);
            }
        };
        let mut left = (head + length).checked_sub(filled);
        ensure!(left.is_some(), "the server sent more than one response");
        if !self.buffer.starts_with(status) {
            let response = String::from_utf8_lossy(&self.buffer[..filled]);
            bail!("the server rejected the request: {response}");
        }
        if let Some(body) = &mut body {
            body.extend_from_slice(&self.buffer[head..filled]);
        }
        while let Some(rest @ 1..) = left {
            let read = self.read_from(0).await?;
            if let Some(body) = &mut body {
                body.extend_from_slice(&self.buffer[..read]);
            }
            left = rest.checked_sub(read);
        }
        Ok(())
    }

    /// Reads once, to this place of the buffer.
    async fn read_from(&mut self, place: usize) -> anyhow::Result<usize> {
        let read = self.socket.read(&mut self.buffer[place..]).await?;
        ensure!(read > 0, "the server closed the connection");
        Ok(read)
    }

    /// Sends bytes to a server that answers with lines, and waits for as many lines that start with `sign`.
    pub(crate) async fn send(&mut self, bytes: &[u8], sign: u8, lines: u64) -> anyhow::Result<()> {
        self.socket.write_all(bytes).await?;
        let mut scan = Scan::new(Delivery::Line(sign));
        let mut seen = 0;
        while seen < lines {
            let read = self.read_from(0).await?;
            let got = &self.buffer[..read];
            ensure!(
                !got.starts_with(b"-"),
                "the server answered {}",
                String::from_utf8_lossy(got)
            );
            seen += scan.scan(got);
        }
        Ok(())
    }
}

pub(crate) async fn connect(server: SocketAddr) -> anyhow::Result<TcpStream> {
    let socket = TcpStream::connect(server)
        .await
        .context("could not connect to the server")?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

fn head_length(response: &[u8]) -> Option<usize> {
    let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    Some(end + 4)
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    const NAME: &str = "content-length: ";
    let head = std::str::from_utf8(head).context("the head of the response is not UTF-8")?;
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    });
    let line = line.with_context(|| format!("the response has no length: {head}"))?;
    Ok(line.parse()?)
}

fn request_for(path: &str, token: Option<&str>, headers: &str) -> String {
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let token = token.unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{token}{headers}\r\n")
}

pub(crate) const STREAM_PATH: &str = "/api/system/events/subscribe";

/// The request for a stream. `start` is a cursor, `earliest`, or nothing for "from now".
pub(crate) fn stream_request(token: Option<&str>, start: Option<&str>) -> String {
    let start = start.map(|start| format!("Last-Event-ID: {start}\r\n"));
    let start = start.unwrap_or_default();
    request_for(STREAM_PATH, token, &start)
}

/// A subscriber over HTTP.
#[derive(Debug)]
pub(crate) struct Subscriber {
    socket: TcpStream,
    scan: Scan,
}

impl Subscriber {
    /// Requests the stream of the local identity. `start` is a cursor, `earliest`, or nothing for "from
    /// now".
    pub(crate) async fn connect(server: SocketAddr, start: Option<&str>) -> anyhow::Result<Self> {
        Self::request(server, &stream_request(None, start)).await
    }

    /// Sends a request for a stream.
    pub(crate) async fn request(server: SocketAddr, request: &str) -> anyhow::Result<Self> {
        let mut socket = connect(server).await?;
        socket.write_all(request.as_bytes()).await?;
        Ok(Self::over(socket))
    }

    /// Reads a stream from any connection.
    pub(crate) const fn over(socket: TcpStream) -> Self {
        Self {
            socket,
            scan: Scan::new(Delivery::Frame),
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
