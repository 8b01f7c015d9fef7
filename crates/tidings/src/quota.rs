//! How much of the disk one owner may fill.

/// How many bytes the events of one owner may take; [`Config::owner_bytes`](crate::Config::owner_bytes).
///
/// Counted are the texts of an event and [`EVENT_BYTES`] for all else. The system has no quota: the
/// number of its events is bounded by [`Retention::system_events`](crate::Retention::system_events).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota(Option<u64>);

/// The bytes of an event beside its texts: its other columns and its entries in the indexes.
pub(crate) const EVENT_BYTES: u64 = 512;

/// Adds the bytes of an event to those of a feed, unless they would exceed `limit`. Returns whether it fits.
pub(crate) fn occupy(used: &mut u64, bytes: u64, limit: Option<u64>) -> bool {
    let fits = limit.is_none_or(|limit| used.saturating_add(bytes) <= limit);
    if fits {
        *used += bytes;
    }
    fits
}

/// The kind of publisher, as far as the quota of an owner is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Publisher {
    /// The owner of the events: up to the quota.
    Owner,
    /// Somebody who publishes for others: up to twice the quota, so that users who fill their inboxes
    /// themselves still get what a backend has to tell them.
    Backend,
}

impl Quota {
    pub(crate) const fn new(owner_bytes: Option<u64>) -> Self {
        Self(owner_bytes)
    }

    /// The most bytes that an owner's events may take after this publisher's.
    pub(crate) fn limit_for(self, publisher: Publisher) -> Option<u64> {
        match publisher {
            Publisher::Owner => self.0,
            Publisher::Backend => self.0.map(|bytes| bytes.saturating_mul(2)),
        }
    }
}
