//! The requests of an account that uses its limits in full.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::attack::Tally;
use super::response::Responses;
use super::unread_streams;
use crate::content::{ACTED_UPON, ACTION, CATEGORY, Description, SEVERITY};

/// The number of the account's addresses, used in turn. A closed connection keeps its port for a minute, and
/// one address has 28,000 ports.
const ADDRESSES: u8 = 64;

/// The next address of the account.
fn next_address() -> IpAddr {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    let host = NEXT.fetch_add(1, Ordering::Relaxed) % ADDRESSES;
    IpAddr::V4(Ipv4Addr::new(127, 0, 3, 1 + host))
}

/// The time for which a client leaves a response unread before it sends the next request.
const UNREAD: Duration = Duration::from_secs(4);

/// The time after which the client of a bulk change disconnects.
const HANG_UP: Duration = Duration::from_millis(10);

/// The pause after a rejection by a limit.
const PAUSE: Duration = Duration::from_millis(50);

/// A small receive buffer, so that unread responses stay at the server.
const RECEIVE_BYTES: u32 = 4 * 1024;

/// Lists the newest events of the account, which have the maximum size.
const LARGE_PAGE: &str = "/api/system/events?sort=created_at&order=desc&pagesize=1000&count=none";

/// One kind of abuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abuse {
    UnreadPages,
    UnreadStreams,
    BulkChanges,
    DeepReads,
    DeepReadsOfTwo,
    LargestEvents,
    Requests,
    Everything,
}

impl Abuse {
    pub(super) const ALL: [Self; 8] = [
        Self::UnreadPages,
        Self::UnreadStreams,
        Self::BulkChanges,
        Self::DeepReads,
        Self::DeepReadsOfTwo,
        Self::LargestEvents,
        Self::Requests,
        Self::Everything,
    ];

    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::UnreadPages => "80 pages of the largest events, unread",
            Self::UnreadStreams => "100 such pages on one HTTP/2 connection with window 0",
            Self::BulkChanges => {
                "16 clients that mark all as read and unread in turn and disconnect"
            }
            Self::DeepReads => "16 clients with deep searches, counts and pages",
            Self::DeepReadsOfTwo => "the same by two accounts",
            Self::LargestEvents => "4 clients that publish the largest events",
            Self::Requests => "16 clients that list and mark at the account's rate",
            Self::Everything => "all of this at once by one account",
        }
    }

    /// Whether the abuse needs HTTP/2, which the server supports only over TLS.
    pub(super) const fn needs_tls(self) -> bool {
        matches!(self, Self::UnreadStreams)
    }

    pub(super) const fn accounts(self) -> usize {
        match self {
            Self::DeepReadsOfTwo => 2,
            _ => 1,
        }
    }

    /// The job of each client.
    fn jobs(self) -> Vec<Job> {
        let jobs = |job, number| vec![job; number];
        match self {
            Self::UnreadPages => jobs(Job::UnreadPage, 80),
            Self::UnreadStreams => jobs(Job::UnreadStreams, 1),
            Self::BulkChanges => jobs(Job::BulkChange, 16),
            Self::DeepReads | Self::DeepReadsOfTwo => jobs(Job::DeepRead, 16),
            Self::LargestEvents => jobs(Job::LargestEvent, 4),
            Self::Requests => jobs(Job::Requests, 16),
            Self::Everything => [
                Self::UnreadPages,
                Self::BulkChanges,
                Self::DeepReads,
                Self::LargestEvents,
                Self::Requests,
            ]
            .into_iter()
            .flat_map(Self::jobs)
            .collect(),
        }
    }
}

/// The action that a client repeats.
#[derive(Clone, Copy, Debug)]
enum Job {
    UnreadPage,
    UnreadStreams,
    BulkChange,
    DeepRead,
    LargestEvent,
    Requests,
}

/// The server to abuse, and the accounts' tokens.
#[derive(Clone, Debug)]
pub(super) struct AbusedServer {
    pub(super) server: SocketAddr,
    /// The token of each account.
    pub(super) tokens: Vec<String>,
    pub(super) tls: Option<Arc<ClientConfig>>,
}

/// Abuses the server until `stop` is ready.
pub(super) async fn run(
    abuse: Abuse,
    target: &AbusedServer,
    begun: impl FnOnce(),
    stop: impl Future<Output = ()>,
) -> Tally {
    let tally = Arc::new(Mutex::new(Tally::default()));
    let mut clients = JoinSet::new();
    for (index, job) in abuse.jobs().into_iter().enumerate() {
        let client = Client {
            job,
            server: target.server,
            token: target.tokens[index % target.tokens.len()].clone(),
            tls: target.tls.clone(),
            tally: Arc::clone(&tally),
        };
        clients.spawn(async move { client.run().await });
    }
    begun();
    stop.await;
    clients.shutdown().await;
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    tally.clone()
}

struct Client {
    job: Job,
    server: SocketAddr,
    token: String,
    tls: Option<Arc<ClientConfig>>,
    tally: Arc<Mutex<Tally>>,
}

impl Client {
    async fn run(&self) {
        for round in 0_u64.. {
            let ended = match self.job {
                Job::UnreadPage => self.leave_unread().await,
                Job::UnreadStreams => self.leave_streams_unread().await,
                Job::BulkChange => self.change_and_hang_up(round).await,
                Job::DeepRead => self.read_deep(round).await,
                Job::LargestEvent => self.publish_large().await,
                Job::Requests => self.ask_much().await,
            };
            if ended.is_err() {
                self.count(Tally::count_closed);
                sleep(PAUSE).await;
            }
        }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(RECEIVE_BYTES)?;
        self.connect_from(socket).await
    }

    async fn connect_from(&self, socket: TcpSocket) -> io::Result<TcpStream> {
        socket.bind(SocketAddr::new(next_address(), 0))?;
        let socket = socket.connect(self.server).await?;
        socket.set_nodelay(true)?;
        self.count(Tally::count_connected);
        Ok(socket)
    }

    async fn leave_unread(&self) -> io::Result<()> {
        let mut socket = self.connect().await?;
        let request = self.request("GET", LARGE_PAGE, "");
        socket.write_all(request.as_bytes()).await?;
        sleep(UNREAD).await;
        Ok(())
    }

    async fn leave_streams_unread(&self) -> io::Result<()> {
        let Some(tls) = &self.tls else {
            return Err(io::Error::other("HTTP/2 needs TLS"));
        };
        let socket = self.connect().await?;
        unread_streams::open(socket, tls, LARGE_PAGE, &self.token).await?;
        Ok(())
    }

    async fn change_and_hang_up(&self, round: u64) -> io::Result<()> {
        let mut socket = self.connect().await?;
        let status = if round.is_multiple_of(2) {
            "read"
        } else {
            "unread"
        };
        let body = format!("{{\"all\":true,\"status\":\"{status}\"}}");
        let request = self.request("PUT", "/api/system/events/status/bulk", &body);
        socket.write_all(request.as_bytes()).await?;
        let answered = tokio::time::timeout(HANG_UP, Responses::default().next(&mut socket)).await;
        if let Ok(status) = answered {
            let status = status?;
            self.count(|tally| tally.count_response(status));
        }
        Ok(())
    }

    async fn read_deep(&self, mut round: u64) -> io::Result<()> {
        let (common, letters) = (Description::COMMON_WORD, Description::COMMON_LETTERS);
        let paths = [
            format!("search={common}&sort=created_at&order=desc&pagesize=25"),
            "page=7000&pagesize=25".to_owned(),
            format!("search={letters}&pagesize=25"),
            "category=[%22maintenance%22]&pagesize=25".to_owned(),
        ];
        let mut socket = self.connect().await?;
        let mut responses = Responses::default();
        loop {
            let query = &paths[usize::try_from(round % 4).unwrap_or(0)];
            round += 1;
            let request = self.request("GET", &format!("/api/system/events?{query}"), "");
            self.ask(&mut socket, &mut responses, &request).await?;
        }
    }

    async fn publish_large(&self) -> io::Result<()> {
        let mut socket = self.connect().await?;
        let mut responses = Responses::default();
        let metadata = "0,".repeat(32_700) + "0";
        let event = format!(
            "{{\"actedUpon\":\"{ACTED_UPON}\",\"category\":\"{CATEGORY}\",\"action\":\"{ACTION}\",\
             \"severity\":\"{SEVERITY}\",\"metadata\":{{\"a\":[{metadata}]}}}}"
        );
        let request = self.request("POST", "/api/system/events", &event);
        loop {
            self.ask(&mut socket, &mut responses, &request).await?;
        }
    }

    async fn ask_much(&self) -> io::Result<()> {
        let mut socket = self.connect().await?;
        let mut responses = Responses::default();
        let list = "/api/system/events?sort=created_at&order=desc&pagesize=10&search=d";
        let list = self.request("GET", list, "");
        let unknown = "/api/system/events/status/7b1d2c3e-0000-4000-8000-000000000001";
        let mark = self.request("PUT", unknown, "{\"status\":\"read\"}");
        loop {
            for request in [&list, &mark] {
                self.ask(&mut socket, &mut responses, request).await?;
            }
        }
    }

    async fn ask(
        &self,
        socket: &mut TcpStream,
        responses: &mut Responses,
        request: &str,
    ) -> io::Result<()> {
        socket.write_all(request.as_bytes()).await?;
        let status = responses.next(socket).await?;
        self.count(|tally| tally.count_response(status));
        if status == 429 || status == 503 {
            sleep(PAUSE).await;
        }
        Ok(())
    }

    fn request(&self, method: &str, path: &str, body: &str) -> String {
        let (server, token) = (self.server, &self.token);
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn count(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
