//! The feeds whose windows lack what another node has committed, in the order in which they are refilled.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use tidings_event::{OwnerId, Rev};

use super::delivery::Delivery;
use super::feed::{LiveFeed, Missing, Refilled};
use crate::sync::{Mutex, MutexGuard, Notify};

/// The queue of refills. A live feed is in it once at most.
#[derive(Debug, Default)]
pub(super) struct Refills {
    state: Mutex<State>,
    /// Wakes one of those who wait for a feed.
    work: Notify,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<(OwnerId, Arc<LiveFeed>)>,
    closed: bool,
}

/// A feed that is being refilled. Dropping it ends the waits for the feed.
#[derive(Debug)]
pub(crate) struct Refilling {
    refills: Arc<Refills>,
    owner: OwnerId,
    /// `None` when the feed has left the queue, or is back in it.
    feed: Option<Arc<LiveFeed>>,
}

impl Refills {
    /// Adds a feed. Where the committer waits, it goes first.
    pub(super) fn push(&self, owner: OwnerId, feed: Arc<LiveFeed>, is_urgent: bool) {
        let mut state = self.state();
        match is_urgent {
            true => state.queue.push_front((owner, feed)),
            false => state.queue.push_back((owner, feed)),
        }
        drop(state);
        self.work.notify_one();
    }

    /// Waits for the next feed; `None` when the hub is closed.
    pub(super) async fn next(self: &Arc<Self>) -> Option<Refilling> {
        loop {
            {
                let mut state = self.state();
                if let Some((owner, feed)) = state.queue.pop_front() {
                    return Some(Refilling {
                        refills: Arc::clone(self),
                        owner,
                        feed: Some(feed),
                    });
                }
                if state.closed {
                    break;
                }
            }
            self.work.notified().await;
        }
        // Wakes the next one.
        self.work.notify_one();
        None
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
        self.work.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refilling {
    pub(crate) const fn owner(&self) -> OwnerId {
        self.owner
    }

    /// The next refill to read. If there is none, the feed leaves the queue.
    pub(crate) fn next_missing(&mut self) -> Option<Missing> {
        let missing = self.feed.as_ref()?.next_missing();
        if missing.is_none() {
            self.feed = None;
        }
        missing
    }

    /// Hands over what was read, up to `range.up_to` or less; nothing, if the store cannot tell it exactly. The
    /// feed then ended at `store_head`. It goes back into the queue, where it leaves if it has all.
    pub(crate) fn refill(
        mut self,
        deliveries: Vec<Delivery>,
        range: Missing,
        store_head: Rev,
    ) -> Refilled {
        let Some(feed) = self.feed.take() else {
            return Refilled::default();
        };
        let refilled = feed.refill(deliveries, range, store_head);
        self.refills.push(self.owner, feed, false);
        refilled
    }
}

impl Drop for Refilling {
    fn drop(&mut self) {
        if let Some(feed) = self.feed.take() {
            feed.abandon();
        }
    }
}
