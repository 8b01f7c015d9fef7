//! The seat of a subscriber at a feed.

use std::sync::Arc;

use tidings_event::{OwnerId, Rev};

use super::Hub;
use super::bell::Bell;
use super::delivery::Reached;
use super::feed::{FoundFrames, LiveFeed, SeatNumber};

/// A subscriber's place at a feed; dropping it leaves the feed.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(super) hub: Arc<Hub>,
    pub(super) owner: OwnerId,
    pub(super) feed: Arc<LiveFeed>,
    pub(super) number: SeatNumber,
}

impl Seat {
    /// Sets what rings when there is something new. Look after it: what came before does not ring.
    pub(crate) fn set_bell(&self, bell: Bell) {
        self.feed.set_bell(self.number, bell);
    }

    /// The subscriber reads the store up to `head`, and then takes frames from the window.
    pub(crate) fn goes_live_from(&self, head: Rev) {
        if self.feed.goes_live_from(head) {
            let feed = Arc::clone(&self.feed);
            self.hub.refills.push(self.owner, feed, false);
        }
    }

    /// The frames after `position`, up to `budget_bytes` of them (but at least one), for a subscriber that
    /// has read this far in both feeds. They stay in the window until all its subscribers
    /// [have moved](Self::moved_to) past them.
    pub(crate) fn look(&self, position: Rev, reached: Reached, budget_bytes: usize) -> FoundFrames {
        self.feed.look(self.number, position, reached, budget_bytes)
    }

    /// Notes that the subscriber has reached `position`.
    pub(crate) fn moved_to(&self, position: Rev) {
        self.feed.moved_to(self.number, position);
    }

    /// Notes how far a subscriber is that reads the store: it is at `position`, and the feed's head is
    /// at `head` or later.
    pub(crate) fn note(&self, position: Rev, head: Rev) {
        self.feed.note(self.number, position, head);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Under the map's lock, so that no subscriber joins a feed that is being removed.
        let mut feeds = self.hub.feeds();
        if self.feed.leave(self.number) {
            feeds.remove(&self.owner);
        }
    }
}
