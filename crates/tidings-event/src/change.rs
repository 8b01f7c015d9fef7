//! Changes to events, and the selection of events to change.

use crate::cursor::Cursor;
use crate::event_ref::EventRef;
use crate::filter::EventFilter;
use crate::id::EventId;
use crate::status::Status;

/// A change that an owner can make to events.
///
/// The enum is exhaustive: the engine and the HTTP API must handle every kind of change, so that a new
/// one is a breaking change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Marks events as read or unread.
    Status(Status),
    /// Deletes events.
    Delete,
}

/// The result of a change of several events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// The ids of the events that changed, if the selection was by ids; otherwise empty. An id that
    /// changed in the owner's feed and in the system's is there twice.
    pub ids: Vec<EventId>,
    /// The number of events that changed.
    pub count: u64,
}

impl Changes {
    /// A result with these ids and this count.
    pub const fn new(ids: Vec<EventId>, count: u64) -> Self {
        Self { ids, count }
    }
}

/// The outcome of a change of one event.
///
/// A program handles each outcome in its own way, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// The event now has the status, or is deleted. It is the same if that was so before, so that a change
    /// can be repeated.
    Done,
    /// The owner sees no such event. An event of another owner is unknown too.
    NotFound,
}

/// The events to change. A change never affects an event that its owner cannot see.
///
/// The enum is exhaustive for the same reason as [`Change`].
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// The named events. Unknown ones are skipped.
    Ids(Vec<EventRef>),
    /// Every event that matches a filter, up to a cursor.
    Filter {
        /// The filter. An empty filter is rejected; [`Selection::All`] selects every event.
        filter: Box<EventFilter>,
        /// The cursor of the list that the owner saw. Newer events are not changed.
        up_to: Cursor,
    },
    /// Every event.
    All {
        /// The cursor of the list that the owner saw. If set, newer events are not changed.
        up_to: Option<Cursor>,
    },
}

impl Selection {
    /// The events with these ids. See [`EventRef`] for what an id alone means.
    pub fn ids(events: impl IntoIterator<Item = impl Into<EventRef>>) -> Self {
        Self::Ids(events.into_iter().map(Into::into).collect())
    }
}
