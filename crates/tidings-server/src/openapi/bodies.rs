//! Bodies that are read or written by hand, described.

#![expect(
    dead_code,
    reason = "these types only describe what other code reads and writes"
)]

use tidings_event::{Cursor, Event, EventFilter, EventId, NewEvent, Status};
use utoipa::ToSchema;

use crate::log_level::Level;

/// One event, or an array of them.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum Publication {
    /// One.
    One(Box<NewEvent>),
    /// Several, at most 1,000, stored whole or not at all.
    Several(Vec<NewEvent>),
}

/// The stored event, or an array of them: in the form of the request.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum Published {
    /// One.
    One(Box<Event>),
    /// Several, in the order of the request.
    Several(Vec<Event>),
}

/// As what one event is to be marked.
#[derive(ToSchema)]
pub(crate) struct MarkOne {
    status: Status,
}

/// Which events are to be marked, and as what.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum MarkSeveral {
    /// These; unknown ids are passed over.
    #[serde(rename_all = "camelCase")]
    Ids {
        /// At most 10,000.
        ids: Vec<EventId>,
        status: Status,
    },
    /// Those that match a filter, which is not empty, up to what the user had on screen.
    #[serde(rename_all = "camelCase")]
    Filter {
        filter: EventFilter,
        /// Newer events are left alone.
        up_to: Cursor,
        status: Status,
    },
    /// All there are.
    #[serde(rename_all = "camelCase")]
    All {
        /// Only `true`.
        all: bool,
        /// Newer events are left alone.
        up_to: Option<Cursor>,
        status: Status,
    },
}

/// Which events are to be deleted.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum DeleteSeveral {
    /// These; unknown ids are passed over.
    #[serde(rename_all = "camelCase")]
    Ids {
        /// At most 10,000.
        ids: Vec<EventId>,
    },
    /// Those that match a filter, which is not empty, up to what the user had on screen.
    #[serde(rename_all = "camelCase")]
    Filter {
        filter: EventFilter,
        /// Newer events are left alone.
        up_to: Cursor,
    },
    /// All there are.
    #[serde(rename_all = "camelCase")]
    All {
        /// Only `true`.
        all: bool,
        /// Newer events are left alone.
        up_to: Option<Cursor>,
    },
}

/// The level that the log is to have; `event_log_level` is taken too.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetLogLevel {
    event_log_level: Level,
}

/// That the server is there.
#[derive(ToSchema)]
pub(crate) struct Health {
    /// `alive` or `ready`.
    status: String,
}
