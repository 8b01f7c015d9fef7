//! Reports of the upkeep of a store.

use tidings_event::{EventId, OwnerId};

/// The position at which retention continues: after a feed, which each store names in its own way. The
/// default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeedPosition(pub(super) u128);

impl FeedPosition {
    /// After the feed that the store knows under this number.
    pub(super) const fn after(feed: u128) -> Self {
        Self(feed)
    }

    /// Before this feed, whose number is not 0, and after all before it.
    pub(super) const fn before(feed: u128) -> Self {
        Self(feed - 1)
    }
}

/// Expired events.
#[derive(Debug)]
pub(crate) struct ExpiredPage {
    /// The events by their owners.
    pub(crate) events: Vec<(OwnerId, Vec<EventId>)>,
    /// Where retention continues; `None` after the last feed. The same position again if one feed has more.
    pub(crate) next: Option<FeedPosition>,
}

/// Whether there is more of the same work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There is more.
    More,
    /// There is none.
    Done,
}

/// Whether the disk has space for new events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// It has.
    Enough,
    /// Only the space that deleted events have left.
    Tight,
}

/// The space that a store takes and the space of its disk, in bytes.
#[cfg(feature = "metrics")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DiskSpace {
    /// The size of its files.
    pub(crate) database_bytes: u64,
    /// The free space of its file system for this user.
    pub(crate) free_bytes: u64,
    /// The size of its file system.
    pub(crate) disk_bytes: u64,
}
