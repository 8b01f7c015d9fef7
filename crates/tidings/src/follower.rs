//! One subscriber without a task: replay from the store, then the windows of its feeds, without gap or
//! repeat.

mod reading;
mod replaying;

use std::sync::Arc;

use tidings_event::{Cursor, CursorTag, OwnerId, Rev, Start, StreamItem};

use crate::frame::{Frame, StreamFrame};
use crate::hub::{Bell, FollowerWaker, FoundFrames, Hub, Reached, Seat};
use crate::metrics::Metrics;
use crate::start::{cursor_at, first_item};
use crate::store::{Side, Snapshot, Store, StoreError, StoreIdentity};

pub use reading::{ReadDone, StoreRead};
use reading::{ReadKind, ReadResult};

/// The bytes of frames that are taken from one feed at a time. With those of the other feed and one
/// event beyond each, this is all the memory that a subscriber needs while it is served; while
/// nothing happens it needs none.
const CHUNK_BYTES: usize = 64 * 1024;

/// Follows what one owner sees, step by step, for a program that serves many streams without a task for
/// each. [`Subscription`](crate::Subscription) is the same for one task.
///
/// Call [`Self::step`] until it returns [`Step::Wait`], and again when the waker of [`Self::wake`] is
/// called. The order of what it returns is that of a subscription. Dropping it ends it.
#[derive(Debug)]
pub struct Follower {
    source: Arc<FollowerContext>,
    /// At the system's feed.
    system: Seat,
    /// At the owner's feed; the system itself has none.
    own: Option<Seat>,
    owner: OwnerId,
    phase: Phase,
    /// Where the feeds began when that was last looked at, own and system. If a feed begins later and
    /// the follower is not there yet, deletions may have been forgotten that it has not seen.
    floors: Floors,
    /// The cursor of what was sent last.
    position: Cursor,
    /// The next step, which was read from the store or decided.
    next: Option<Box<Next>>,
    /// A read of the store has been handed out and has not come back.
    is_reading: bool,
}

/// The result of one step of a [`Follower`].
///
/// The enum is exhaustive: a stream stands still if its server does not handle a step.
#[derive(Debug)]
pub enum Step {
    /// A frame about the stream itself: `ready`, `live` or `reset`. It is returned once.
    Notice(StreamFrame),
    /// The next frames of the feeds. The follower stays where it is until [`Follower::moved_to`] is called, so that
    /// what could not be sent is found again by a later step.
    Frames(FollowedFrames),
    /// The store must be read: await [`StoreRead::run`] and give what it returns to
    /// [`Follower::take_read`]. Until then each step is [`Step::Wait`].
    Read(StoreRead),
    /// There is nothing until the waker is called.
    Wait,
    /// The engine is closed. A subscriber that was behind resumes with its cursor at the next start.
    Closed,
}

/// Frames of the feeds, in order: not much more than 128 KiB and one frame.
#[derive(Debug)]
#[non_exhaustive]
pub struct FollowedFrames {
    /// The frames. There are none if all that happened was undone.
    pub frames: Vec<StreamFrame>,
    /// The cursor after all of them, which can be beyond that of the last frame.
    pub end: Cursor,
}

#[derive(Debug)]
enum Next {
    Notice(StreamFrame),
    Frames(FollowedFrames),
}

#[derive(Clone, Copy, Debug, Default)]
struct Floors {
    own: Rev,
    system: Rev,
}

/// The store, the hub and the counters of all followers.
#[derive(Debug)]
pub(crate) struct FollowerContext {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) identity: StoreIdentity,
}

impl FollowerContext {
    /// Counts frames that were handed to their clients, and the bytes of their JSON.
    pub(crate) fn count_delivered(&self, frames: u64, bytes: u64) {
        self.metrics.frames_delivered.inc_by(frames);
        self.metrics.bytes_delivered.inc_by(bytes);
    }
}

#[derive(Debug)]
enum Phase {
    /// Reading the store up to the heads of the snapshot.
    Replaying(Box<Snapshot>),
    /// Following the windows.
    Live,
    /// The windows do not hold the next frame, so that the counts are lost too.
    Behind,
    /// The next change was forgotten: starting again from a snapshot.
    Lost,
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

impl Follower {
    /// Settles where it begins: from here on it misses nothing.
    pub(crate) async fn open(
        source: Arc<FollowerContext>,
        owner: OwnerId,
        start: Start,
    ) -> Result<Self, StoreError> {
        let system_owner = OwnerId::from(source.identity.system);
        // The seats are taken before the snapshot is read: what is committed after it is delivered
        // to them. The system comes first, so that whatever the own feed says about one of its
        // events comes after that event.
        let system = source.hub.join(system_owner, owner);
        let own = (owner != system_owner).then(|| source.hub.join(owner, owner));
        let snapshot = source.store.snapshot(owner).await?;
        system.goes_live_from(snapshot.system.head);
        if let Some(own) = &own {
            own.goes_live_from(snapshot.own.head);
        }

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
        let notice = StreamFrame::new(first.cursor(), Frame::of(&first));
        Ok(Self {
            source,
            system,
            own,
            owner,
            floors: Floors::of(&snapshot),
            phase: Phase::Replaying(Box::new(snapshot)),
            position: first.cursor(),
            next: Some(Box::new(Next::Notice(notice))),
            is_reading: false,
        })
    }

    /// Calls `waker` with `token` from now on when there may be something new. Step after this call:
    /// what has come before it wakes nobody.
    pub fn wake(&self, waker: &Arc<dyn FollowerWaker>, token: usize) {
        for seat in [Some(&self.system), self.own.as_ref()]
            .into_iter()
            .flatten()
        {
            let waker = Arc::clone(waker);
            seat.set_bell(Bell { waker, token });
        }
    }

    /// The owner whose events it follows.
    pub const fn owner(&self) -> OwnerId {
        self.owner
    }

    /// The cursor of [`Self::moved_to`], or where the stream starts.
    pub const fn cursor(&self) -> Cursor {
        self.position
    }

    pub(crate) fn source(&self) -> &FollowerContext {
        &self.source
    }

    /// Whether the next step looks at the windows only. Then another follower of the same owner at the
    /// same cursor finds the same changes.
    pub fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live) && self.next.is_none()
    }

    /// The next step. It never blocks.
    pub fn step(&mut self) -> Step {
        if let Some(next) = self.next.take() {
            return match *next {
                Next::Notice(frame) => Step::Notice(frame),
                Next::Frames(changes) => Step::Frames(changes),
            };
        }
        if self.is_reading {
            return Step::Wait;
        }
        // Before looking: what is delivered before the hub closes is found by this look.
        let closed = self.source.hub.is_closed();
        if let Phase::Replaying(_) = self.phase {
            return self.replay();
        }
        if let Phase::Live = self.phase
            && let Some(changes) = self.follow()
        {
            return Step::Frames(changes);
        }
        match self.phase {
            Phase::Behind => self.read(ReadKind::CatchUp),
            Phase::Lost => self.read(ReadKind::Reset),
            Phase::Replaying(_) | Phase::Live if closed => Step::Closed,
            Phase::Replaying(_) | Phase::Live => Step::Wait,
        }
    }

    /// Notes the cursor of what was sent last: that of one of the frames of the last step, or their end.
    pub fn moved_to(&mut self, cursor: Cursor) {
        let before = std::mem::replace(&mut self.position, cursor);
        if before.system != cursor.system {
            self.system.moved_to(cursor.system);
        }
        if let Some(own) = &self.own
            && before.own != cursor.own
        {
            own.moved_to(cursor.own);
        }
    }

    /// Takes the result of a [`StoreRead`] of this follower. Step again after it.
    ///
    /// # Errors
    ///
    /// When the store could not be read. A later step asks for the same read. [`StoreError::Closed`] if the
    /// engine is closed.
    pub fn take_read(&mut self, done: ReadDone) -> Result<(), StoreError> {
        self.is_reading = false;
        match (done.wanted, done.read?) {
            (ReadKind::Page(side, _), ReadResult::Page(page)) => self.take_page(side, page),
            (ReadKind::Reset, ReadResult::Snapshot(snapshot)) => self.restart(snapshot),
            (_, ReadResult::Snapshot(snapshot)) => self.catch_up(snapshot),
            (_, ReadResult::Page(_)) => {}
        }
        Ok(())
    }

    /// A read that was handed out does not come back: a later step asks for it again.
    pub const fn forget_read(&mut self) {
        self.is_reading = false;
    }

    fn seat(&self, side: Side) -> &Seat {
        match side {
            Side::System => &self.system,
            // The system follows one feed only, as its system's.
            Side::Own => self.own.as_ref().unwrap_or(&self.system),
        }
    }

    const fn sides(&self) -> &'static [Side] {
        match self.own {
            Some(_) => &[Side::System, Side::Own],
            None => &[Side::System],
        }
    }

    /// Looks at the windows of both feeds, so that neither waits for the other.
    fn follow(&mut self) -> Option<FollowedFrames> {
        let mut end = self.position;
        let mut all = Vec::new();
        for side in self.sides() {
            let position = *side.rev(&mut end);
            let reached = Reached {
                own: end.own,
                system: end.system,
            };
            let seat = self.seat(*side);
            match seat.look(position, reached, CHUNK_BYTES) {
                FoundFrames::Frames(frames) => {
                    all.reserve(frames.len());
                    for (rev, frame) in frames {
                        *side.rev(&mut end) = rev;
                        all.push(StreamFrame::new(end, frame));
                    }
                }
                FoundFrames::Gap { up_to } => {
                    seat.note(position, up_to);
                    self.phase = Phase::Behind;
                }
                FoundFrames::CaughtUp => {}
            }
        }
        (!all.is_empty()).then_some(FollowedFrames { frames: all, end })
    }

    /// Asks for a read of the store. A follower that is behind when the engine closes reconnects with its
    /// cursor, so it gets no read.
    fn read(&mut self, wanted: ReadKind) -> Step {
        if self.source.hub.is_closed() {
            return Step::Closed;
        }
        self.is_reading = true;
        Step::Read(StoreRead {
            store: Arc::clone(&self.source.store),
            owner: self.owner,
            wanted,
        })
    }

    fn notice(&mut self, item: &StreamItem) {
        let frame = StreamFrame::new(item.cursor(), Frame::of(item));
        self.next = Some(Box::new(Next::Notice(frame)));
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.source.metrics.subscribers.dec();
    }
}
