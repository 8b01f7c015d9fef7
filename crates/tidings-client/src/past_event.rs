//! An event exported from another store.

use serde::Serialize;
use tidings_event::{Event, NewEvent, Past};

/// An exported event: the publisher's fields, and the status and last change since then.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PastEvent {
    /// The publisher's fields.
    #[serde(flatten)]
    pub event: NewEvent,
    /// The status and the time of the last change.
    #[serde(flatten)]
    pub past: Past,
}

impl PastEvent {
    /// An event with this history.
    pub const fn new(event: NewEvent, past: Past) -> Self {
        Self { event, past }
    }
}

impl From<Event> for PastEvent {
    fn from(event: Event) -> Self {
        Self {
            past: Past::from(&event),
            event: event.into(),
        }
    }
}
