//! A part of the streams, served by one task.

mod reads;

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use slab::Slab;
use tidings::wire::{FollowerWaker, ReadDone, StoreRead};
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep_until};

use super::entry::{Entry, Pass, Served};
use super::mailbox::{Call, Mailbox, MailboxContent, SocketWaker};
use super::rendering::Renderings;
use super::wheel::Wheel;
use super::{Adopted, Resume};
use crate::identity::Identity;
use crate::listener::log_panic;
use crate::state::AppState;
use reads::{PendingRead, ReadTarget};

/// How many entries are served before other tasks of the thread have a turn: less than 200 µs.
const AT_ONCE: usize = 32;

/// A part of the streams.
pub(super) struct Shard {
    mailbox: Arc<Mailbox>,
    state: Arc<AppState>,
    resume: Resume,
    entries: Slab<Box<Entry>>,
    /// The serial of the next entry.
    next_serial: u64,
    wheel: Wheel,
    turn: Pass,
    /// Entries that were served in this turn.
    served: usize,
    reads: FuturesUnordered<PendingRead>,
    waiting_reads: VecDeque<(ReadTarget, StoreRead)>,
    /// Connections that serve their next requests.
    resumed: JoinSet<()>,
    is_draining: bool,
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shard")
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

/// The event that a shard reacts to.
enum Signal {
    Called,
    Due,
    Read(ReadTarget, Option<ReadDone>),
    CredentialsChanged,
    DrainBegun,
    Resumed,
}

impl Shard {
    pub(super) fn new(mailbox: Arc<Mailbox>, state: Arc<AppState>, resume: Resume) -> Self {
        let now = Instant::now();
        Self {
            turn: Pass {
                now,
                clock: Timestamp::now(),
                keepalive: state.keepalive,
                write_timeout: state.write_timeout,
                renderings: Renderings::default(),
                delivered: (0, 0),
            },
            mailbox,
            state,
            resume,
            entries: Slab::new(),
            next_serial: 0,
            wheel: Wheel::new(now),
            served: 0,
            reads: FuturesUnordered::new(),
            waiting_reads: VecDeque::new(),
            resumed: JoinSet::new(),
            is_draining: false,
        }
    }

    /// Serves until no stream is left and the mailbox is closed.
    pub(super) async fn run(mut self) {
        let mut changed = match &self.state.authenticator.identity {
            Identity::Tokens(tokens) => Some(tokens.changed()),
            Identity::Local => None,
        };
        let mut waiting = MailboxContent::default();
        let mut due = Vec::new();
        loop {
            let event = self.next_event(&mut changed).await;
            self.refresh();
            match event {
                Signal::Called => {
                    self.mailbox.take(&mut waiting);
                    for adopted in waiting.adopted.drain(..) {
                        self.adopt(adopted);
                        self.breathe().await;
                    }
                    for call in waiting.calls.drain(..) {
                        match call {
                            Call::Feed(entry) => self.serve(entry, false),
                            Call::Socket(entry) => self.serve(entry, true),
                        }
                        self.breathe().await;
                    }
                }
                Signal::Due => {
                    self.wheel.take_due(self.turn.now, &mut due);
                    for entry in due.drain(..) {
                        self.serve_due(entry);
                        self.breathe().await;
                    }
                }
                Signal::Read(target, done) => self.take_read(target, done),
                Signal::CredentialsChanged => self.check_all().await,
                Signal::DrainBegun => self.begin_drain().await,
                Signal::Resumed => {}
            }
            self.rest();
            if waiting.closed && self.entries.is_empty() && self.resumed.is_empty() {
                break;
            }
        }
    }

    async fn next_event(&mut self, changed: &mut Option<[watch::Receiver<u64>; 3]>) -> Signal {
        let due = self.wheel.next_due();
        let is_due = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // The end comes first, since busy feeds would delay it forever.
            biased;
            () = self.state.drain.begun(), if !self.is_draining => Signal::DrainBegun,
            () = credentials_change(changed) => Signal::CredentialsChanged,
            () = is_due => Signal::Due,
            Some((target, done)) = self.reads.next(), if !self.reads.is_empty() => {
                Signal::Read(target, done)
            }
            Some(ended) = self.resumed.join_next(), if !self.resumed.is_empty() => {
                log_panic(ended);
                Signal::Resumed
            }
            () = self.mailbox.rung() => Signal::Called,
        }
    }

    /// Lets other tasks of the thread have a turn now and then.
    async fn breathe(&mut self) {
        self.served += 1;
        if self.served.is_multiple_of(AT_ONCE) {
            yield_now().await;
            self.refresh();
        }
    }

    fn refresh(&mut self) {
        self.turn.now = Instant::now();
        self.turn.clock = Timestamp::now();
    }

    /// Completes a turn: counts the deliveries of all served entries.
    fn rest(&mut self) {
        let (frames, bytes) = std::mem::take(&mut self.turn.delivered);
        if frames > 0 {
            self.state.wire.count_delivered(frames, bytes);
        }
        self.turn.renderings.rest();
    }

    fn adopt(&mut self, adopted: Adopted) {
        let farewell = self.is_draining.then(|| self.farewell());
        let place = self.entries.vacant_entry();
        let Ok(number) = u32::try_from(place.key()) else {
            self.mailbox.ended();
            return;
        };
        let mailbox = Arc::clone(&self.mailbox);
        let waker = Waker::from(Arc::new(SocketWaker {
            mailbox,
            entry: number,
        }));
        self.next_serial += 1;
        let mut entry = Entry::new(adopted, waker, self.next_serial, self.turn.now);
        if let Some(farewell) = farewell {
            entry.end_at(farewell);
        }
        let waker: Arc<dyn FollowerWaker> = Arc::clone(&self.mailbox) as _;
        entry.follower().wake(&waker, place.key());
        place.insert(Box::new(entry));
        // Changes that arrived before the waker was set wake nobody.
        self.serve(number, true);
    }

    /// A random moment within the drain's spread.
    fn farewell(&self) -> Instant {
        self.turn.now + self.state.drain_spread.mul_f64(fastrand::f64())
    }

    fn serve(&mut self, number: u32, is_socket: bool) {
        self.serve_by(number, |entry, turn| entry.advance(turn, is_socket));
    }

    /// A panic ends this stream only.
    fn serve_by(&mut self, number: u32, advance: impl FnOnce(&mut Entry, &mut Pass) -> Served) {
        let Some(entry) = self.entries.get_mut(number as usize) else {
            // It has ended since it was called.
            return;
        };
        let turn = &mut self.turn;
        let outcome = catch_unwind(AssertUnwindSafe(|| advance(entry, turn)));
        match outcome {
            Ok(Served::Waits) => {}
            Ok(Served::HasMore) => self.mailbox.call(Call::Feed(number)),
            Ok(Served::Reads(read)) => {
                let serial = entry.serial;
                let target = ReadTarget {
                    entry: number,
                    serial,
                };
                self.waiting_reads.push_back((target, read));
                self.begin_reads();
            }
            Ok(Served::Gone) => return self.end(number),
            Ok(Served::Stalled) => {
                tracing::debug!(peer = %entry.peer(), "a client took nothing for too long");
                self.state.metrics.count_stalled();
                return self.end(number);
            }
            Ok(Served::Finished) => return self.finish(number),
            Err(_) => {
                // The panic hook has told where.
                tracing::error!(peer = %entry.peer(), "the stream of a client panicked");
                return self.end(number);
            }
        }
        self.arm(number);
    }

    /// Puts an entry into the wheel, unless it is in a slot that comes early enough.
    fn arm(&mut self, number: u32) {
        if let Some(entry) = self.entries.get_mut(number as usize) {
            let due = entry.due(&self.turn);
            self.wheel.arm(number, &mut entry.armed, due);
        }
    }

    /// Serves an entry whose slot has come.
    fn serve_due(&mut self, number: u32) {
        if let Some(entry) = self.entries.get_mut(number as usize)
            && self.wheel.disarm(&mut entry.armed)
        {
            self.serve(number, false);
        }
    }

    /// Looks at all credentials: some were revoked, keys were replaced or the clock jumped.
    async fn check_all(&mut self) {
        for number in self.numbers() {
            if let Some(entry) = self.entries.get_mut(number as usize) {
                entry.check_now(self.turn.now);
                self.serve(number, false);
                self.breathe().await;
            }
        }
    }

    /// Gives each stream a moment at which it ends.
    async fn begin_drain(&mut self) {
        self.is_draining = true;
        for number in self.numbers() {
            let farewell = self.farewell();
            if let Some(entry) = self.entries.get_mut(number as usize) {
                entry.end_at(farewell);
                self.arm(number);
                self.breathe().await;
            }
        }
    }

    fn numbers(&self) -> Vec<u32> {
        let numbers = self.entries.iter().map(|(number, _)| number);
        numbers
            .filter_map(|number| u32::try_from(number).ok())
            .collect()
    }

    /// Ends a stream whose client has got all of it.
    fn finish(&mut self, number: u32) {
        let Some(entry) = self.entries.try_remove(number as usize) else {
            return;
        };
        self.mailbox.ended();
        let mut connection = entry.into_connection();
        connection.keep_alive &= !self.is_draining;
        self.resumed.spawn((self.resume)(connection));
    }

    /// Ends a stream at once.
    fn end(&mut self, number: u32) {
        if self.entries.try_remove(number as usize).is_some() {
            self.mailbox.ended();
        }
    }
}

/// Waits until credentials must be checked again.
async fn credentials_change(changed: &mut Option<[watch::Receiver<u64>; 3]>) {
    let Some([revoked, exchanged, jumped]) = changed else {
        return std::future::pending().await;
    };
    // The state holds the senders, so `changed` never fails.
    tokio::select! {
        _ = revoked.changed() => {}
        _ = exchanged.changed() => {}
        _ = jumped.changed() => {}
    }
}
