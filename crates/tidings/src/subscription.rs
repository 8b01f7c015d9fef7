//! A subscriber for one task: a [`Follower`] that is awaited.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use tidings_event::{Cursor, StreamItem};
use tokio::sync::futures::OwnedNotified;

use crate::follower::{Follower, ReadDone, Step, StoreRead};
use crate::frame::StreamFrame;
use crate::hub::FollowerWaker;
use crate::store::StoreError;
use crate::sync::Notify;

/// Follows what one owner sees.
///
/// It begins with `ready` (or `reset`, if the start cannot be used), continues with the changes after the
/// start and `live` with the counts, and then waits for new changes. A subscription that falls so far
/// behind that it reads the store again sends `ready` once more, and `live` when it knows the counts
/// again. Dropping it ends it.
///
/// It is also a [`Stream`] of the items that [`Self::next`] returns. Both lose nothing when a read of the
/// store fails: the next call tries again.
#[derive(Debug)]
pub struct Subscription {
    follower: Follower,
    waker: Arc<Notify>,
    /// While the subscription waits: the next wake-up.
    woken: Option<Pin<Box<OwnedNotified>>>,
    /// The cursor of the item that was returned last, whatever is pending.
    handed_over: Cursor,
    /// A read of the store that has begun. It continues where it was when the subscriber stops waiting
    /// for a while, or one that keeps doing so would never get on.
    reading: Option<PendingRead>,
    /// Frames that were read and not yet asked for.
    pending: VecDeque<StreamFrame>,
    /// The cursor after the pending frames, until all of them are handed out.
    taken: Option<Cursor>,
}

struct PendingRead(Pin<Box<dyn Future<Output = ReadDone> + Send>>);

impl fmt::Debug for PendingRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

impl PendingRead {
    fn begin(read: StoreRead) -> Self {
        Self(Box::pin(read.run()))
    }
}

impl Subscription {
    /// Returns frames that the follower was not moved past again, but no notices.
    pub(crate) fn of(mut follower: Follower) -> Self {
        let waker = Arc::new(Notify::new());
        follower.wake(&(Arc::clone(&waker) as Arc<dyn FollowerWaker>), 0);
        follower.forget_read();
        Self {
            handed_over: follower.cursor(),
            follower,
            waker,
            woken: None,
            reading: None,
            pending: VecDeque::new(),
            taken: None,
        }
    }

    /// Waits for the next item. `None` when the engine is closed; a subscriber that was behind resumes with its
    /// cursor at the next start.
    ///
    /// Cancel-safe: dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot be read. The next call tries again where this one failed.
    pub async fn next(&mut self) -> Result<Option<StreamItem>, StoreError> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<StreamItem>, StoreError>> {
        while ready!(self.poll_fill(cx))? {
            while let Some(frame) = self.pending.pop_front() {
                self.note_position();
                self.follower.source().count_delivered(1, 0);
                self.handed_over = frame.cursor();
                if let Some(item) = frame.item() {
                    return Poll::Ready(Ok(Some(item)));
                }
            }
        }
        Poll::Ready(Ok(None))
    }

    /// As [`Self::next`], with all that is pending as frames.
    pub(crate) async fn next_frames(&mut self) -> Result<Option<Vec<StreamFrame>>, StoreError> {
        if !poll_fn(|cx| self.poll_fill(cx)).await? {
            return Ok(None);
        }
        // Taken whole, so that a waiting subscriber keeps no room for frames.
        let frames = Vec::from(std::mem::take(&mut self.pending));
        self.note_position();
        if let Some(last) = frames.last() {
            self.handed_over = last.cursor();
        }
        let bytes: usize = frames.iter().map(|frame| frame.data_bytes()).sum();
        self.follower
            .source()
            .count_delivered(frames.len() as u64, bytes as u64);
        Ok(Some(frames))
    }

    /// The cursor of the item that was returned last.
    pub const fn cursor(&self) -> Cursor {
        self.handed_over
    }

    /// Moves the follower once all frames of its last changes are handed out. Until then the subscriber lags.
    fn note_position(&mut self) {
        if self.pending.is_empty()
            && let Some(end) = self.taken.take()
        {
            self.follower.moved_to(end);
        }
    }

    /// Waits until something is pending; `false` when nothing will be.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, StoreError>> {
        while self.pending.is_empty() {
            if let Some(PendingRead(read)) = &mut self.reading {
                let done = ready!(read.as_mut().poll(cx));
                self.reading = None;
                match self.follower.take_read(done) {
                    // The hub was closed, and perhaps the store after it.
                    Err(StoreError::Closed) => return Poll::Ready(Ok(false)),
                    taken => taken?,
                }
            }
            match self.follower.step() {
                Step::Notice(frame) => self.pending.push_back(frame),
                Step::Frames(changes) => {
                    self.pending = changes.frames.into();
                    self.taken = Some(changes.end);
                    self.note_position();
                }
                Step::Read(read) => self.reading = Some(PendingRead::begin(read)),
                Step::Closed => return Poll::Ready(Ok(false)),
                Step::Wait => {
                    let waker = &self.waker;
                    let woken = self
                        .woken
                        .get_or_insert_with(|| Box::pin(Arc::clone(waker).notified_owned()));
                    ready!(woken.as_mut().poll(cx));
                    self.woken = None;
                }
            }
        }
        Poll::Ready(Ok(true))
    }
}

impl Stream for Subscription {
    type Item = Result<StreamItem, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx).map(Result::transpose)
    }
}
