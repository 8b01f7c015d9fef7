//! One stream of a shard.

mod sending;

use std::io::ErrorKind;
use std::net::IpAddr;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tidings::StoreError;
use tidings::wire::{Follower, ReadDone, Step, StoreRead};
use tidings_event::StreamItem;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::rendering::{RenderingKey, Renderings};
use super::wheel::Tick;
use super::{Adopted, Freed};
use crate::admission::Occupancy;
use crate::event_stream::{self, KEEPALIVE, sse};
use crate::identity::{Ending, Validity};
use crate::limits::StreamSlot;
use crate::stream_reads::StreamReads;

use sending::Written;

/// How many steps a stream that always has more takes before others are served.
const ROUNDS: usize = 4;

/// The bytes that a client can send of its next request while the stream continues. After them the server
/// reads nothing more, and notices only by its writes that the client has gone.
const READ_BEFORE_BYTES: usize = 8 * 1024;

/// The bytes that are read from a socket at a time.
const READ_BYTES: usize = 1024;

/// The time after which the credential of a client that takes nothing is looked at again.
const RECHECK: Duration = Duration::from_secs(1);

/// The state that the entries of a shard share while it serves them.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) now: Instant,
    /// The wall clock at the same time.
    pub(super) clock: Timestamp,
    pub(super) keepalive: Duration,
    pub(super) write_timeout: Duration,
    pub(super) renderings: Renderings,
    /// Frames that were delivered since they were last counted, and the bytes of their JSON.
    pub(super) delivered: (u64, u64),
}

/// The result of serving an entry.
#[derive(Debug)]
pub(super) enum Served {
    /// It waits.
    Waits,
    /// It has more to send, after others.
    HasMore,
    /// It needs the store.
    Reads(StoreRead),
    /// Its client has gone, or must go.
    Gone,
    /// Its client took nothing for too long.
    Stalled,
    /// All is sent.
    Finished,
}

/// A stream.
#[derive(Debug)]
pub(super) struct Entry {
    socket: TcpStream,
    /// Wakes the shard for the socket.
    waker: Waker,
    follower: Follower,
    validity: Option<Validity>,
    chunked: bool,
    keep_alive: bool,
    /// The rest of a frame that was begun and must be completed.
    unsent: Bytes,
    /// Nothing follows `unsent`, which the client must have taken by this moment.
    ends_by: Option<Instant>,
    /// Since when the socket takes nothing.
    blocked: Option<Instant>,
    last_sent: Instant,
    /// When the validity is looked at.
    check: Option<Instant>,
    /// When the stream ends because the server does.
    farewell: Option<Instant>,
    /// The tick at which the wheel names this entry.
    pub(super) armed: Tick,
    /// Tells this stream from others that had its number.
    pub(super) serial: u64,
    peer: IpAddr,
    read_before: Vec<u8>,
    occupancy: Occupancy,
    _slot: StreamSlot,
}

impl Entry {
    pub(super) fn new(adopted: Adopted, waker: Waker, serial: u64, now: Instant) -> Self {
        let Adopted {
            mut connection,
            chunked,
            stream,
        } = adopted;
        let mut read_before = Vec::from(connection.read_before);
        // An earlier stream of this connection leaves fewer than that.
        if read_before.len() >= READ_BEFORE_BYTES + READ_BYTES {
            // The library can have read more of it. Without these bytes there is no next request.
            connection.keep_alive = false;
            read_before = Vec::new();
        }
        let validity = stream.credential.map(Validity::of);
        Self {
            socket: connection.socket,
            waker,
            follower: stream.follower,
            check: validity.as_ref().map(|_| now),
            validity,
            chunked,
            keep_alive: connection.keep_alive,
            unsent: Bytes::new(),
            ends_by: None,
            blocked: None,
            last_sent: now,
            farewell: None,
            armed: Tick::NEVER,
            serial,
            peer: connection.peer,
            read_before,
            occupancy: connection.occupancy,
            _slot: stream.slot,
        }
    }

    pub(super) const fn follower(&self) -> &Follower {
        &self.follower
    }

    pub(super) const fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Ends the stream at this moment, or as soon as its client has taken what was begun.
    pub(super) const fn end_at(&mut self, farewell: Instant) {
        self.farewell = Some(farewell);
    }

    /// Looks at the validity with the next step.
    pub(super) fn check_now(&mut self, now: Instant) {
        if self.ends_by.is_none() {
            self.check = self.validity.as_ref().map(|_| now);
        }
    }

    /// The connection after its stream.
    pub(super) fn into_connection(self) -> Freed {
        Freed {
            socket: self.socket,
            peer: self.peer,
            occupancy: self.occupancy,
            read_before: self.read_before.into(),
            keep_alive: self.keep_alive,
        }
    }

    /// When this entry has something to do although nothing happens.
    pub(super) fn due(&self, turn: &Pass) -> Instant {
        let due = match self.blocked {
            Some(since) => since + turn.write_timeout,
            None => {
                let keepalive = self.last_sent + turn.keepalive;
                self.farewell.map_or(keepalive, |at| at.min(keepalive))
            }
        };
        let due = self.ends_by.map_or(due, |end| end.min(due));
        self.check.map_or(due, |check| check.min(due))
    }

    /// Takes what was read from the store for it.
    pub(super) fn take_read(&mut self, done: ReadDone, now: Instant, reads: &StreamReads) {
        if self.ends_by.is_some() {
            return;
        }
        match self.follower.take_read(done) {
            Ok(()) => reads.note_success(),
            Err(StoreError::Closed) => self.finish(&event_stream::farewell(), now),
            Err(error) => {
                reads.note_failure(&error);
                self.finish(&event_stream::farewell(), now);
            }
        }
    }

    /// Serves the entry. `is_socket` says that the socket may have changed.
    pub(super) fn advance(&mut self, turn: &mut Pass, is_socket: bool) -> Served {
        if is_socket {
            if self.has_gone() {
                return Served::Gone;
            }
            self.unblock(turn.now);
        }
        if self.ends_by.is_some_and(|end| end <= turn.now) {
            return Served::Gone;
        }
        if let Some(since) = self.blocked {
            return self.stay_blocked(since, turn);
        }
        for _ in 0..ROUNDS {
            match self.flush(turn.now) {
                Written::All => {}
                Written::Part | Written::Nothing => return Served::Waits,
                Written::Broken => return Served::Gone,
            }
            if self.ends_by.is_some() {
                return Served::Finished;
            }
            if self.say_what_is_due(turn) {
                continue;
            }
            if let Some(outcome) = self.follow(turn) {
                return outcome;
            }
        }
        Served::HasMore
    }

    /// Whether the client has closed its side. What it sends before is kept for its next request.
    fn has_gone(&mut self) -> bool {
        let mut scratch = [0; READ_BYTES];
        while self.read_before.len() < READ_BEFORE_BYTES {
            let mut context = Context::from_waker(&self.waker);
            match self.socket.poll_read_ready(&mut context) {
                Poll::Pending => return false,
                Poll::Ready(Err(_)) => return true,
                Poll::Ready(Ok(())) => match self.socket.try_read(&mut scratch) {
                    Ok(0) => return true,
                    Ok(bytes) => self.read_before.extend_from_slice(&scratch[..bytes]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return true,
                },
            }
        }
        false
    }

    /// The client takes nothing.
    fn stay_blocked(&mut self, since: Instant, turn: &Pass) -> Served {
        if since + turn.write_timeout <= turn.now {
            return Served::Stalled;
        }
        if let Some(validity) = &self.validity
            && self.check.is_some_and(|check| check <= turn.now)
        {
            if validity.has_ended() {
                // After the frame that was begun.
                self.finish(&event_stream::expired(self.follower.cursor()), turn.now);
            } else {
                self.check = Some(turn.now + RECHECK);
            }
        }
        Served::Waits
    }

    /// Puts frames that do not come from the feeds into `unsent`. Returns whether there were any.
    fn say_what_is_due(&mut self, turn: &Pass) -> bool {
        if self.farewell.is_some_and(|at| at <= turn.now) {
            self.finish(&event_stream::farewell(), turn.now);
            return true;
        }
        if let Some(validity) = &mut self.validity
            && self.check.is_some_and(|check| check <= turn.now)
        {
            let cursor = self.follower.cursor();
            match validity.look() {
                Ok(time) => self.check = Some(turn.now + time),
                // The next look follows at once.
                Err(Ending::Soon(at)) => {
                    self.say(&sse::item(&StreamItem::Expiring { cursor, at }));
                    return true;
                }
                Err(Ending::Now) => {
                    self.finish(&event_stream::expired(cursor), turn.now);
                    return true;
                }
            }
        }
        false
    }

    /// Sends the changes of the feeds. `None` if there can be more.
    fn follow(&mut self, turn: &mut Pass) -> Option<Served> {
        // A client that reconnects with a valid credential gets the unsent frames.
        let validity = self.validity.as_ref();
        let is_over = validity.is_some_and(|validity| validity.is_over(turn.clock));
        let chunked = self.chunked;
        let key = self.follower.is_live().then(|| RenderingKey {
            owner: self.follower.owner(),
            cursor: self.follower.cursor(),
            chunked,
        });
        if key.is_some_and(|key| turn.renderings.find(key)) {
            if is_over {
                self.finish(&event_stream::expired(self.follower.cursor()), turn.now);
                return None;
            }
        } else {
            match self.follower.step() {
                Step::Notice(frame) => {
                    self.say(&sse::frames(&[frame]));
                    return None;
                }
                Step::Frames(_) if is_over => {
                    self.finish(&event_stream::expired(self.follower.cursor()), turn.now);
                    return None;
                }
                Step::Frames(changes) => {
                    turn.renderings.render(key, chunked, &changes);
                }
                Step::Read(read) => return Some(Served::Reads(read)),
                Step::Closed => {
                    self.finish(&event_stream::farewell(), turn.now);
                    return None;
                }
                Step::Wait => {
                    if self.last_sent + turn.keepalive > turn.now {
                        return Some(Served::Waits);
                    }
                    self.say(KEEPALIVE);
                    return None;
                }
            }
        }
        match self.send(turn) {
            Written::All | Written::Part => None,
            Written::Nothing => Some(Served::Waits),
            Written::Broken => Some(Served::Gone),
        }
    }
}
