//! A well-behaved user during an attack, who publishes events and measures the time to their delivery.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION, SEVERITY, mint_id};
use crate::statistics::Samples;

/// The time between two events.
const INTERVAL: Duration = Duration::from_millis(5);

/// The time limit of a read or a connection attempt. Exceeding it means that the server no longer responds.
const STUCK: Duration = Duration::from_secs(60);

/// Publishes over one connection and reads the stream over another.
#[derive(Debug)]
pub(super) struct Bystander {
    server: SocketAddr,
    token: String,
    publisher: TcpStream,
    stream: TcpStream,
}

impl Bystander {
    pub(super) fn connect(server: SocketAddr, token: String) -> anyhow::Result<Self> {
        let mut stream = connect(server)?;
        write!(
            stream,
            "GET /api/system/events/subscribe HTTP/1.1\r\nHost: {server}\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        )?;
        read_until(&mut stream, "event: live")?;
        Ok(Self {
            server,
            publisher: connect(server)?,
            stream,
            token,
        })
    }

    /// Measures the time from the due time of each event to its delivery, in milliseconds.
    #[expect(
        clippy::disallowed_methods,
        reason = "the interval must be exact; a timer of Tokio is off by up to 1 millisecond"
    )]
    pub(super) fn measure(&mut self, time: Duration) -> anyhow::Result<Samples> {
        // The server could have closed the previous connection while the attackers connected.
        self.publisher = connect(self.server)?;
        let begun = Instant::now();
        let mut due = begun;
        let mut latencies = Vec::new();
        while begun.elapsed() < time {
            // The latency of a delayed event includes its delay.
            let late = Instant::now() > due;
            if !late {
                std::thread::sleep(due - Instant::now());
            }
            let published = if late { due } else { Instant::now() };
            self.publish()?;
            latencies.push(published.elapsed().as_secs_f64() * 1e3);
            due += INTERVAL;
        }
        Ok(latencies.into_iter().collect())
    }

    /// Publishes an event and waits for its delivery and its acknowledgement.
    fn publish(&mut self) -> anyhow::Result<()> {
        let (id, server, token) = (mint_id(), self.server, &self.token);
        let body = format!(
            "{{\"id\":\"{id}\",\"actedUpon\":\"{ACTED_UPON}\",\"category\":\"{CATEGORY}\",\
             \"action\":\"{ACTION}\",\"severity\":\"{SEVERITY}\",\"description\":{DESCRIPTION:?}}}"
        );
        let request = format!(
            "POST /api/system/events HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.publisher.write_all(request.as_bytes())?;
        let id = id.to_string();
        read_until(&mut self.stream, &id)?;
        let response = read_until(&mut self.publisher, &id)?;
        ensure!(
            response.starts_with("HTTP/1.1 201 "),
            "the server rejected the event: {response}"
        );
        Ok(())
    }
}

/// Checks the server's health over a new connection.
pub(super) fn ask_for_health(server: SocketAddr) -> anyhow::Result<()> {
    let mut socket = connect(server)?;
    write!(socket, "GET /healthz HTTP/1.1\r\nHost: {server}\r\n\r\n")?;
    let response = read_until(&mut socket, "alive")?;
    ensure!(response.starts_with("HTTP/1.1 200 "), "{response}");
    Ok(())
}

fn connect(server: SocketAddr) -> anyhow::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&server, STUCK).context("could not connect")?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(STUCK))?;
    Ok(socket)
}

/// Reads until `wanted` has arrived and its frame or body is complete. Assumes that the server sends nothing
/// else before the next request.
fn read_until(socket: &mut TcpStream, wanted: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer)?;
        if read == 0 {
            bail!("the server closed the connection: {text}");
        }
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        // A complete frame or body ends with a brace.
        if text.contains(wanted) && text.trim_end().ends_with('}') {
            return Ok(text);
        }
    }
}
