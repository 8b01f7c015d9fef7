//! Events whose publishers' time for their deletion has come.

use std::collections::BTreeMap;

use tidings_event::{EventId, OwnerId};

use super::upkeep::Progress;

/// The most events that are found at a time.
pub(super) const EVENTS_AT_A_TIME: usize = 4096;

/// The events that have expired first, by their owners.
#[derive(Debug, Default)]
pub(crate) struct DueEvents {
    by_owner: BTreeMap<OwnerId, Vec<EventId>>,
    number: usize,
}

impl DueEvents {
    /// Adds an event that has expired.
    pub(super) fn add(&mut self, owner: OwnerId, event: EventId) {
        self.by_owner.entry(owner).or_default().push(event);
        self.number += 1;
    }

    /// Whether more can have expired.
    pub(crate) const fn progress(&self) -> Progress {
        match self.number < EVENTS_AT_A_TIME {
            true => Progress::Done,
            false => Progress::More,
        }
    }

    /// The events by their owners.
    pub(crate) fn by_owner(self) -> impl Iterator<Item = (OwnerId, Vec<EventId>)> {
        self.by_owner.into_iter()
    }
}
