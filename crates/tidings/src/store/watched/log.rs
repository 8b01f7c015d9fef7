//! The commits of a store, as it reports them to other nodes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidings_event::{OwnerId, Rev};

use crate::store::{Committed, Refill, RefillItem, RevRange};

/// The most items of one refill, so that a longer one takes several.
const REFILL_ITEMS: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Log {
    feeds: Mutex<HashMap<OwnerId, LoggedFeed>>,
}

/// The changes of a feed by their first revs. Commits can be noted in another order than they were made.
#[derive(Debug, Default)]
struct LoggedFeed {
    items: BTreeMap<Rev, RefillItem>,
    forgotten: Rev,
}

impl LoggedFeed {
    /// The changes after `rev` that have no hole before them.
    fn after(&self, rev: Rev) -> impl Iterator<Item = &RefillItem> {
        let mut reached = rev;
        self.items
            .range(rev.next()..)
            .map(|(_, item)| item)
            .take_while(move |item| {
                let follows = item.revs().after == reached;
                reached = item.revs().up_to;
                follows
            })
    }

    fn head(&self) -> Rev {
        let last = self.after(self.forgotten).last();
        last.map_or(self.forgotten, |item| item.revs().up_to)
    }
}

impl Log {
    pub(super) fn note(&self, committed: &Committed) {
        let mut feeds = self.feeds();
        let mut note = |owner, item: RefillItem| {
            let first = item.revs().after.next();
            feeds.entry(owner).or_default().items.insert(first, item);
        };
        for one in committed.stored().filter(|one| !one.repeated) {
            let (rev, json) = (one.rev, one.json.clone());
            note(one.owner, RefillItem::Created { rev, json });
        }
        for step in committed.changed.iter().filter(|step| !step.ids.is_empty()) {
            note(step.owner, RefillItem::Changed(step.clone()));
        }
    }

    pub(super) fn forget(&self) {
        for feed in self.feeds().values_mut() {
            feed.forgotten = feed.head();
            feed.items.clear();
        }
    }

    pub(super) fn refill(&self, owner: OwnerId, range: RevRange) -> Refill {
        let feeds = self.feeds();
        let Some(feed) = feeds.get(&owner) else {
            return Refill::Exact {
                items: Vec::new(),
                head: Rev::ZERO,
            };
        };
        let head = feed.head();
        if range.after < feed.forgotten {
            return Refill::Incomplete { head };
        }
        let items: Vec<_> = feed
            .after(range.after)
            .take_while(|item| item.revs().after < range.up_to)
            .take(REFILL_ITEMS)
            .cloned()
            .collect();
        match items.is_empty() && head > range.after {
            // The range begins within a change.
            true => Refill::Incomplete { head },
            false => Refill::Exact { items, head },
        }
    }

    pub(super) fn heads(&self, owners: &[OwnerId]) -> Vec<(OwnerId, Rev)> {
        let feeds = self.feeds();
        let head = |owner: &OwnerId| Some((*owner, feeds.get(owner)?.head()));
        owners.iter().filter_map(head).collect()
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<OwnerId, LoggedFeed>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
