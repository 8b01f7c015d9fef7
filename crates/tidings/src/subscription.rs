//! A subscriber: replay from the store, then the windows of its feeds, without gap or repeat.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tidings_event::{Cursor, CursorTag, Event, OwnerId, ResetReason, Rev, Start, StreamItem};
use tokio::sync::Notify;

use crate::frame::Frame;
use crate::hub::{Hub, Seat, Taken};
use crate::metrics::Metrics;
use crate::store::{Identity, ReplayPage, RevRange, Snapshot, Store, StoreError};

/// The bytes of frames that are taken from one feed at a time. With those of the other feed and one
/// event beyond each, this is all the memory that a subscriber needs while it is served; while
/// nothing happens it needs none.
const CHUNK_BYTES: usize = 64 * 1024;

/// Follows what one owner sees.
///
/// It begins with `ready` (or `reset`, if the start could not be used), goes on with what is after
/// the start, says `live` when that is over, and then waits for what is published. Dropping it ends
/// it.
#[derive(Debug)]
pub struct Subscription {
    source: Source,
    waker: Arc<Notify>,
    /// The system's feed, then the owner's own; the system itself has only the first.
    feeds: Vec<FollowedFeed>,
    phase: Phase,
    /// How far the feeds were read.
    position: Cursor,
    /// A read of the store that has begun. It goes on where it was when the subscriber stops waiting
    /// for a while, or one that keeps doing so would never get on.
    reading: Option<Reading>,
    /// What was read and not yet asked for.
    pending: VecDeque<(Cursor, Frame)>,
}

struct Reading {
    /// Which feed.
    index: usize,
    page: Pin<Box<dyn Future<Output = Result<ReplayPage, StoreError>> + Send>>,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("index", &self.index)
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
    owner: OwnerId,
    seat: Seat,
}

/// Which of the two revs of a cursor.
#[derive(Clone, Copy, Debug)]
enum Side {
    System,
    Own,
}

#[derive(Debug)]
enum Phase {
    /// Reading the store up to what the snapshot saw.
    Replaying(Box<Snapshot>),
    /// Following the windows.
    Live,
}

impl Side {
    fn rev(self, cursor: &mut Cursor) -> &mut Rev {
        match self {
            Self::System => &mut cursor.system,
            Self::Own => &mut cursor.own,
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
        let join = |side, owner| FollowedFeed {
            side,
            owner,
            seat: source.hub.join(owner, Arc::clone(&waker)),
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
            feeds,
            phase: Phase::Replaying(Box::new(snapshot)),
            position: first.cursor(),
            reading: None,
            pending: VecDeque::from([(first.cursor(), Frame::of(&first))]),
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
        while self.fill().await? {
            while let Some((cursor, frame)) = self.pending.pop_front() {
                self.source.metrics.frames_delivered.inc();
                if let Some(item) = frame.read(cursor) {
                    return Ok(Some(item));
                }
            }
        }
        Ok(None)
    }

    /// As [`Self::next`], but gives the next items as bytes of an event stream: whole frames with
    /// their `id:` lines, as many as there are but not much more than 128 KiB and one frame.
    ///
    /// Cancel-safe: dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot be read. The next call tries again where this one failed.
    pub async fn next_frames(&mut self) -> Result<Option<Bytes>, StoreError> {
        if !self.fill().await? {
            return Ok(None);
        }
        // Taken whole, so that a waiting subscriber keeps no room for frames.
        let frames = std::mem::take(&mut self.pending);
        let mut bytes = BytesMut::with_capacity(frames.iter().map(|(_, f)| f.size()).sum());
        self.source
            .metrics
            .frames_delivered
            .inc_by(frames.len() as u64);
        for (cursor, frame) in frames {
            frame.write(cursor, &mut bytes);
        }
        self.source
            .metrics
            .bytes_delivered
            .inc_by(bytes.len() as u64);
        Ok(Some(bytes.freeze()))
    }

    /// Waits until something is pending; `false` when nothing will be.
    ///
    /// Cancel-safe: what was read is pending before anything else is awaited.
    async fn fill(&mut self) -> Result<bool, StoreError> {
        while self.pending.is_empty() {
            // Before looking: what is delivered before the hub closes is found by this look.
            let closed = self.source.hub.is_closed();
            let before = self.position;
            let advanced = match (&self.reading, &self.phase) {
                (Some(_), _) => self.finish_reading().await,
                (None, Phase::Replaying(_)) => self.replay().await,
                (None, Phase::Live) => self.follow().await,
            };
            match advanced {
                // The hub was closed, and perhaps the store after it.
                Err(StoreError::Closed) => return Ok(false),
                advanced => advanced?,
            }
            if self.pending.is_empty() && self.position == before {
                if closed {
                    return Ok(false);
                }
                self.waker.notified().await;
            }
        }
        Ok(true)
    }

    /// Reads on in the first feed that is not where the snapshot saw it; after the last one, goes
    /// live.
    async fn replay(&mut self) -> Result<(), StoreError> {
        if let Phase::Replaying(snapshot) = &self.phase {
            let mut heads = cursor_at(snapshot, self.position.tag);
            for index in 0..self.feeds.len() {
                let side = self.feeds[index].side;
                let head = *side.rev(&mut heads);
                if *side.rev(&mut self.position) < head {
                    return self.read_store(index, head).await;
                }
            }
        }
        if let Phase::Replaying(snapshot) = std::mem::replace(&mut self.phase, Phase::Live) {
            let cursor = self.position;
            let summary = snapshot.summary;
            let live = Frame::of(&StreamItem::Live { cursor, summary });
            self.pending.push_back((cursor, live));
        }
        Ok(())
    }

    /// Takes what the windows hold, from both feeds, so that neither waits for the other.
    async fn follow(&mut self) -> Result<(), StoreError> {
        for index in 0..self.feeds.len() {
            let FollowedFeed { side, seat, .. } = &self.feeds[index];
            let side = *side;
            match seat.take(*side.rev(&mut self.position), CHUNK_BYTES) {
                Taken::Frames(frames) => self.hand_over(side, frames),
                Taken::Gap { up_to } => self.read_store(index, up_to).await?,
                Taken::CaughtUp => {}
            }
        }
        Ok(())
    }

    /// Hands over a piece of the store.
    async fn read_store(&mut self, index: usize, up_to: Rev) -> Result<(), StoreError> {
        // Whoever is that far behind comes back with its cursor, elsewhere or later.
        if self.source.hub.is_closed() {
            return Err(StoreError::Closed);
        }
        let FollowedFeed {
            side,
            owner,
            ref seat,
        } = self.feeds[index];
        let after = *side.rev(&mut self.position);
        seat.note(after, up_to);
        let store = Arc::clone(&self.source.store);
        let page = async move { store.replay(owner, RevRange { after, up_to }).await };
        self.reading = Some(Reading {
            index,
            page: Box::pin(page),
        });
        self.finish_reading().await
    }

    async fn finish_reading(&mut self) -> Result<(), StoreError> {
        let Some(reading) = &mut self.reading else {
            return Ok(());
        };
        let read = reading.page.as_mut().await;
        let side = self.feeds[reading.index].side;
        self.reading = None;
        let page = read?;
        let events = page.events.len() as u64;
        self.source.metrics.replayed_events.inc_by(events);
        self.source.metrics.frames_encoded.inc_by(events);
        let frame = |(rev, event): (Rev, Event)| {
            let json = serde_json::to_vec(&event).expect("an event has only text keys");
            (rev, Frame::created(json.into()))
        };
        self.hand_over(side, page.events.into_iter().map(frame));
        *side.rev(&mut self.position) = page.reached;
        Ok(())
    }

    fn hand_over(&mut self, side: Side, frames: impl IntoIterator<Item = (Rev, Frame)>) {
        for (rev, frame) in frames {
            *side.rev(&mut self.position) = rev;
            self.pending.push_back((self.position, frame));
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.source.metrics.subscribers.dec();
    }
}

/// The cursor of a reader who has seen all that the snapshot saw.
pub(crate) fn cursor_at(snapshot: &Snapshot, tag: CursorTag) -> Cursor {
    Cursor {
        own: snapshot.own.head,
        system: snapshot.system.head,
        tag,
    }
}

/// What a subscription begins with: `ready`, or `reset` if it has to begin elsewhere.
fn first_item(start: Start, snapshot: &Snapshot, tag: CursorTag) -> StreamItem {
    let head = cursor_at(snapshot, tag);
    match accept(start, snapshot, tag) {
        Ok(cursor) => StreamItem::Ready { cursor, head },
        Err(reason) => StreamItem::Reset {
            cursor: head,
            reason,
        },
    }
}

/// Where a subscription begins, or why its start cannot be used.
fn accept(start: Start, snapshot: &Snapshot, tag: CursorTag) -> Result<Cursor, ResetReason> {
    let (own, system) = (snapshot.own, snapshot.system);
    match start {
        Start::Now => Ok(cursor_at(snapshot, tag)),
        Start::Earliest => Ok(Cursor {
            own: own.floor,
            system: system.floor,
            tag,
        }),
        Start::Malformed => Err(ResetReason::Malformed),
        Start::After(cursor) if cursor.tag != tag => Err(ResetReason::Foreign),
        Start::After(cursor) if cursor.own > own.head || cursor.system > system.head => {
            Err(ResetReason::TooNew)
        }
        Start::After(cursor) if cursor.own < own.floor || cursor.system < system.floor => {
            Err(ResetReason::TooOld)
        }
        Start::After(cursor) => Ok(cursor),
    }
}
