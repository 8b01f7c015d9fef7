//! Serves the streams of plain HTTP/1.1 connections without a task for each.
//!
//! A stream here is an entry of some hundred bytes: its socket, its position, and when something is due.
//! A few shards, one for each thread of the runtime, share the entries. A shard is one task: feeds, sockets
//! and a timer wheel name the entries that have something to do, and the shard serves one after the other
//! without waiting for any. Streams over TLS and HTTP/2, and those of a mounted router, are tasks
//! ([`event_stream`](crate::event_stream)).

mod entry;
mod mailbox;
mod rendering;
mod shard;
mod wheel;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::admission::Occupancy;
use crate::event_stream::LiveStream;
use crate::listener::log_panic;
use crate::state::AppState;
use crate::vitals::Part;

use mailbox::Mailbox;
use shard::Shard;

/// A stream that a connection gives to the reactor, after the head and the first frames are written.
#[derive(Debug)]
pub(crate) struct Adopted {
    pub(crate) connection: Freed,
    /// Whether the body of the response is in chunks.
    pub(crate) chunked: bool,
    pub(crate) stream: LiveStream,
}

/// A connection without a stream.
#[derive(Debug)]
pub(crate) struct Freed {
    pub(crate) socket: TcpStream,
    pub(crate) peer: IpAddr,
    pub(crate) occupancy: Occupancy,
    /// The bytes that the client has already sent of its next request.
    pub(crate) read_before: Bytes,
    /// Whether there can be a next request.
    pub(crate) keep_alive: bool,
}

/// Serves the next requests of a connection whose stream has ended, or closes it.
pub(crate) type Resume =
    Arc<dyn Fn(Freed) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The way into the shards. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Reactor {
    mailboxes: Arc<[Arc<Mailbox>]>,
    next: Arc<AtomicUsize>,
}

impl Reactor {
    /// A shard for each thread of the current Tokio runtime.
    pub(crate) fn new() -> Self {
        let shards = Handle::current().metrics().num_workers().max(1);
        Self {
            mailboxes: (0..shards).map(|_| Arc::default()).collect(),
            next: Arc::default(),
        }
    }

    /// Gives a stream to the shards, in turn. If all have ended, the stream ends: its client reconnects.
    pub(crate) fn adopt(&self, stream: Adopted) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.mailboxes.len();
        let (before, from) = self.mailboxes.split_at(turn);
        let mut left = Some(stream);
        for mailbox in from.iter().chain(before) {
            left = left.and_then(|stream| mailbox.adopt(stream));
        }
    }

    /// The number of streams.
    pub(crate) fn len(&self) -> usize {
        self.mailboxes.iter().map(|mailbox| mailbox.len()).sum()
    }

    /// Runs the shards. Dropping them ends their streams.
    pub(crate) fn start(&self, state: &Arc<AppState>, resume: &Resume) -> Shards {
        let mut tasks = JoinSet::new();
        for mailbox in self.mailboxes.iter() {
            let shard = Shard::new(Arc::clone(mailbox), Arc::clone(state), Arc::clone(resume));
            let mailbox = Arc::clone(mailbox);
            let closing = Arc::clone(&mailbox);
            let is_over = move || closing.is_closed();
            let run = state
                .vitals
                .watch_until(Part::Streams, is_over, shard.run());
            // A shard yields by itself, and must not take a used-up budget for a socket that is not ready.
            tasks.spawn(tokio::task::unconstrained(async move {
                run.await;
                mailbox.abandon();
            }));
        }
        Shards {
            reactor: self.clone(),
            tasks,
        }
    }
}

/// The running shards.
#[derive(Debug)]
pub(crate) struct Shards {
    reactor: Reactor,
    tasks: JoinSet<()>,
}

impl Shards {
    /// Waits until all streams have ended. No stream comes any more.
    pub(crate) async fn ended(&mut self) {
        for mailbox in self.reactor.mailboxes.iter() {
            mailbox.close();
        }
        while let Some(ended) = self.tasks.join_next().await {
            log_panic(ended);
        }
    }

    /// Ends all streams at once.
    pub(crate) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::body::Body;
    use axum::extract::Request;
    use tidings::{OwnerId, Start, Tidings};
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::admission::Admission;
    use crate::config::Config;
    use crate::connection_limits::ConnectionLimits;
    use crate::identity::Caller;
    use crate::router;

    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    async fn stream(state: &AppState) -> Adopted {
        let listener = TcpListener::bind((LOCAL, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let follower = state.wire.follow(OwnerId::mint(), Start::Now).await;
        let slot = state.open_stream(Caller::LOCAL, &Request::new(Body::empty()));
        let admission = Arc::new(Admission::new(&ConnectionLimits::default(), LOCAL));
        let room = Arc::new(Semaphore::new(1)).try_acquire_owned();
        Adopted {
            connection: Freed {
                socket: TcpStream::connect(address).await.unwrap(),
                peer: LOCAL,
                occupancy: Occupancy::new(
                    admission.admit(LOCAL),
                    room.unwrap(),
                    state.metrics.connection(),
                ),
                read_before: Bytes::new(),
                keep_alive: true,
            },
            chunked: true,
            stream: LiveStream {
                follower: follower.unwrap(),
                slot: slot.unwrap(),
                credential: None,
            },
        }
    }

    #[tokio::test]
    async fn a_shard_that_has_ended_gets_no_streams() {
        let data_dir = tempfile::tempdir().unwrap();
        let engine = Tidings::open(tidings::Config::new(data_dir.path())).await;
        let state = router::state(engine.unwrap(), &Config::default());
        let reactor = Reactor {
            mailboxes: (0..2).map(|_| Arc::default()).collect(),
            next: Arc::default(),
        };
        for _ in 0..4 {
            reactor.adopt(stream(&state).await);
        }
        let lengths = || {
            let mailboxes = reactor.mailboxes.iter();
            mailboxes.map(|mailbox| mailbox.len()).collect::<Vec<_>>()
        };
        assert_eq!(lengths(), [2, 2]);
        reactor.mailboxes[0].abandon();
        for _ in 0..2 {
            reactor.adopt(stream(&state).await);
        }
        assert_eq!(lengths(), [0, 4]);
        reactor.mailboxes[1].abandon();
        reactor.adopt(stream(&state).await);
        assert_eq!(reactor.len(), 0);
    }
}
