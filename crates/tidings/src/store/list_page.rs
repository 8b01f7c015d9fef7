//! The pieces in which events are listed.

use tidings_event::{EventFilter, PageToken, Rev};

use super::change_step::Target;
use super::encoded::{EncodedEvents, Unread};
use super::feeds::Snapshot;

/// A page of the list with its counts, from one snapshot.
#[derive(Debug)]
pub(crate) struct ListPage {
    /// The events in the requested order.
    pub(crate) events: EncodedEvents,
    /// The other events of the page. They are read later, and not from the snapshot.
    pub(crate) unread: Unread,
    /// The token of the next page.
    pub(crate) next: Option<PageToken>,
    /// How many events match the filter, if requested.
    pub(crate) total: Option<u64>,
    /// The snapshot of the page.
    pub(crate) snapshot: Snapshot,
}

/// The events that a bulk change is about.
#[derive(Clone, Debug)]
pub(crate) struct Matching {
    /// The filter that they match.
    pub(crate) filter: EventFilter,
    /// The newest rev in the owner's own feed.
    pub(crate) own_up_to: Rev,
    /// The newest rev in the system's feed.
    pub(crate) system_up_to: Rev,
}

/// A piece of the matching events.
#[derive(Debug)]
pub(crate) struct MatchPage {
    /// The oldest first.
    pub(crate) targets: Vec<Target>,
    /// Where the next piece begins; `None` after the last one.
    pub(crate) next: Option<PageToken>,
}
