//! The live feeds: the newest frames of each, and the subscribers that follow it.
//!
//! A subscriber is a position, not a queue: it takes frames from the feed's window, and reads from the
//! store what the window no longer holds. So publishers never wait for subscribers, and a slow
//! subscriber costs no more than the window it shares with the others of its feed.

mod bell;
mod delivery;
mod feed;
mod hole;
mod refills;
mod seat;
mod system_deletion;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use tidings_event::{OwnerId, Rev};

pub(crate) use bell::Bell;
pub use bell::FollowerWaker;
pub(crate) use delivery::{Content, Delivery, Reached};
use feed::LiveFeed;
pub(crate) use feed::{FoundFrames, Holes};
pub(crate) use hole::{Finder, Late};
pub(crate) use refills::Refilling;
use refills::Refills;
pub(crate) use seat::Seat;
pub(crate) use system_deletion::SystemDeletion;

use crate::sync::{AtomicBool, Mutex, MutexGuard};

/// All feeds that have a subscriber. A feed without one is not here and takes no memory.
#[derive(Debug)]
pub(crate) struct Hub {
    // A lookup a group or a subscription is short: no lock that can be awaited is needed.
    feeds: Mutex<HashMap<OwnerId, Arc<LiveFeed>>>,
    /// The feeds that are to be refilled.
    refills: Arc<Refills>,
    /// The treatment of a window with a hole.
    holes: Holes,
    /// The maximum bytes of one window.
    window_limit: usize,
    /// The bytes in all windows together.
    window_bytes: Arc<AtomicUsize>,
    closed: AtomicBool,
}

impl Hub {
    /// A hub without feeds, whose windows each hold `window_limit` bytes at most.
    pub(crate) fn new(window_limit: usize, holes: Holes) -> Self {
        Self {
            feeds: Mutex::default(),
            refills: Arc::default(),
            holes,
            window_limit,
            window_bytes: Arc::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Takes a seat for `reader` at the feed of `owner`. Nothing that is delivered to it from now on is
    /// missed.
    pub(crate) fn join(self: &Arc<Self>, owner: OwnerId, reader: OwnerId) -> Seat {
        let mut feeds = self.feeds();
        let feed = feeds.entry(owner).or_insert_with(|| {
            let all_windows_bytes = Arc::clone(&self.window_bytes);
            Arc::new(LiveFeed::new(
                self.window_limit,
                self.holes,
                all_windows_bytes,
            ))
        });
        let number = feed.join(reader);
        Seat {
            hub: Arc::clone(self),
            owner,
            feed: Arc::clone(feed),
            number,
        }
    }

    /// Hands committed frames to the subscribers of `owner`'s feed, in the order of their revs. The frames are
    /// made only if there are subscribers. If other nodes write to the store, they can have to wait until what
    /// comes before them is read from it.
    pub(crate) fn deliver(
        &self,
        owner: OwnerId,
        deliveries: impl IntoIterator<Item = Delivery>,
    ) -> Option<Late> {
        let feed = self.feed(owner)?;
        let taken = feed.deliver(deliveries.into_iter().collect());
        if taken.must_refill {
            self.refills.push(owner, feed, taken.late.is_some());
        }
        taken.late
    }

    /// The store has the change `rev` of `owner`'s feed, perhaps by another node. What is returned waits until
    /// the subscribers have it.
    pub(crate) fn expect(&self, owner: OwnerId, rev: Rev) -> Option<Late> {
        if self.holes == Holes::Skip {
            return None;
        }
        let feed = self.feed(owner)?;
        let taken = feed.expect(rev);
        if taken.must_refill {
            self.refills.push(owner, feed, true);
        }
        taken.late
    }

    /// Another node may have committed changes of `owner`'s feed up to `head`. Returns whether a subscriber of
    /// this node lacks them.
    pub(crate) fn hear_of(&self, owner: OwnerId, head: Rev, finder: Finder) -> bool {
        let Some(feed) = self.feed(owner) else {
            return false;
        };
        let heard = feed.hear_of(head, finder);
        if heard.must_refill {
            self.refills.push(owner, feed, false);
        }
        heard.is_news
    }

    /// Lets the subscribers of `owner`'s feed read the store, if frames of this node still wait for others.
    pub(crate) fn give_up(&self, owner: OwnerId) {
        if let Some(feed) = self.feed(owner) {
            feed.give_up();
        }
    }

    /// Waits for a feed that is to be refilled; `None` when the hub is closed.
    pub(crate) async fn next_refill(&self) -> Option<Refilling> {
        self.refills.next().await
    }

    /// The owners of all live feeds.
    pub(crate) fn owners(&self) -> Vec<OwnerId> {
        self.feeds().keys().copied().collect()
    }

    /// Whether a subscriber of this node follows a feed.
    pub(crate) fn has_subscribers(&self, owner: OwnerId) -> bool {
        self.feeds().contains_key(&owner)
    }

    /// The guard is gone before the feed is locked, so that feeds do not wait for each other.
    fn feed(&self, owner: OwnerId) -> Option<Arc<LiveFeed>> {
        self.feeds().get(&owner).cloned()
    }

    /// Measures the live feeds.
    #[cfg(feature = "metrics")]
    pub(crate) fn measure(&self) -> Measures {
        let feeds: Vec<_> = self.feeds().values().cloned().collect();
        Measures {
            feeds: feeds.len() as u64,
            window_bytes: self.window_bytes.load(Ordering::Relaxed) as u64,
            largest_lag: feeds
                .iter()
                .map(|feed| feed.largest_lag())
                .max()
                .unwrap_or(0),
        }
    }

    /// Wakes every subscriber for the last time.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.refills.close();
        for feed in self.feeds().values() {
            feed.wake_all();
        }
    }

    /// Whether nothing is delivered any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// A thread that panicked with the lock left the map whole: no step under it can be half done.
    fn feeds(&self) -> MutexGuard<'_, HashMap<OwnerId, Arc<LiveFeed>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The measures of the live feeds.
#[cfg(feature = "metrics")]
#[derive(Debug)]
pub(crate) struct Measures {
    pub(crate) feeds: u64,
    pub(crate) window_bytes: u64,
    /// In revs, of the subscriber that is furthest behind in a feed.
    pub(crate) largest_lag: u64,
}
