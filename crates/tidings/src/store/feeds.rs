//! The feeds that an owner sees: their bounds and counts, and runs of their revs.

use tidings_event::{Rev, Status, Summary};

/// One of the two feeds that a user sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The system's.
    System,
    /// The user's own. For the system itself there is only the other.
    Own,
}

/// The bounds of a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeedBounds {
    /// The rev of the newest change.
    pub(crate) head: Rev,
    /// Changes below this rev are no longer kept.
    pub(crate) floor: Rev,
}

/// A run of changes of one feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RevRange {
    /// Not included.
    pub(crate) after: Rev,
    /// The last rev of the run.
    pub(crate) up_to: Rev,
}

/// The heads and counts of an owner's view, from one read, so that they agree.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The owner's own feed.
    pub(crate) own: FeedBounds,
    /// The system's feed.
    pub(crate) system: FeedBounds,
    /// The counts of both feeds together at these heads.
    pub(crate) summary: Summary,
}

impl Snapshot {
    /// The view of an owner: their own feed and the system's, each of which may not exist yet.
    pub(super) fn of(
        (own, own_counts): (Option<FeedBounds>, &Summary),
        (system, system_counts): (Option<FeedBounds>, &Summary),
    ) -> Self {
        let mut summary = own_counts.clone();
        for status in [Status::Unread, Status::Read] {
            for (severity, number) in system_counts.of(status) {
                summary.add(status, *severity, *number);
            }
        }
        Self {
            own: own.unwrap_or_default(),
            system: system.unwrap_or_default(),
            summary,
        }
    }
}
