//! How a window gets what other nodes have committed.

#[cfg(test)]
mod tests;

use tidings_event::Rev;

use super::{Begin, Heard, Holes, LiveFeed, Missing, REFILL_REVS, Refilled, State, Taken};
use crate::hub::delivery::{Content, Delivery};
use crate::hub::hole::Finder;

impl LiveFeed {
    /// A subscriber reads the store up to `head` and then takes frames from the window. Returns whether the
    /// feed is to be put into the queue for refills.
    pub(in crate::hub) fn goes_live_from(&self, head: Rev) -> bool {
        let mut state = self.state();
        match state.begin {
            Begin::Unknown => {
                state.head = head;
                state.begin = Begin::Joined;
                self.queue(&mut state)
            }
            Begin::Joined => {
                let known = state.head;
                state.head = known.min(head);
                if self.holes == Holes::Skip || known == state.head {
                    return false;
                }
                // A hint that was no news to the first subscribers is news to this one.
                state.hole.get_or_insert_default().want(known, Finder::Hint);
                self.queue(&mut state)
            }
            Begin::Delivered => false,
        }
    }

    /// Another node may have committed changes up to `head`.
    pub(in crate::hub) fn hear_of(&self, head: Rev, finder: Finder) -> Heard {
        let mut state = self.state();
        if self.holes == Holes::Skip || state.seats.is_empty() || head <= state.head {
            return Heard::default();
        }
        state.hole.get_or_insert_default().want(head, finder);
        // Where the window begins is known when the first subscriber has read the store.
        let is_known = state.begin != Begin::Unknown;
        Heard {
            is_news: true,
            must_refill: is_known && self.queue(&mut state),
        }
    }

    /// The store has the change `rev`.
    pub(in crate::hub) fn expect(&self, rev: Rev) -> Taken {
        let mut state = self.state();
        let is_known = state.begin != Begin::Unknown;
        if !is_known || rev <= state.head {
            return Taken::default();
        }
        let hole = state.hole.get_or_insert_default();
        hole.want(rev, Finder::Committer);
        let late = Some(hole.wait_for(rev));
        Taken {
            must_refill: self.queue(&mut state),
            late,
        }
    }

    /// The revs that are to be refilled next. If there are none, the feed is out of the queue.
    pub(in crate::hub) fn next_missing(&self) -> Option<Missing> {
        let mut state = self.state();
        let after = state.head;
        let has_readers = !state.seats.is_empty();
        let hole = state.hole.as_mut();
        let Some(hole) = hole.filter(|hole| has_readers && hole.up_to() > after) else {
            // If deliveries are late, it is for nobody.
            state.hole = None;
            return None;
        };
        hole.ask();
        let limit = Rev::new(after.get().saturating_add(REFILL_REVS));
        let up_to = hole.up_to().min(limit);
        Some(Missing { after, up_to })
    }

    /// Takes what was read of `range`. The feed then ended at `store_head`.
    pub(in crate::hub) fn refill(
        &self,
        deliveries: Vec<Delivery>,
        range: Missing,
        store_head: Rev,
    ) -> Refilled {
        let mut state = self.state();
        let before = state.head;
        for delivery in deliveries {
            // The committer can have delivered the same meanwhile.
            if delivery.first == state.head.next() {
                self.append(&mut state, delivery);
            }
        }
        // Nothing of the range can be told exactly: the subscribers read it from the store.
        if state.head == range.after {
            let up_to = state.hole.as_ref().map_or(range.up_to, |hole| hole.up_to());
            self.move_to(&mut state, up_to.min(store_head));
        }
        let is_useful = state.head > before;
        let end = store_head.max(state.head);
        let has_progress = state.head > range.after;
        let is_stale = state
            .hole
            .as_mut()
            .is_some_and(|hole| hole.limit(end) && !has_progress);
        // The store shows less than this node has committed. That cannot be waited for.
        if is_stale {
            self.skip_hole(&mut state);
        }
        let was_lost = state.hole.as_ref().is_some_and(|hole| hole.was_lost());
        self.settle(&mut state, before);
        Refilled {
            is_useful,
            was_lost: is_useful && was_lost,
        }
    }

    /// Nothing of this node waits any longer: the subscribers read the store up to what it has committed.
    pub(in crate::hub) fn give_up(&self) {
        let mut state = self.state();
        let before = state.head;
        self.skip_hole(&mut state);
        self.settle(&mut state, before);
    }

    /// As [`Self::give_up`], and takes the feed out of the queue. The next hint puts it back.
    pub(in crate::hub) fn abandon(&self) {
        self.give_up();
        self.state().hole = None;
    }

    /// Moves the window to the end of what this node has committed.
    pub(super) fn skip_hole(&self, state: &mut State) {
        while let Some(first) = state.hole.as_ref().and_then(|hole| hole.first_parked()) {
            self.move_to(state, Rev::new(first.get() - 1));
            self.append_parked(state);
        }
        let late = state
            .hole
            .as_ref()
            .map_or(Rev::ZERO, |hole| hole.late_up_to());
        self.move_to(state, late);
    }

    /// Lets the window end at `rev`, if it ends before, with what is before it in the store.
    fn move_to(&self, state: &mut State, rev: Rev) {
        if rev > state.head {
            let delivery = Delivery {
                first: state.head.next(),
                last: rev,
                system: Rev::ZERO,
                content: Content::InStore,
            };
            self.append(state, delivery);
        }
    }
}
