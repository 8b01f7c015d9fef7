//! A proxy before the server, which loses commits or their responses.

#[path = "../../../../../tests/support/commits_on_the_wire.rs"]
mod commits_on_the_wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use commits_on_the_wire::CommitsOnTheWire;

/// The proxy's treatment of the next commit.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Fate {
    /// It passes.
    Pass = 0,
    /// The server gets it, and its client loses the connection.
    LoseAnswer = 1,
    /// The server does not get it, and both lose the connection.
    LoseCommit = 2,
    /// The same, once the test says so.
    LoseCommitLater = 3,
    /// Its client loses the connection, and the server gets it once the test says so.
    ArriveLate = 4,
    /// As `LoseCommit`, and the same happens to all that follow.
    LoseAll = 5,
    /// As `LoseAnswer`, and from then on the proxy is `Closed`.
    CutOff = 6,
    /// Nothing passes, and no connection is made.
    Closed = 7,
}

/// A proxy before the server.
pub(super) struct Proxy {
    pub(super) port: u16,
    fate: Arc<AtomicU8>,
    later: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub(super) async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fate = Arc::new(AtomicU8::new(Fate::Pass as u8));
        let mut tasks = JoinSet::new();
        let later = Arc::new(Notify::new());
        let (next, losing) = (Arc::clone(&fate), Arc::clone(&later));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if next.load(Ordering::SeqCst) == Fate::Closed as u8 {
                    continue;
                }
                let server = TcpStream::connect(&server).await.unwrap();
                let (next, losing) = (Arc::clone(&next), Arc::clone(&losing));
                connections.spawn(forward(client, server, next, losing));
            }
        });
        Self {
            port,
            fate,
            later,
            _tasks: tasks,
        }
    }

    pub(super) fn next_commit(&self, fate: Fate) {
        self.fate.store(fate as u8, Ordering::SeqCst);
    }

    /// Whether the commit that was waited for has come.
    pub(super) fn is_done(&self) -> bool {
        let fate = self.fate.load(Ordering::SeqCst);
        fate == Fate::Pass as u8 || fate == Fate::Closed as u8
    }

    /// Waits until it has come.
    pub(super) async fn done(&self) {
        while !self.is_done() {
            tokio::task::yield_now().await;
        }
    }

    /// Loses the commit that is lost later, or passes the one that arrives late.
    pub(super) fn go_on(&self) {
        self.later.notify_one();
    }
}

async fn forward(client: TcpStream, server: TcpStream, fate: Arc<AtomicU8>, later: Arc<Notify>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    };
    let requests = async {
        let mut buffer = vec![0; 1 << 16];
        let mut commits = CommitsOnTheWire::default();
        loop {
            let read = from_client.read(&mut buffer).await.unwrap_or(0);
            if read == 0 {
                return None;
            }
            let request = &buffer[..read];
            if fate.load(Ordering::SeqCst) == Fate::Closed as u8 {
                return None;
            }
            let pass = Fate::Pass as u8;
            match commits
                .are_in(request)
                .then(|| fate.swap(pass, Ordering::SeqCst))
            {
                Some(lose) if lose == Fate::LoseCommit as u8 => return None,
                Some(lose) if lose == Fate::LoseAll as u8 => {
                    fate.store(lose, Ordering::SeqCst);
                    return None;
                }
                Some(fate) if fate == Fate::LoseCommitLater as u8 => {
                    later.notified().await;
                    return None;
                }
                Some(fate) if fate == Fate::ArriveLate as u8 => return Some(request.to_vec()),
                Some(lose) if lose == Fate::LoseAnswer as u8 || lose == Fate::CutOff as u8 => {
                    if lose == Fate::CutOff as u8 {
                        fate.store(Fate::Closed as u8, Ordering::SeqCst);
                    }
                    to_server.write_all(request).await.unwrap();
                    return Some(Vec::new());
                }
                _ => {
                    if to_server.write_all(request).await.is_err() {
                        return None;
                    }
                }
            }
        }
    };
    let late = tokio::select! {
        // Before an answer to a lost commit could pass.
        biased;
        late = requests => late,
        _ = answers => None,
    };
    drop(from_client);
    if let Some(late) = late {
        if !late.is_empty() {
            later.notified().await;
            to_server.write_all(&late).await.unwrap();
        }
        // The server does not learn that its client is gone.
        std::future::pending::<()>().await;
    }
}
