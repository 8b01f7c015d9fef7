//! The hole of a window: changes that another node has committed.

use std::collections::BTreeMap;

use tidings_event::Rev;
use tokio::sync::oneshot;

use super::delivery::Delivery;

/// The source of the news that a feed has changes that its window does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finder {
    /// A delivery of this node that does not follow.
    Committer,
    /// A hint of another node.
    Hint,
    /// The comparison with the store.
    Heads,
}

/// The refill after the end of a window, and what waits for it.
#[derive(Debug, Default)]
pub(super) struct Hole {
    /// How far the window should go. It can be wrong, since it comes from other nodes.
    wanted: Rev,
    /// `wanted` when the store was last asked.
    asked: Rev,
    /// Whether something was parked then. The store must have what comes before it.
    asked_for_parked: bool,
    /// Whether the feed is in the queue for refills.
    is_queued: bool,
    /// Only the comparison with the store has found it.
    was_lost: bool,
    /// Deliveries of this node that come after the hole, by their first revs. They take as much as a window at
    /// most.
    parked: BTreeMap<Rev, Delivery>,
    parked_bytes: usize,
    /// The committer's waits, each for a rev.
    late: Vec<(Rev, oneshot::Sender<()>)>,
}

/// Deliveries that wait for a refill. Await it to know when the window has them, or will not get them.
#[derive(Debug)]
pub(crate) struct Late(oneshot::Receiver<()>);

impl Late {
    pub(crate) async fn arrives(self) {
        // The feed has ended, if the sender is gone.
        let _ = self.0.await;
    }
}

impl Hole {
    /// Notes that the window should go up to `rev`.
    pub(super) fn want(&mut self, rev: Rev, finder: Finder) {
        self.was_lost = finder == Finder::Heads && (self.was_lost || !self.is_queued);
        self.wanted = self.wanted.max(rev);
    }

    /// Puts the feed into the queue. Returns whether it was not there.
    pub(super) fn queue(&mut self) -> bool {
        !std::mem::replace(&mut self.is_queued, true)
    }

    pub(super) const fn was_lost(&self) -> bool {
        self.was_lost
    }

    /// The last rev that is to be refilled next.
    pub(super) fn up_to(&self) -> Rev {
        let parked = self.first_parked();
        parked.map_or(self.wanted, |first| Rev::new(first.get() - 1))
    }

    /// The store is going to be asked.
    pub(super) fn ask(&mut self) {
        self.asked = self.wanted;
        self.asked_for_parked = !self.parked.is_empty();
    }

    /// The store has answered: the feed ended at `end`. There is no more, except what was heard of during the
    /// read. Returns whether the read had to contain something.
    pub(super) fn limit(&mut self, end: Rev) -> bool {
        if self.wanted == self.asked {
            self.wanted = self.wanted.min(end);
        }
        self.asked_for_parked
    }

    /// Keeps a delivery until the hole before it is filled. `false` if there is too much already: then nothing
    /// should wait any longer.
    pub(super) fn park(&mut self, delivery: Delivery, limit: usize) -> bool {
        self.parked_bytes += delivery.content.size();
        self.parked.insert(delivery.first, delivery);
        self.parked_bytes <= limit
    }

    /// The first rev that is parked.
    pub(super) fn first_parked(&self) -> Option<Rev> {
        self.parked.keys().next().copied()
    }

    /// Takes the parked delivery that follows `head`.
    pub(super) fn next_parked(&mut self, head: Rev) -> Option<Delivery> {
        while let Some(entry) = self.parked.first_entry() {
            if *entry.key() > head.next() {
                return None;
            }
            let delivery = entry.remove();
            self.parked_bytes -= delivery.content.size();
            if delivery.first == head.next() {
                return Some(delivery);
            }
            // The window has a part of it, or all.
            self.wanted = self.wanted.max(delivery.last);
        }
        None
    }

    /// Returns a wait that ends when the window has reached `rev`.
    pub(super) fn wait_for(&mut self, rev: Rev) -> Late {
        let (arrived, late) = oneshot::channel();
        self.late.push((rev, arrived));
        Late(late)
    }

    /// The newest rev that the committer waits for.
    pub(super) fn late_up_to(&self) -> Rev {
        let revs = self.late.iter().map(|(rev, _)| *rev);
        revs.max().unwrap_or(Rev::ZERO)
    }

    /// Ends the waits for what the window has.
    pub(super) fn tell_late(&mut self, head: Rev) {
        for (_, arrived) in self.late.extract_if(.., |(rev, _)| *rev <= head) {
            // The committer may have stopped waiting.
            let _ = arrived.send(());
        }
    }
}
