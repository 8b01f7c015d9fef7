//! The hints that are to be sent.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use tidings_event::{OwnerId, Rev};

use super::message::Hint;
use crate::metrics::Metrics;
use crate::sync::{Mutex, MutexGuard, Notify};

/// The most feeds with a hint that waits. Beyond it hints are dropped, and the other nodes find the changes when
/// they compare heads.
const MAX_FEEDS: usize = 65_536;

/// The newest head of each feed that this node has changed since its last message.
#[derive(Debug)]
pub(crate) struct Outbox {
    heads: Mutex<HashMap<OwnerId, Rev>>,
    filled: Notify,
    metrics: Arc<Metrics>,
}

impl Outbox {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            heads: Mutex::default(),
            filled: Notify::new(),
            metrics,
        }
    }

    /// Lets the other nodes know that a feed has reached `head`. Never waits.
    pub(crate) fn announce(&self, owner: OwnerId, head: Rev) {
        let mut heads = self.heads();
        let was_empty = heads.is_empty();
        if heads.len() >= MAX_FEEDS && !heads.contains_key(&owner) {
            self.metrics.hints_dropped.inc();
            return;
        }
        let newest = heads.entry(owner).or_default();
        *newest = (*newest).max(head);
        drop(heads);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Waits for hints, and takes them all.
    pub(super) async fn take(&self) -> Vec<Hint> {
        loop {
            let heads = std::mem::take(&mut *self.heads());
            if !heads.is_empty() {
                return heads.into_iter().collect();
            }
            self.filled.notified().await;
        }
    }

    fn heads(&self) -> MutexGuard<'_, HashMap<OwnerId, Rev>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_newest_head_of_a_feed() {
        let outbox = Outbox::new(Arc::new(Metrics::new()));
        let owner = OwnerId::mint();
        for rev in [3, 9, 4] {
            outbox.announce(owner, Rev::new(rev));
        }
        assert_eq!(outbox.take().await, [(owner, Rev::new(9))]);
        outbox.announce(owner, Rev::new(10));
        assert_eq!(outbox.take().await, [(owner, Rev::new(10))]);
    }

    #[tokio::test]
    async fn drops_hints_of_more_feeds_than_it_holds() {
        let outbox = Outbox::new(Arc::new(Metrics::new()));
        let first = OwnerId::mint();
        outbox.announce(first, Rev::new(1));
        for _ in 0..MAX_FEEDS {
            outbox.announce(OwnerId::mint(), Rev::new(1));
        }
        // A feed that is in already costs nothing more.
        outbox.announce(first, Rev::new(2));
        #[cfg(feature = "metrics")]
        assert_eq!(outbox.metrics.hints_dropped.get(), 1);
        let taken = outbox.take().await;
        assert_eq!(taken.len(), MAX_FEEDS);
        assert!(taken.contains(&(first, Rev::new(2))));
    }
}
