//! The attacks of hostile clients.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::response::Responses;

/// The address of the attackers, which differs from the bystander's.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// The time between two bytes of a slow client.
const DRIP: Duration = Duration::from_secs(1);

/// The size of an oversized head, far above the server's limit.
const HEAD_LINES: usize = 200;
const HEAD_LINE_BYTES: usize = 1024;

/// The size of a chunk of an endless body.
const PIECE_BYTES: usize = 16 * 1024;

/// The pause after a failed connection attempt.
const PAUSE: Duration = Duration::from_millis(100);

/// One kind of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attack {
    SlowHeads,
    IdleConnections,
    HeaderFlood,
    EndlessBodies,
    SlowBodies,
    ForgedTokens,
    RejectedStreams,
}

impl Attack {
    pub(super) const ALL: [Self; 7] = [
        Self::SlowHeads,
        Self::IdleConnections,
        Self::HeaderFlood,
        Self::EndlessBodies,
        Self::SlowBodies,
        Self::ForgedTokens,
        Self::RejectedStreams,
    ];

    /// The name of the attack in the report.
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::SlowHeads => "1,000 heads at a byte per second",
            Self::IdleConnections => "10,000 idle connections",
            Self::HeaderFlood => "16 floods of heads of 200 KiB",
            Self::EndlessBodies => "16 endless bodies with a valid token",
            Self::SlowBodies => "500 bodies at a byte per second, with a valid token",
            Self::ForgedTokens => "16 floods of forged tokens",
            Self::RejectedStreams => "1,000 clients that retry a stream without a token at once",
        }
    }

    pub(super) const fn attackers(self) -> usize {
        match self {
            Self::SlowHeads | Self::RejectedStreams => 1_000,
            Self::IdleConnections => 10_000,
            Self::SlowBodies => 500,
            Self::HeaderFlood | Self::EndlessBodies | Self::ForgedTokens => 16,
        }
    }
}

/// The results of the attackers' connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    connected: u64,
    /// The number of failed connection attempts.
    failed: u64,
    /// The number of connections that the server closed without a response.
    closed: u64,
    responses: BTreeMap<u16, u64>,
}

impl Tally {
    /// Whether no connection succeeded.
    pub(super) const fn is_empty(&self) -> bool {
        self.connected == 0
    }

    pub(super) const fn count_connected(&mut self) {
        self.connected += 1;
    }

    pub(super) const fn count_closed(&mut self) {
        self.closed += 1;
    }

    pub(super) fn count_response(&mut self, status: u16) {
        *self.responses.entry(status).or_default() += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connected,
            failed,
            closed,
            responses,
        } = self;
        write!(f, "{connected} connections, {failed} failed")?;
        write!(f, ", {closed} closed without a response")?;
        for (status, number) in responses {
            write!(f, ", {number} responses with status {status}")?;
        }
        Ok(())
    }
}

/// The server to attack, and the attackers' token.
#[derive(Clone, Debug)]
pub(super) struct AttackedServer {
    pub(super) server: SocketAddr,
    /// A valid token of a user other than the bystander.
    pub(super) token: String,
}

/// Attacks until `stop` is ready. Calls `begun` after every attacker's first connection attempt.
pub(super) async fn run(
    attack: Attack,
    target: &AttackedServer,
    begun: impl FnOnce(),
    stop: impl Future<Output = ()>,
) -> Tally {
    let tally = Arc::new(Mutex::new(Tally::default()));
    let all = Arc::new(Barrier::new(attack.attackers() + 1));
    let mut attackers = JoinSet::new();
    for _ in 0..attack.attackers() {
        let attacker = Attacker {
            attack,
            target: target.clone(),
            tally: Arc::clone(&tally),
        };
        let all = Arc::clone(&all);
        attackers.spawn(async move { attacker.run(&all).await });
    }
    all.wait().await;
    begun();
    stop.await;
    attackers.shutdown().await;
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    tally.clone()
}

struct Attacker {
    attack: Attack,
    target: AttackedServer,
    tally: Arc<Mutex<Tally>>,
}

impl Attacker {
    async fn run(&self, all: &Barrier) {
        let first = self.connect().await;
        all.wait().await;
        let mut next = first;
        loop {
            match next {
                Some(socket) => match self.use_up(socket).await {
                    Ok(()) => {}
                    Err(_) => self.count(Tally::count_closed),
                },
                None => sleep(PAUSE).await,
            }
            next = self.connect().await;
        }
    }

    async fn connect(&self) -> Option<TcpStream> {
        let connecting = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::new(ADDRESS, 0))?;
            socket.connect(self.target.server).await
        };
        match connecting.await {
            Ok(socket) => {
                self.count(Tally::count_connected);
                Some(socket)
            }
            Err(_) => {
                self.count(|tally| tally.failed += 1);
                None
            }
        }
    }

    /// Runs the attack on one connection until the server responds or closes it.
    async fn use_up(&self, socket: TcpStream) -> io::Result<()> {
        let (server, token) = (self.target.server, &self.target.token);
        let upload = format!(
            "POST /api/system/events HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        match self.attack {
            Attack::IdleConnections => self.response_of(socket, "", None).await,
            Attack::SlowHeads => {
                let head = format!("GET / HTTP/1.1\r\nHost: {server}\r\nX-Slow: ");
                self.response_of(socket, &head, Some((b"a", DRIP))).await
            }
            Attack::HeaderFlood => {
                let mut head = format!("GET / HTTP/1.1\r\nHost: {server}\r\n");
                for line in 0..HEAD_LINES {
                    head += &format!("X-{line}: {}\r\n", "a".repeat(HEAD_LINE_BYTES));
                }
                self.response_of(socket, &head, None).await
            }
            Attack::EndlessBodies => {
                let piece = format!("{PIECE_BYTES:x}\r\n{}\r\n", " ".repeat(PIECE_BYTES));
                let more = Some((piece.as_bytes(), Duration::ZERO));
                self.response_of(socket, &upload, more).await
            }
            Attack::SlowBodies => {
                let more = Some((b"1\r\n \r\n".as_slice(), DRIP));
                self.response_of(socket, &upload, more).await
            }
            Attack::ForgedTokens => {
                let forged = forge(token);
                let request = format!(
                    "GET /api/system/events/summary HTTP/1.1\r\nHost: {server}\r\n\
                     Authorization: Bearer {forged}\r\n\r\n"
                );
                self.repeat(socket, &request).await
            }
            Attack::RejectedStreams => {
                let request =
                    format!("GET /api/system/events/subscribe HTTP/1.1\r\nHost: {server}\r\n\r\n");
                self.repeat(socket, &request).await
            }
        }
    }

    /// Sends `begin` and then a piece repeatedly, until the server responds.
    async fn response_of(
        &self,
        mut socket: TcpStream,
        begin: &str,
        more: Option<(&[u8], Duration)>,
    ) -> io::Result<()> {
        let (mut reader, mut writer) = socket.split();
        let send = async {
            writer.write_all(begin.as_bytes()).await?;
            let Some((piece, pause)) = more else {
                return std::future::pending().await;
            };
            loop {
                writer.write_all(piece).await?;
                if pause.is_zero() {
                    tokio::task::yield_now().await;
                } else {
                    sleep(pause).await;
                }
            }
        };
        let mut responses = Responses::default();
        let read = responses.next(&mut reader);
        let status = tokio::select! {
            status = read => status?,
            // A failed write can hide the response that the server sent before it closed the connection.
            sent = send => return sent,
        };
        self.count(|tally| tally.count_response(status));
        Ok(())
    }

    /// Sends the same request repeatedly.
    async fn repeat(&self, mut socket: TcpStream, request: &str) -> io::Result<()> {
        let mut responses = Responses::default();
        loop {
            socket.write_all(request.as_bytes()).await?;
            let status = responses.next(&mut socket).await?;
            self.count(|tally| tally.count_response(status));
        }
    }

    fn count(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The token with an invalid signature.
fn forge(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    let turned: String = signature.chars().rev().collect();
    format!("{signed}.{turned}")
}
