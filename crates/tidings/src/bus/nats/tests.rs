//! The bus on a real server of NATS.

mod credentials;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, Stdio};

use tidings_event::SystemId;

use super::*;

/// The time limit of a wait, far longer than any test takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server of NATS, which ends with this.
pub(crate) struct Server {
    port: u16,
    process: Child,
    /// It must be able to write more.
    _log: BufReader<ChildStderr>,
}

impl Server {
    /// Starts a server on a free port.
    #[cfg(feature = "postgres")]
    pub(crate) fn start_anywhere() -> Self {
        Self::start(free_port())
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Starts a server, and waits until it accepts connections.
    fn start(port: u16) -> Self {
        Self::start_with(port, &[])
    }

    /// Starts a server with further flags.
    fn start_with(port: u16, flags: &[&str]) -> Self {
        loop {
            let mut process = Command::new("nats-server")
                .args(["-a", "127.0.0.1", "-p", &port.to_string()])
                .args(flags)
                .stderr(Stdio::piped())
                .spawn()
                .expect("nats-server is installed");
            let mut log = BufReader::new(process.stderr.take().unwrap());
            let mut lines = log.by_ref().lines().map_while(Result::ok);
            let is_ready = lines.any(|line| line.contains("Server is ready"));
            let server = Self {
                port,
                process,
                _log: log,
            };
            // Otherwise it has ended, since something else has the port for a moment.
            if is_ready {
                return server;
            }
        }
    }

    /// Stops without any notice to the clients.
    fn kill(mut self) -> u16 {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that no client gets by chance, as this system gives them higher ones. A client that tries to connect
/// to a server that is away could otherwise connect to itself.
fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(10_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

async fn open(port: u16, system: SystemId) -> NatsBus {
    let config = NatsConfig::new([format!("nats://127.0.0.1:{port}")]);
    NatsBus::open(&config, system).await.unwrap()
}

async fn receive(bus: &NatsBus) -> Received {
    let received = tokio::time::timeout(PATIENCE, bus.receive()).await;
    received.expect("something comes")
}

/// Waits until the server has the subscription.
async fn connect(bus: &NatsBus) {
    assert!(matches!(receive(bus).await, Received::Missed));
    bus.check().unwrap();
}

async fn message(bus: &NatsBus) -> Bytes {
    loop {
        if let Received::Message(message) = receive(bus).await {
            return message;
        }
    }
}

#[tokio::test]
async fn carries_messages_between_the_nodes_of_one_installation() {
    let server = Server::start(free_port());
    let system = SystemId::mint();
    let [one, two] = [
        open(server.port, system).await,
        open(server.port, system).await,
    ];
    let stranger = open(server.port, SystemId::mint()).await;
    for bus in [&one, &two, &stranger] {
        connect(bus).await;
    }
    let largest = Bytes::from(vec![7; one.message_bytes()]);
    one.send(largest.clone()).await.unwrap();
    assert_eq!(message(&two).await, largest);
    assert_eq!(message(&one).await, largest);
    stranger.send(Bytes::from_static(b"own")).await.unwrap();
    assert_eq!(message(&stranger).await, "own");
}

#[tokio::test]
async fn connects_when_the_server_comes_and_comes_back() {
    let port = free_port();
    let system = SystemId::mint();
    let [one, two] = [open(port, system).await, open(port, system).await];
    one.check().unwrap_err();
    let mut port = port;
    for round in [b"first", b"again"] {
        let server = Server::start(port);
        for bus in [&one, &two] {
            connect(bus).await;
        }
        let sent = Bytes::from_static(round);
        one.send(sent.clone()).await.unwrap();
        for bus in [&one, &two] {
            assert_eq!(message(bus).await, sent);
        }
        port = server.kill();
        let ended = async {
            while one.check().is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.unwrap();
    }
}

#[tokio::test]
async fn tells_that_a_slow_node_has_missed_messages() {
    let server = Server::start(free_port());
    let system = SystemId::mint();
    let [one, slow] = [
        open(server.port, system).await,
        open(server.port, system).await,
    ];
    for bus in [&one, &slow] {
        connect(bus).await;
    }
    let number = WAITING_MESSAGES + 100;
    for _ in 0..number {
        one.send(Bytes::from_static(b"hint")).await.unwrap();
    }
    // All have come to the client, and nobody has taken one.
    let statistics = slow.client.statistics();
    let arrived = async {
        while statistics.in_messages.load(Ordering::Relaxed) < number as u64 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, arrived).await.unwrap();
    let mut messages = 0;
    while matches!(receive(&slow).await, Received::Message(_)) {
        messages += 1;
    }
    assert!(messages < number);
}

#[tokio::test]
async fn rejects_an_address_or_a_file_that_cannot_be_used() {
    let system = SystemId::mint();
    let config = NatsConfig::new(["http://127.0.0.1"]);
    NatsBus::open(&config, system).await.unwrap_err();
    let config = NatsConfig::new(["nats://user:secret@127.0.0.1"]);
    assert!(!format!("{config:?}").contains("secret"));
    let config = config.with_password_file("/nonexistent");
    NatsBus::open(&config, system).await.unwrap_err();
}
