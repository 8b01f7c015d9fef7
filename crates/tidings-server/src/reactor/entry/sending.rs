//! The bytes of a stream on their way to its socket.

use std::io::ErrorKind;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::{Entry, Pass};
use crate::reactor::rendering::{put_end, put_part};

/// The time in which a client must take the last bytes of an ended stream.
const LAST_BYTES_TIME: Duration = Duration::from_secs(5);

/// Whether a write can continue.
pub(super) enum Written {
    All,
    Part,
    Nothing,
    Broken,
}

impl Entry {
    /// Writes what was begun.
    pub(super) fn flush(&mut self, now: Instant) -> Written {
        while !self.unsent.is_empty() {
            match write(&self.socket, &self.waker, &self.unsent) {
                Ok(Some(bytes)) => {
                    self.unsent.advance(bytes);
                    self.last_sent = now;
                }
                Ok(None) => {
                    self.blocked = Some(now);
                    return Written::Nothing;
                }
                Err(()) => return Written::Broken,
            }
        }
        // An empty slice would keep the room of the whole.
        self.unsent = Bytes::new();
        Written::All
    }

    /// Continues if the client has made room in the socket. The next step need not be a write: it can be a
    /// read of the store, after which the socket tells nothing.
    pub(super) fn unblock(&mut self, now: Instant) {
        let mut context = Context::from_waker(&self.waker);
        if self.blocked.is_some() && self.socket.poll_write_ready(&mut context).is_ready() {
            self.blocked = None;
            // It was not looked at as usual meanwhile.
            self.check_now(now);
        }
    }

    /// Sends the latest rendering. What the socket does not take is found again by a later step, except the
    /// rest of a frame.
    pub(super) fn send(&mut self, turn: &mut Pass) -> Written {
        let Some(rendering) = turn.renderings.latest() else {
            return Written::All;
        };
        let bytes = rendering.bytes();
        let written = if bytes.is_empty() {
            0
        } else {
            match write(&self.socket, &self.waker, bytes) {
                Ok(Some(written)) => written,
                Ok(None) => {
                    self.blocked = Some(turn.now);
                    return Written::Nothing;
                }
                Err(()) => return Written::Broken,
            }
        };
        let progress = rendering.progress(written);
        self.unsent = Bytes::copy_from_slice(progress.rest);
        if let Some(cursor) = progress.cursor {
            self.follower.moved_to(cursor);
        }
        turn.delivered.0 += progress.frames as u64;
        turn.delivered.1 += progress.json_bytes as u64;
        if written == bytes.len() {
            if written > 0 {
                self.last_sent = turn.now;
            }
            Written::All
        } else {
            self.last_sent = turn.now;
            Written::Part
        }
    }

    /// Sends this next.
    pub(super) fn say(&mut self, part: &[u8]) {
        let mut bytes = self.begin_unsent(part.len());
        put_part(part, self.chunked, &mut bytes);
        self.unsent = bytes.into();
    }

    /// Sends this last, after what was begun.
    pub(super) fn finish(&mut self, part: &[u8], now: Instant) {
        let mut bytes = self.begin_unsent(part.len());
        put_part(part, self.chunked, &mut bytes);
        put_end(self.chunked, &mut bytes);
        self.unsent = bytes.into();
        self.ends_by = Some(now + LAST_BYTES_TIME);
        // It is served nothing more, whether its credential is valid or not.
        self.check = None;
    }

    /// A new buffer that begins with the unsent bytes.
    fn begin_unsent(&self, more: usize) -> Vec<u8> {
        const CHUNK_BYTES: usize = 24;
        let mut bytes = Vec::with_capacity(self.unsent.len() + more + CHUNK_BYTES);
        bytes.extend_from_slice(&self.unsent);
        bytes
    }
}

/// Writes to a socket. `None` if it takes nothing: then the waker is called when it does again.
fn write(socket: &TcpStream, waker: &Waker, bytes: &[u8]) -> Result<Option<usize>, ()> {
    loop {
        match socket.try_write(bytes) {
            Ok(0) => return Err(()),
            Ok(written) => return Ok(Some(written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Err(()),
        }
        let mut context = Context::from_waker(waker);
        match socket.poll_write_ready(&mut context) {
            Poll::Pending => return Ok(None),
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Err(()),
        }
    }
}
