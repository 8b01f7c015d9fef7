//! The engine as it should be, without disk, speed or concurrency.

use std::collections::HashMap;

use tidings::{Event, Receipt};
use tidings_event::{EventId, OwnerId, Rev, Summary};
use uuid::Uuid;

/// Every feed as a plain list of what was published to it.
#[derive(Default)]
pub(crate) struct Model {
    feeds: HashMap<OwnerId, Vec<Event>>,
    places: HashMap<EventId, (OwnerId, Rev)>,
}

impl Model {
    /// Takes over what the engine has acknowledged, checking each receipt against what the feeds
    /// hold so far.
    pub(crate) fn accept(&mut self, receipts: Vec<Receipt>) {
        for receipt in receipts {
            let event = receipt.event();
            let owner = event.owner.expect("a stored event has an owner");
            let feed = self.feeds.entry(owner).or_default();
            if receipt.repeated {
                let place = self.places.get(&event.id);
                assert_eq!(
                    place,
                    Some(&(owner, receipt.rev)),
                    "a repeat has its first place"
                );
                assert_eq!(
                    feed[index(receipt.rev)],
                    event,
                    "a repeat is the first event"
                );
            } else {
                assert_eq!(index(receipt.rev), feed.len(), "revs grow by exactly 1");
                let place = self.places.insert(event.id, (owner, receipt.rev));
                assert_eq!(place, None, "a new event has a new id");
                feed.push(event);
            }
        }
    }

    /// The event at `rev` of the feed of `owner`.
    pub(crate) fn event(&self, owner: OwnerId, rev: Rev) -> Option<&Event> {
        self.feed(owner).get(index(rev))
    }

    fn feed(&self, owner: OwnerId) -> &[Event] {
        self.feeds.get(&owner).map_or(&[], Vec::as_slice)
    }

    /// The rev of the newest event of `owner`.
    pub(crate) fn head(&self, owner: OwnerId) -> Rev {
        Rev::new(self.feed(owner).len() as u64)
    }

    /// The counts of the first events of the feeds of `owner` and `system`.
    pub(crate) fn summary_at(&self, own: (OwnerId, Rev), system: (OwnerId, Rev)) -> Summary {
        let mut summary = Summary::default();
        for (owner, rev) in [own, system] {
            for event in &self.feed(owner)[..index(rev.next())] {
                summary.add(event.status, event.severity, 1);
            }
        }
        summary
    }

    /// All that `owner` sees, in the order of the list: newest first.
    pub(crate) fn list(&self, owner: OwnerId, system: OwnerId) -> Vec<&Event> {
        let mut seen: Vec<_> = self.feed(owner).iter().chain(self.feed(system)).collect();
        seen.sort_by_key(|event| std::cmp::Reverse((event.created_at, event.id)));
        seen
    }

    /// Every event there is.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        self.feeds.values().flatten()
    }
}

/// The place of `rev` in a feed's list.
fn index(rev: Rev) -> usize {
    usize::try_from(rev.get() - 1).expect("a test's feed fits memory")
}

/// The n-th user of a test.
pub(crate) fn user(number: u8) -> OwnerId {
    OwnerId::from(Uuid::from_u128(0xA11C_E000 + u128::from(number)))
}
