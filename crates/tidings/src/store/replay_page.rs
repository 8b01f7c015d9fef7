//! A piece of a replay.

use bytes::Bytes;
use tidings_event::{EventId, Rev, Status, Timestamp};

/// An item of a replay: an event, or a change of one or more events.
#[derive(Debug)]
pub(crate) enum ReplayItem {
    /// The JSON of an event, as its reader sees it now.
    Created(Bytes),
    /// The JSON of an event whose content was replaced, as its reader sees it now.
    Updated(Bytes),
    /// These events have this status since this moment.
    Status {
        ids: Vec<EventId>,
        /// Those of `ids` that are the system's, if one of `ids` is, or was, in both feeds that the owner sees.
        system_ids: Option<Vec<EventId>>,
        status: Status,
        at: Timestamp,
    },
    /// These events are gone.
    Deleted {
        ids: Vec<EventId>,
        system_ids: Option<Vec<EventId>>,
    },
}

/// A bounded piece of a replay.
#[derive(Debug)]
pub(crate) struct ReplayPage {
    /// The items in the order of their revs. An item with several revs has the last one.
    pub(crate) changes: Vec<(Rev, ReplayItem)>,
    /// Every change up to this rev is in this page or an earlier one.
    pub(crate) reached: Rev,
    /// The floor of the feed now. Deletions up to this rev are forgotten.
    pub(crate) floor: Rev,
}
