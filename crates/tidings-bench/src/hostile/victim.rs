//! A user who lists, marks and publishes while another account uses its limits in full.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::response;
use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION, SEVERITY, mint_id};
use crate::statistics::Samples;

/// The time between two rounds.
const INTERVAL: Duration = Duration::from_millis(20);

/// The time limit of a read or a connection attempt. Exceeding it means that the server no longer responds.
const STUCK: Duration = Duration::from_secs(60);

/// The latencies of requests, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    pub(super) list: Vec<f64>,
    pub(super) mark: Vec<f64>,
    pub(super) publish: Vec<f64>,
    /// The number of rejected requests.
    pub(super) rejected: u64,
}

/// Sends one request at a time over one connection.
pub(super) struct Victim {
    server: SocketAddr,
    token: String,
    tls: Option<Arc<ClientConfig>>,
}

trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

impl Victim {
    pub(super) fn new(server: SocketAddr, token: String, tls: Option<Arc<ClientConfig>>) -> Self {
        Self { server, token, tls }
    }

    fn connect(&self) -> anyhow::Result<Box<dyn Connection>> {
        let socket =
            TcpStream::connect_timeout(&self.server, STUCK).context("could not connect")?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(STUCK))?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(socket));
        };
        let name = ServerName::from(self.server.ip());
        let session = ClientConnection::new(Arc::clone(tls), name)?;
        Ok(Box::new(StreamOwned::new(session, socket)))
    }

    /// Publishes an event, marks it and lists events, once per interval.
    #[expect(
        clippy::disallowed_methods,
        reason = "the interval must be exact; a timer of Tokio is off by up to 1 millisecond"
    )]
    pub(super) fn measure(&self, time: Duration) -> anyhow::Result<Latencies> {
        let mut connection = self.connect()?;
        let mut latencies = Latencies::default();
        let begun = Instant::now();
        let mut due = begun;
        while begun.elapsed() < time {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            due = Instant::now() + INTERVAL;
            let id = mint_id();
            let event = format!(
                "{{\"id\":\"{id}\",\"actedUpon\":\"{ACTED_UPON}\",\"category\":\"{CATEGORY}\",\
                 \"action\":\"{ACTION}\",\"severity\":\"{SEVERITY}\",\"description\":{DESCRIPTION:?}}}"
            );
            let mark = format!("PUT /api/system/events/status/{id}");
            let Latencies {
                list,
                mark: marked,
                publish,
                rejected,
            } = &mut latencies;
            for (request, body, taken) in [
                ("POST /api/system/events", &*event, publish),
                (&*mark, "{\"status\":\"read\"}", marked),
                (
                    "GET /api/system/events?sort=created_at&order=desc&pagesize=25",
                    "",
                    list,
                ),
            ] {
                let sent = Instant::now();
                let status = self.send(&mut *connection, request, body)?;
                if (200..300).contains(&status) {
                    taken.push(sent.elapsed().as_secs_f64() * 1e3);
                } else {
                    *rejected += 1;
                }
            }
        }
        Ok(latencies)
    }

    fn send(&self, connection: &mut dyn Connection, line: &str, body: &str) -> anyhow::Result<u16> {
        let (server, token) = (self.server, &self.token);
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.write_all(request.as_bytes())?;
        connection.flush()?;
        let mut bytes = Vec::new();
        let mut buffer = [0; 64 * 1024];
        loop {
            if let Some((status, _)) = response::whole(&bytes) {
                return Ok(status);
            }
            let read = connection.read(&mut buffer)?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            bytes.extend_from_slice(&buffer[..read]);
        }
    }
}

impl Latencies {
    /// The latencies by the name of the request.
    pub(super) fn by_name(&self) -> [(&'static str, Samples); 3] {
        [
            ("list", &self.list),
            ("mark", &self.mark),
            ("publish", &self.publish),
        ]
        .map(|(name, values)| (name, values.iter().copied().collect()))
    }
}
