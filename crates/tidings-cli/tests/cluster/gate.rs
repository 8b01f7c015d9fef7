//! A TCP proxy between one node and one host of the database, which can be cut, and can hold back or lose bytes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::commits_on_the_wire::CommitsOnTheWire;

/// How long a lost response to a commit is waited for. The server may be waiting for its replica.
const RESPONSE: Duration = Duration::from_millis(300);

/// The responses that a transaction and that a statement of its own are committed.
const COMMITTED: [&[u8]; 2] = [b"COMMIT\0", b"SELECT 1\0"];

/// Text that only the statements of connections contain that write events.
const LOCK: &[u8] = b"FOR UPDATE";

/// The treatment of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Connections are closed, new ones at once.
    Cut,
    /// Nothing passes, and nothing is closed, as in a network that drops packets.
    Hole,
    /// Half of the connections that commit events are cut: either before the commit reaches the server, or after
    /// the server has done it and before its response reaches the node.
    LosesCommits,
}

/// The proxy.
#[derive(Debug)]
pub(crate) struct Gate {
    /// The address for the node.
    pub(crate) address: SocketAddr,
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

impl Gate {
    pub(crate) async fn open(host: Ipv4Addr, server: u16, seed: u64) -> Self {
        let listener = TcpListener::bind((host, 0)).await;
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let way = watch::Sender::new(Way::Open);
        let ways = way.subscribe();
        let mut dice = fastrand::Rng::with_seed(seed);
        let task = tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let connection = Connection {
                    ways: ways.clone(),
                    loses_responses: AtomicBool::new(false),
                    has_committed: Notify::new(),
                };
                let dice = dice.fork();
                tokio::spawn(async move { connection.pass(node, server, dice).await });
            }
        });
        Self { address, way, task }
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection of a node.
struct Connection {
    ways: watch::Receiver<Way>,
    /// A commit has passed whose response must not.
    loses_responses: AtomicBool,
    /// The server has answered that commit.
    has_committed: Notify,
}

impl Connection {
    /// Passes the connection on, until an end closes it or it is cut.
    async fn pass(&self, node: TcpStream, server: u16, dice: fastrand::Rng) {
        if !self.is_passable().await {
            return;
        }
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else {
            return;
        };
        // Small statements wait for nothing.
        let _ = (node.set_nodelay(true), server.set_nodelay(true));
        let (from_node, to_node) = node.into_split();
        let (from_server, to_server) = server.into_split();
        let mut cuts = self.ways.clone();
        tokio::select! {
            () = self.pass_requests(from_node, to_server, dice) => {}
            () = self.pass_responses(from_server, to_node) => {}
            _ = cuts.wait_for(|way| *way == Way::Cut) => {}
        }
    }

    /// Waits while nothing passes. `false` if connections are cut.
    async fn is_passable(&self) -> bool {
        let mut ways = self.ways.clone();
        let way = ways.wait_for(|way| *way != Way::Hole).await;
        way.is_ok_and(|way| *way != Way::Cut)
    }

    async fn pass_requests(
        &self,
        mut node: OwnedReadHalf,
        mut server: OwnedWriteHalf,
        mut dice: fastrand::Rng,
    ) {
        let mut buffer = vec![0; 16 * 1024];
        let mut writes_events = false;
        let mut commits = CommitsOnTheWire::default();
        while let Ok(length @ 1..) = node.read(&mut buffer).await {
            let bytes = &buffer[..length];
            if !self.is_passable().await {
                return;
            }
            writes_events |= contains(bytes, LOCK);
            let way = *self.ways.borrow();
            let is_commit = commits.are_in(bytes) && writes_events;
            let is_lost = is_commit && way == Way::LosesCommits && dice.bool();
            if is_lost {
                if dice.bool() {
                    return;
                }
                self.loses_responses.store(true, Ordering::Relaxed);
            }
            if server.write_all(bytes).await.is_err() {
                return;
            }
            if is_lost {
                let _ = timeout(RESPONSE, self.has_committed.notified()).await;
                return;
            }
        }
    }

    async fn pass_responses(&self, mut server: OwnedReadHalf, mut node: OwnedWriteHalf) {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = server.read(&mut buffer).await {
            let bytes = &buffer[..length];
            if !self.is_passable().await {
                return;
            }
            if self.loses_responses.load(Ordering::Relaxed) {
                if COMMITTED.iter().any(|response| contains(bytes, response)) {
                    self.has_committed.notify_one();
                }
            } else if node.write_all(bytes).await.is_err() {
                return;
            }
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
