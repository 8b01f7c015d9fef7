//! An event on its way from another store.

use serde::Serialize;
use tidings_event::{Event, NewEvent, Past};

/// An exported event: what its publisher gave, and what became of it since.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PastEvent {
    /// What its publisher gave.
    #[serde(flatten)]
    pub event: NewEvent,
    /// Whether it was read, and when it last changed.
    #[serde(flatten)]
    pub past: Past,
}

impl From<Event> for PastEvent {
    fn from(event: Event) -> Self {
        Self {
            past: Past {
                status: event.status.into(),
                updated_at: event.updated_at.into(),
            },
            event: event.into(),
        }
    }
}
