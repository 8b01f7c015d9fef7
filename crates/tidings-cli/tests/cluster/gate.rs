//! A TCP proxy between one node and one host of the database, which can be cut, and can hold back or lose bytes.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long the answers to a lost commit are waited for, so that the server has done it.
const ANSWERS: Duration = Duration::from_millis(300);

/// How the simple query `COMMIT` ends on the wire.
const COMMIT: &[u8] = b"COMMIT\0";

/// What happens to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Connections are closed, new ones at once.
    Cut,
    /// Nothing passes, and nothing is closed, as in a network that drops packets.
    Hole,
    /// Half of the connections that commit are cut: before the commit reaches the server, or before its answer
    /// reaches the node.
    LosesCommits,
}

/// The proxy.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) port: u16,
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

impl Gate {
    pub(crate) async fn open(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let way = watch::Sender::new(Way::Open);
        let ways = way.subscribe();
        let task = tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                tokio::spawn(pass(node, server, ways.clone()));
            }
        });
        Self { port, way, task }
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

/// Passes one connection on, until an end closes it or it is cut.
async fn pass(node: TcpStream, server: u16, mut ways: watch::Receiver<Way>) {
    if !is_passable(&mut ways).await {
        return;
    }
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else {
        return;
    };
    // Small statements wait for nothing.
    let _ = (node.set_nodelay(true), server.set_nodelay(true));
    let (from_node, to_node) = node.into_split();
    let (from_server, to_server) = server.into_split();
    let is_lost = Arc::new(AtomicBool::new(false));
    let there = Line {
        ways: ways.clone(),
        is_lost: Arc::clone(&is_lost),
        carries_commits: true,
    };
    let back = Line {
        ways,
        is_lost,
        carries_commits: false,
    };
    tokio::select! {
        () = there.carry(from_node, to_server) => {}
        () = back.carry(from_server, to_node) => {}
    }
}

/// Waits while nothing passes. `false` if connections are cut.
async fn is_passable(ways: &mut watch::Receiver<Way>) -> bool {
    let way = ways.wait_for(|way| *way != Way::Hole).await;
    way.is_ok_and(|way| *way != Way::Cut)
}

/// One direction of a connection.
struct Line {
    ways: watch::Receiver<Way>,
    /// A commit has passed whose answer must not.
    is_lost: Arc<AtomicBool>,
    carries_commits: bool,
}

impl Line {
    async fn carry(mut self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
        let mut cuts = self.ways.clone();
        let work = async {
            let mut buffer = vec![0; 16 * 1024];
            loop {
                let Ok(bytes @ 1..) = from.read(&mut buffer).await else {
                    return;
                };
                let bytes = &buffer[..bytes];
                if !is_passable(&mut self.ways).await {
                    return;
                }
                if self.is_lost.load(Ordering::Relaxed) {
                    continue;
                }
                let loses = self.carries_commits
                    && *self.ways.borrow() == Way::LosesCommits
                    && bytes.ends_with(COMMIT)
                    && fastrand::bool();
                if loses {
                    if fastrand::bool() {
                        return;
                    }
                    self.is_lost.store(true, Ordering::Relaxed);
                }
                if to.write_all(bytes).await.is_err() {
                    return;
                }
                if loses {
                    // The other direction takes the answers meanwhile.
                    tokio::time::sleep(ANSWERS).await;
                    return;
                }
            }
        };
        tokio::select! {
            () = work => {}
            _ = cuts.wait_for(|way| *way == Way::Cut) => {}
        }
    }
}
