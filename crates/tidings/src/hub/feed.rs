//! One live feed: its window of frames and its seats.

mod refilling;
mod seats;

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use slab::Slab;
use tidings_event::{OwnerId, Rev};

use super::bell::Bell;
use super::delivery::{Content, Delivery, Reached};
use super::hole::{Finder, Hole, Late};
use crate::frame::Frame;
use crate::sync::{Mutex, MutexGuard};

/// When all windows together pass this size, each is cut to [`TIGHT_WINDOW_BYTES`] at its next
/// delivery. So windows never take much more than this, however many subscribers stand still.
pub(crate) const ALL_WINDOWS_BYTES: usize = 64 * 1024 * 1024;

/// The size of a window while memory is short: enough for subscribers that keep up.
pub(crate) const TIGHT_WINDOW_BYTES: usize = 8 * 1024;

/// The most revs of one refill.
pub(crate) const REFILL_REVS: u64 = 4_096;

/// The revs that a window lacks at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The end of the window.
    pub(crate) after: Rev,
    /// The last missing rev; perhaps beyond the end of the feed.
    pub(crate) up_to: Rev,
}

/// The effects of a refill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refilled {
    /// The window has more than before.
    pub(crate) is_useful: bool,
    /// No hint had told of it.
    pub(crate) was_lost: bool,
}

/// Names a seat within its feed, until it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeatNumber(usize);

/// A frame in a window.
#[derive(Clone, Debug)]
struct Kept {
    first: Rev,
    last: Rev,
    system: Rev,
    content: Content,
}

/// The frames that a seat finds at its feed.
#[derive(Debug)]
pub(crate) enum FoundFrames {
    /// Nothing newer than its position.
    CaughtUp,
    /// The next frames, in order, each with the last rev it stands for. None, if the next one has to
    /// wait for the system's feed.
    Frames(Vec<(Rev, Frame)>),
    /// The window begins later: read the store up to this rev, then ask again.
    Gap {
        /// The last rev before the window.
        up_to: Rev,
    },
}

/// The treatment of a window if a delivery does not follow the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holes {
    /// It begins again with the delivery. No other node writes to the store, so there is nobody to wait for.
    Skip,
    /// It waits for a refill from the store, because another node has committed what is between them.
    Refill,
}

/// The start of a window, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Begin {
    /// No subscriber has read the store yet.
    #[default]
    Unknown,
    /// The head of the feed is where the first subscribers go live. Nothing has been delivered.
    Joined,
    /// Something has been delivered.
    Delivered,
}

/// How a delivery was taken.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The feed is to be put into the queue for refills.
    pub(super) must_refill: bool,
    /// The deliveries wait for a refill.
    pub(super) late: Option<Late>,
}

/// How a hint was taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    /// The window does not go that far.
    pub(super) is_news: bool,
    /// The feed is to be put into the queue for refills.
    pub(super) must_refill: bool,
}

/// A feed that has subscribers.
#[derive(Debug)]
pub(crate) struct LiveFeed {
    state: Mutex<State>,
    window_limit: usize,
    holes: Holes,
    all_windows_bytes: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    /// The newest rev that was delivered while the feed has subscribers. Before the first delivery, the lowest
    /// rev from which a subscriber goes live.
    head: Rev,
    begin: Begin,
    /// The refill after `head` that the feed waits for. Present while the feed is in the queue for it.
    hole: Option<Box<Hole>>,
    /// The newest frames, without a hole, up to `head`.
    window: VecDeque<Kept>,
    window_bytes: usize,
    seats: Slab<Occupant>,
    /// The newest rev that a subscriber has named.
    known_head: Rev,
    /// How many seats have not taken all up to `head`.
    behind: usize,
}

#[derive(Debug)]
struct Occupant {
    reader: OwnerId,
    bell: Option<Bell>,
    /// It has not taken all up to the head. Its bell has rung, and rings again only after it has: it looks
    /// again by itself before it waits.
    behind: bool,
    /// How far it has got, where it has said so.
    position: Option<Rev>,
}

impl LiveFeed {
    pub(super) fn new(
        window_limit: usize,
        holes: Holes,
        all_windows_bytes: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            state: Mutex::default(),
            window_limit,
            holes,
            all_windows_bytes,
        }
    }

    /// Whether the feed is to be put into the queue for refills.
    fn queue(&self, state: &mut State) -> bool {
        let head = state.head;
        state
            .hole
            .as_mut()
            .is_some_and(|hole| hole.up_to() > head && hole.queue())
    }

    pub(super) fn deliver(&self, deliveries: Vec<Delivery>) -> Taken {
        let mut state = self.state();
        let before = state.head;
        let last = deliveries.last().map_or(Rev::ZERO, |last| last.last);
        for delivery in deliveries {
            self.place(&mut state, delivery);
        }
        self.settle(&mut state, before);
        let is_late = self.holes == Holes::Refill && last > state.head;
        let late = match &mut state.hole {
            Some(hole) if is_late => Some(hole.wait_for(last)),
            Some(_) | None => None,
        };
        Taken {
            must_refill: self.queue(&mut state),
            late,
        }
    }

    /// Puts a delivery where it belongs.
    fn place(&self, state: &mut State, delivery: Delivery) {
        let is_first = match state.begin {
            Begin::Unknown => true,
            // Other subscribers may still be about to go live from before it.
            Begin::Joined => delivery.last <= state.head,
            Begin::Delivered => false,
        };
        if is_first || delivery.first == state.head.next() {
            self.append(state, delivery);
        } else if delivery.last <= state.head {
            // Delivered before.
        } else if self.holes == Holes::Skip {
            self.append(state, delivery);
        } else if delivery.first <= state.head {
            // A part of it was refilled, and the rest will be.
            let hole = state.hole.get_or_insert_default();
            hole.want(delivery.last, Finder::Committer);
        } else {
            let hole = state.hole.get_or_insert_default();
            hole.want(Rev::new(delivery.first.get() - 1), Finder::Committer);
            if !hole.park(delivery, self.window_limit) {
                self.skip_hole(state);
            }
        }
    }

    /// Adds a delivery at the end of the window, which begins again if it does not follow.
    fn append(&self, state: &mut State, delivery: Delivery) {
        state.begin = Begin::Delivered;
        let is_in_store = matches!(delivery.content, Content::InStore);
        if delivery.first != state.head.next() || is_in_store {
            self.clear(state);
        }
        state.head = delivery.last;
        if is_in_store {
            return;
        }
        let size = delivery.content.size();
        state.window_bytes += size;
        self.all_windows_bytes.fetch_add(size, Ordering::Relaxed);
        state.window.push_back(Kept {
            first: delivery.first,
            last: delivery.last,
            system: delivery.system,
            content: delivery.content,
        });
    }

    /// After additions: adds what has waited for them, tells the committer, and rings the bells.
    fn settle(&self, state: &mut State, before: Rev) {
        self.append_parked(state);
        if let Some(hole) = &mut state.hole {
            hole.tell_late(state.head);
        }
        if state.head == before {
            return;
        }
        self.trim(state);
        state.behind = state.seats.len();
        for (_, occupant) in &mut state.seats {
            if !std::mem::replace(&mut occupant.behind, true)
                && let Some(bell) = &occupant.bell
            {
                bell.ring();
            }
        }
    }

    fn append_parked(&self, state: &mut State) {
        while let Some(hole) = &mut state.hole
            && let Some(next) = hole.next_parked(state.head)
        {
            self.append(state, next);
        }
    }

    /// The frames after `position`, for the subscriber at this seat. It stays behind until it
    /// [has moved](Self::moved_to).
    pub(super) fn look(
        &self,
        number: SeatNumber,
        position: Rev,
        reached: Reached,
        budget_bytes: usize,
    ) -> FoundFrames {
        let mut state = self.state();
        // The seat is given up only when it is dropped.
        let Some(occupant) = state.seats.get(number.0) else {
            return FoundFrames::CaughtUp;
        };
        let reader = occupant.reader;
        if position >= state.head {
            self.caught_up(&mut state, number, position);
            return FoundFrames::CaughtUp;
        }
        let skipped = state.window.partition_point(|kept| kept.last <= position);
        let wanted = position.next();
        match state
            .window
            .get(skipped)
            .map(|next| (next.first, next.last))
        {
            Some((first, _)) if first == wanted => {}
            Some((first, _)) if first > wanted => {
                let up_to = Rev::new(first.get() - 1);
                return FoundFrames::Gap { up_to };
            }
            // The subscriber has a part of it.
            Some((_, last)) => return FoundFrames::Gap { up_to: last },
            None => return FoundFrames::Gap { up_to: state.head },
        }
        let mut bytes = 0_usize;
        let due = state.window.range(skipped..).take_while(|kept| {
            let is_due = kept.system <= reached.system && kept.content.is_due(reader, reached);
            let fits = bytes < budget_bytes && is_due;
            bytes = bytes.saturating_add(kept.content.size());
            fits
        });
        let due = skipped..skipped + due.count();
        let mut frames = Vec::with_capacity(due.len());
        // From the last, so that texts which a later frame replaces are known.
        let mut shown = HashSet::new();
        for kept in state.window.range(due).rev() {
            if let Content::Texts(event, _) = kept.content
                && !shown.insert(event)
            {
                continue;
            }
            if let Some(frame) = kept.content.frame_for(reader) {
                frames.push((kept.last, frame));
            }
        }
        frames.reverse();
        FoundFrames::Frames(frames)
    }

    fn trim(&self, state: &mut State) {
        let short = self.all_windows_bytes.load(Ordering::Relaxed) > ALL_WINDOWS_BYTES;
        let allowed = if short {
            TIGHT_WINDOW_BYTES.min(self.window_limit)
        } else {
            self.window_limit
        };
        while state.window_bytes > allowed {
            let Some(Kept { content, .. }) = state.window.pop_front() else {
                break;
            };
            let size = content.size();
            state.window_bytes -= size;
            self.all_windows_bytes.fetch_sub(size, Ordering::Relaxed);
        }
    }

    fn clear(&self, state: &mut State) {
        // A new deque, since the old one keeps its room.
        state.window = VecDeque::new();
        let bytes = std::mem::take(&mut state.window_bytes);
        self.all_windows_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// A panic under the lock cannot come from these short steps but from lack of memory, which
    /// ends the process anyway.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LiveFeed {
    fn drop(&mut self) {
        let bytes = self.state().window_bytes;
        self.all_windows_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
