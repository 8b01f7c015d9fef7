//! The work queue of one shard.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use tidings::wire::FollowerWaker;
use tokio::sync::Notify;

use super::Adopted;

/// Names entries that have something to do, from any thread. The shard empties it.
///
/// It is bounded by the entries: a feed names an entry once until the entry has looked, and a socket once
/// until the shard has asked it again.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    waiting: Mutex<MailboxContent>,
    /// Rung when the first thing arrives.
    bell: Notify,
    /// The streams of the shard, and those on their way to it.
    streams: AtomicUsize,
}

#[derive(Debug, Default)]
pub(super) struct MailboxContent {
    pub(super) calls: Vec<Call>,
    pub(super) adopted: Vec<Adopted>,
    /// No stream comes any more.
    pub(super) closed: bool,
}

/// An entry with work, and the source of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// The feed of this entry has something new.
    Feed(u32),
    /// The socket of this entry can be read or written.
    Socket(u32),
}

impl Mailbox {
    /// Waits for something to do.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    pub(super) fn call(&self, call: Call) {
        let mut waiting = self.waiting();
        waiting.calls.push(call);
        self.ring(waiting);
    }

    /// Gives a stream to the shard, or returns it if the shard takes none.
    pub(super) fn adopt(&self, stream: Adopted) -> Option<Adopted> {
        let mut waiting = self.waiting();
        if waiting.closed {
            return Some(stream);
        }
        self.streams.fetch_add(1, Ordering::Relaxed);
        waiting.adopted.push(stream);
        self.ring(waiting);
        None
    }

    pub(super) fn close(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        self.ring(waiting);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.waiting().closed
    }

    /// The shard has ended: closes its mailbox, and ends the streams on their way to it.
    pub(super) fn abandon(&self) {
        let ended = {
            let mut waiting = self.waiting();
            waiting.closed = true;
            waiting.calls.clear();
            std::mem::take(&mut waiting.adopted)
        };
        self.streams.store(0, Ordering::Relaxed);
        drop(ended);
    }

    /// Moves what waits into `taken`, which is empty and lends its room.
    pub(super) fn take(&self, taken: &mut MailboxContent) {
        let mut waiting = self.waiting();
        taken.closed = waiting.closed;
        std::mem::swap(&mut waiting.calls, &mut taken.calls);
        std::mem::swap(&mut waiting.adopted, &mut taken.adopted);
    }

    /// Counts a stream that has ended.
    pub(super) fn ended(&self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn len(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    /// Rings if this is the first thing: the shard takes all at once.
    fn ring(&self, waiting: MutexGuard<'_, MailboxContent>) {
        let is_first = waiting.calls.len() + waiting.adopted.len() <= 1 || waiting.closed;
        drop(waiting);
        if is_first {
            self.bell.notify_one();
        }
    }

    /// A panic cannot leave the lists half changed.
    fn waiting(&self) -> MutexGuard<'_, MailboxContent> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FollowerWaker for Mailbox {
    fn wake(&self, token: usize) {
        // An entry's number is far below this.
        if let Ok(entry) = u32::try_from(token) {
            self.call(Call::Feed(entry));
        }
    }
}

/// Wakes a shard for a socket of one entry.
#[derive(Debug)]
pub(super) struct SocketWaker {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) entry: u32,
}

impl Wake for SocketWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.mailbox.call(Call::Socket(self.entry));
    }
}
