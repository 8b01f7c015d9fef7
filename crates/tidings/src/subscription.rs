//! A subscriber: replay from the store, then the windows of its feeds, without gap or repeat.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use tidings_event::{
    Cursor, CursorTag, Deletion, OwnerId, ResetReason, Rev, Start, StatusChange, StreamItem,
};
use tokio::sync::futures::OwnedNotified;

use crate::frame::{Frame, StreamFrame};
use crate::hub::{Hub, Reached, Seat, Taken};
use crate::metrics::Metrics;
use crate::start::{cursor_at, first_item};
use crate::store::{Identity, ReplayItem, ReplayPage, RevRange, Side, Snapshot, Store, StoreError};
use crate::sync::Notify;

/// The bytes of frames that are taken from one feed at a time. With those of the other feed and one
/// event beyond each, this is all the memory that a subscriber needs while it is served; while
/// nothing happens it needs none.
const CHUNK_BYTES: usize = 64 * 1024;

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
    source: Source,
    waker: Arc<Notify>,
    /// While the subscription waits: the next wake-up.
    woken: Option<Pin<Box<OwnedNotified>>>,
    /// The system's feed, then the owner's own; the system itself has only the first.
    feeds: Vec<FollowedFeed>,
    owner: OwnerId,
    phase: Phase,
    /// Where the feeds began when that was last looked at, own and system. If a feed begins later and
    /// the reader is not there yet, deletions may have been forgotten that it has not seen.
    floors: Floors,
    /// How far the feeds were read.
    position: Cursor,
    /// How far its reader has got, whatever is pending.
    handed_over: Cursor,
    /// A read of the store that has begun. It goes on where it was when the subscriber stops waiting
    /// for a while, or one that keeps doing so would never get on.
    reading: Option<Reading>,
    /// What was read and not yet asked for.
    pending: VecDeque<StreamFrame>,
}

struct Reading {
    what: Wanted,
    read: Pin<Box<dyn Future<Output = Result<Read, StoreError>> + Send>>,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// A piece of the feed with this index.
    Page(usize),
    /// What the owner sees now, to catch up with it.
    CatchUp,
    /// What the owner sees now, to start again from there.
    Reset,
}

enum Read {
    Page(ReplayPage),
    Snapshot(Box<Snapshot>),
}

#[derive(Clone, Copy, Debug, Default)]
struct Floors {
    own: Rev,
    system: Rev,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

/// Where a subscription reads, and who counts that.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) identity: Identity,
}

#[derive(Debug)]
struct FollowedFeed {
    side: Side,
    seat: Seat,
}

#[derive(Debug)]
enum Phase {
    /// Reading the store up to what the snapshot saw.
    Replaying(Box<Snapshot>),
    /// Following the windows.
    Live,
    /// The windows do not hold what comes next, so that the counts are lost too.
    Behind,
}

impl Side {
    fn rev(self, cursor: &mut Cursor) -> &mut Rev {
        match self {
            Self::System => &mut cursor.system,
            Self::Own => &mut cursor.own,
        }
    }
}

impl Floors {
    const fn of(snapshot: &Snapshot) -> Self {
        Self {
            own: snapshot.own.floor,
            system: snapshot.system.floor,
        }
    }

    fn of_side(&mut self, side: Side) -> &mut Rev {
        match side {
            Side::System => &mut self.system,
            Side::Own => &mut self.own,
        }
    }
}

impl Subscription {
    /// Settles where the subscription begins: from here on it misses nothing.
    pub(crate) async fn open(
        source: Source,
        owner: OwnerId,
        start: Start,
    ) -> Result<Self, StoreError> {
        let waker = Arc::new(Notify::new());
        let join = |side, feed_owner| FollowedFeed {
            side,
            seat: source.hub.join(feed_owner, owner, Arc::clone(&waker)),
        };
        let system = OwnerId::from(source.identity.system);
        // The seats are taken before the snapshot is read: what is committed after it is delivered
        // to them. The system comes first, so that whatever the own feed says about one of its
        // events comes after that event.
        let mut feeds = vec![join(Side::System, system)];
        if owner != system {
            feeds.push(join(Side::Own, owner));
        }
        let snapshot = source.store.snapshot(owner).await?;

        let tag = CursorTag::derive(source.identity.epoch, owner);
        let first = first_item(start, &snapshot, tag);
        source.metrics.subscribers.inc();
        match &first {
            StreamItem::Reset { reason, .. } => {
                source.metrics.resets.get_or_create(&(*reason).into()).inc();
            }
            item if item.cursor() != cursor_at(&snapshot, tag) => {
                source.metrics.replays.inc();
            }
            _ => {}
        }
        Ok(Self {
            source,
            waker,
            woken: None,
            feeds,
            owner,
            floors: Floors::of(&snapshot),
            phase: Phase::Replaying(Box::new(snapshot)),
            position: first.cursor(),
            handed_over: first.cursor(),
            reading: None,
            pending: VecDeque::from([StreamFrame::new(first.cursor(), Frame::of(&first))]),
        })
    }

    /// Waits for the next item. `None` when the engine is closed; a reader that was behind then
    /// comes back with its cursor.
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
                self.source.metrics.frames_delivered.inc();
                self.handed_over = frame.cursor();
                if let Some(item) = frame.item() {
                    return Poll::Ready(Ok(Some(item)));
                }
            }
        }
        Poll::Ready(Ok(None))
    }

    /// As [`Self::next`], but returns the next items as frames, whose JSON all subscribers of a feed
    /// share: as many as there are, but not much more than 128 KiB and one frame.
    ///
    /// Cancel-safe: dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot be read. The next call tries again where this one failed.
    pub async fn next_frames(&mut self) -> Result<Option<Vec<StreamFrame>>, StoreError> {
        if !poll_fn(|cx| self.poll_fill(cx)).await? {
            return Ok(None);
        }
        // Taken whole, so that a waiting subscriber keeps no room for frames.
        let frames = Vec::from(std::mem::take(&mut self.pending));
        if let Some(last) = frames.last() {
            self.handed_over = last.cursor();
        }
        let bytes: usize = frames.iter().map(|frame| frame.data().len()).sum();
        let metrics = &self.source.metrics;
        metrics.frames_delivered.inc_by(frames.len() as u64);
        metrics.bytes_delivered.inc_by(bytes as u64);
        Ok(Some(frames))
    }

    /// How far its reader has got: the cursor of what was handed out last.
    pub const fn cursor(&self) -> Cursor {
        self.handed_over
    }

    /// Waits until something is pending; `false` when nothing will be.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, StoreError>> {
        while self.pending.is_empty() {
            // Before looking: what is delivered before the hub closes is found by this look.
            let closed = self.source.hub.is_closed();
            let before = self.position;
            let advanced = match (&mut self.reading, &self.phase) {
                (Some(reading), _) => {
                    let (wanted, read) = (reading.what, ready!(reading.read.as_mut().poll(cx)));
                    self.reading = None;
                    read.and_then(|read| self.take_read(wanted, read))
                }
                (None, Phase::Replaying(_)) => self.replay(),
                (None, Phase::Live) => {
                    self.follow();
                    Ok(())
                }
                (None, Phase::Behind) => self.read_snapshot(Wanted::CatchUp),
            };
            match advanced {
                // The hub was closed, and perhaps the store after it.
                Err(StoreError::Closed) => return Poll::Ready(Ok(!self.pending.is_empty())),
                advanced => advanced?,
            }
            let is_waiting = matches!(self.phase, Phase::Live) && self.reading.is_none();
            if is_waiting && self.pending.is_empty() && self.position == before {
                if closed {
                    return Poll::Ready(Ok(false));
                }
                let waker = &self.waker;
                let woken = self
                    .woken
                    .get_or_insert_with(|| Box::pin(Arc::clone(waker).notified_owned()));
                ready!(woken.as_mut().poll(cx));
                self.woken = None;
            }
        }
        Poll::Ready(Ok(true))
    }

    /// Reads on in the first feed that is not where the snapshot saw it; after the last one, goes
    /// live.
    fn replay(&mut self) -> Result<(), StoreError> {
        if let Phase::Replaying(snapshot) = &self.phase {
            let mut heads = cursor_at(snapshot, self.position.tag);
            for index in 0..self.feeds.len() {
                let side = self.feeds[index].side;
                let head = *side.rev(&mut heads);
                if *side.rev(&mut self.position) < head {
                    return self.read_store(index, head);
                }
            }
        }
        if let Phase::Replaying(snapshot) = std::mem::replace(&mut self.phase, Phase::Live) {
            let cursor = self.position;
            let summary = snapshot.summary;
            let live = Frame::of(&StreamItem::Live { cursor, summary });
            self.pending.push_back(StreamFrame::new(cursor, live));
        }
        Ok(())
    }

    /// Takes what the windows hold, from both feeds, so that neither waits for the other.
    fn follow(&mut self) {
        for index in 0..self.feeds.len() {
            let FollowedFeed { side, seat, .. } = &self.feeds[index];
            let side = *side;
            let position = *side.rev(&mut self.position);
            let reached = Reached {
                own: self.position.own,
                system: self.position.system,
            };
            match seat.take(position, reached, CHUNK_BYTES) {
                Taken::Frames(frames) => self.hand_over(side, frames),
                Taken::Gap { up_to } => {
                    seat.note(position, up_to);
                    self.phase = Phase::Behind;
                }
                Taken::CaughtUp => {}
            }
        }
    }

    /// Begins to read what the owner sees now.
    fn read_snapshot(&mut self, what: Wanted) -> Result<(), StoreError> {
        self.check_open()?;
        let store = Arc::clone(&self.source.store);
        let owner = self.owner;
        let read = async move {
            let snapshot = store.snapshot(owner).await?;
            Ok(Read::Snapshot(Box::new(snapshot)))
        };
        self.reading = Some(Reading {
            what,
            read: Box::pin(read),
        });
        Ok(())
    }

    /// Begins to read a piece of a feed.
    fn read_store(&mut self, index: usize, up_to: Rev) -> Result<(), StoreError> {
        self.check_open()?;
        let FollowedFeed { side, ref seat, .. } = self.feeds[index];
        let after = *side.rev(&mut self.position);
        seat.note(after, up_to);
        let store = Arc::clone(&self.source.store);
        let owner = self.owner;
        let read = async move {
            let range = RevRange { after, up_to };
            store.replay(owner, side, range).await.map(Read::Page)
        };
        self.reading = Some(Reading {
            what: Wanted::Page(index),
            read: Box::pin(read),
        });
        Ok(())
    }

    /// Whoever has to read the store when everything ends comes back with its cursor, elsewhere or
    /// later.
    fn check_open(&self) -> Result<(), StoreError> {
        if self.source.hub.is_closed() {
            return Err(StoreError::Closed);
        }
        Ok(())
    }

    fn take_read(&mut self, wanted: Wanted, read: Read) -> Result<(), StoreError> {
        match (wanted, read) {
            (Wanted::Page(index), Read::Page(page)) => self.take_page(index, page),
            (Wanted::Reset, Read::Snapshot(snapshot)) => {
                self.restart(snapshot);
                Ok(())
            }
            (_, Read::Snapshot(snapshot)) => self.catch_up(snapshot),
            (_, Read::Page(_)) => Ok(()),
        }
    }

    fn take_page(&mut self, index: usize, page: ReplayPage) -> Result<(), StoreError> {
        let side = self.feeds[index].side;
        if self.has_lost_deletions(side, page.floor) {
            return self.read_snapshot(Wanted::Reset);
        }
        let changes = page.changes.len() as u64;
        self.source.metrics.replayed_events.inc_by(changes);
        self.source.metrics.frames_encoded.inc_by(changes);
        let frames = page
            .changes
            .into_iter()
            .map(|(rev, change)| (rev, frame_of(change)));
        self.hand_over(side, frames);
        *side.rev(&mut self.position) = page.reached;
        Ok(())
    }

    /// Reads on, up to where the feeds stand now; the counts are known again after that.
    fn catch_up(&mut self, snapshot: Box<Snapshot>) -> Result<(), StoreError> {
        for (side, floor) in [
            (Side::System, snapshot.system.floor),
            (Side::Own, snapshot.own.floor),
        ] {
            if self.has_lost_deletions(side, floor) {
                return self.read_snapshot(Wanted::Reset);
            }
        }
        let cursor = self.position;
        let head = cursor_at(&snapshot, cursor.tag);
        let ready = Frame::of(&StreamItem::Ready { cursor, head });
        self.pending.push_back(StreamFrame::new(cursor, ready));
        self.phase = Phase::Replaying(snapshot);
        Ok(())
    }

    /// Whether deletions were forgotten, since it was last looked, that this reader has not seen. Who
    /// has seen nothing yet misses none.
    fn has_lost_deletions(&mut self, side: Side, floor: Rev) -> bool {
        let position = *side.rev(&mut self.position);
        let known = self.floors.of_side(side);
        let lost = floor > *known && position > Rev::ZERO && position < floor;
        if !lost {
            *known = floor;
        }
        lost
    }

    /// Continues from where the feeds stand now, and tells the reader.
    fn restart(&mut self, snapshot: Box<Snapshot>) {
        let cursor = cursor_at(&snapshot, self.position.tag);
        let reason = ResetReason::TooOld;
        self.source
            .metrics
            .resets
            .get_or_create(&reason.into())
            .inc();
        let reset = Frame::of(&StreamItem::Reset { cursor, reason });
        self.position = cursor;
        self.pending.push_back(StreamFrame::new(cursor, reset));
        self.floors = Floors::of(&snapshot);
        self.phase = Phase::Replaying(snapshot);
    }

    fn hand_over(&mut self, side: Side, frames: impl IntoIterator<Item = (Rev, Frame)>) {
        for (rev, frame) in frames {
            *side.rev(&mut self.position) = rev;
            self.pending
                .push_back(StreamFrame::new(self.position, frame));
        }
    }
}

/// A change of a replay says nothing of the counts: those of `live` count it already.
fn frame_of(change: ReplayItem) -> Frame {
    match change {
        ReplayItem::Created(json) => Frame::created(json),
        ReplayItem::Status {
            ids,
            system_ids,
            status,
            at,
        } => Frame::status(&StatusChange::new(ids, status, at).with_system_ids(system_ids)),
        ReplayItem::Deleted { ids, system_ids } => {
            Frame::deleted(&Deletion::new(ids).with_system_ids(system_ids))
        }
    }
}

impl Stream for Subscription {
    type Item = Result<StreamItem, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx).map(Result::transpose)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.source.metrics.subscribers.dec();
    }
}
