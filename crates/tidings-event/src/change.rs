//! What an owner can do to events, and to which.

use crate::cursor::Cursor;
use crate::id::EventId;
use crate::kind::Status;
use crate::query::EventFilter;

/// What is done to events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// They are marked as read or as unread.
    Status(Status),
    /// They are deleted.
    Delete,
}

/// Which events a change is about. What the owner does not see is never touched.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// These; unknown ids are passed over.
    Ids(Vec<EventId>),
    /// All that match a filter, up to what the owner had on screen.
    Filter {
        /// Which. An empty one is refused: [`Selection::All`] says that all are meant.
        filter: Box<EventFilter>,
        /// The cursor of what the owner had on screen. Newer events are left alone.
        up_to: Cursor,
    },
    /// All there are.
    All {
        /// The cursor of what the owner had on screen, if newer events are to be left alone.
        up_to: Option<Cursor>,
    },
}
