//! The items of the live stream, and the payload of each kind of frame.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::{CountDelta, Summary};
use crate::cursor::Cursor;
use crate::event::Event;
use crate::event_ref::{self, EventRef};
use crate::id::EventId;
use crate::status::Status;

/// Why the reader must fetch the list again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResetReason {
    /// The text is not a cursor.
    Malformed,
    /// The cursor belongs to another user or another installation, or predates a restore.
    Foreign,
    /// The store no longer has every change after the cursor.
    TooOld,
    /// The cursor is ahead of the feed.
    TooNew,
    /// A reason that only a newer version knows. No server sends it.
    #[serde(other)]
    Unknown,
}

impl ResetReason {
    /// Every reason that this version sends.
    pub const ALL: [Self; 4] = [Self::Malformed, Self::Foreign, Self::TooOld, Self::TooNew];
}

impl fmt::Display for ResetReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A change of status: the `data:` of a `status` frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StatusChange {
    /// The events that changed; at most 512.
    pub ids: Vec<EventId>,
    /// The ids among `ids` that name system events; all others name the reader's own. A replayed item has
    /// them only if a publisher sent one id to the reader and to the system. If absent, an id names the
    /// reader's own event if the reader has one with this id, otherwise the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_ids: Option<Vec<EventId>>,
    /// The new status of the events.
    pub status: Status,
    /// The time of the change: the new `updatedAt` of the events.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// The difference that the change makes to the counts. Absent until the next `live` item while the
    /// stream catches up.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::frame_counts::FrameCounts, inline))]
    pub counts: Option<CountDelta>,
}

/// A deletion: the `data:` of a `deleted` frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Deletion {
    /// The events that were deleted; at most 512. A reader has not necessarily seen them.
    pub ids: Vec<EventId>,
    /// The ids among `ids` that name system events; all others name the reader's own. A replayed item has
    /// them only if a publisher sent one id to the reader and to the system. If absent, an id names the
    /// reader's own event if the reader has one with this id, otherwise the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_ids: Option<Vec<EventId>>,
    /// The difference that the deletion makes to the counts. Absent until the next `live` item while the
    /// stream catches up.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::frame_counts::FrameCounts, inline))]
    pub counts: Option<CountDelta>,
}

/// A change of content: the `data:` of an `updated` frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContentChange {
    /// The event as it is now. A reader that does not have it, because it was deleted or is not on the screen, skips
    /// the change. Of a system event, each reader has `status` and `updatedAt` of their own and keeps them.
    pub event: Box<Event>,
    /// The difference that the change makes to the counts. Absent until the next `live` item while the stream catches
    /// up.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::frame_counts::FrameCounts, inline))]
    pub counts: Option<CountDelta>,
}

impl ContentChange {
    /// A change to this event, without counts.
    pub fn new(event: Event) -> Self {
        Self {
            event: Box::new(event),
            counts: None,
        }
    }

    /// Adds the difference that the change makes to the counts.
    #[must_use]
    pub fn with_counts(mut self, counts: CountDelta) -> Self {
        self.counts = Some(counts);
        self
    }
}

impl StatusChange {
    /// A change of these events to `status` at `updated_at`, without counts.
    pub const fn new(ids: Vec<EventId>, status: Status, updated_at: Timestamp) -> Self {
        Self {
            ids,
            system_ids: None,
            status,
            updated_at,
            counts: None,
        }
    }

    /// The events that changed, with the feed of each if [`system_ids`](Self::system_ids) tells it.
    pub fn events(&self) -> impl Iterator<Item = EventRef> {
        event_ref::named(&self.ids, self.system_ids.as_deref())
    }

    /// Marks the ids that name system events; see [`system_ids`](Self::system_ids).
    #[must_use]
    pub fn with_system_ids(mut self, system_ids: Option<Vec<EventId>>) -> Self {
        self.system_ids = system_ids;
        self
    }

    /// Adds the difference that the change makes to the counts.
    #[must_use]
    pub fn with_counts(mut self, counts: CountDelta) -> Self {
        self.counts = Some(counts);
        self
    }
}

impl Deletion {
    /// A deletion of these events, without counts.
    pub const fn new(ids: Vec<EventId>) -> Self {
        Self {
            ids,
            system_ids: None,
            counts: None,
        }
    }

    /// The events that were deleted, with the feed of each if [`system_ids`](Self::system_ids) tells it.
    pub fn events(&self) -> impl Iterator<Item = EventRef> {
        event_ref::named(&self.ids, self.system_ids.as_deref())
    }

    /// Marks the ids that name system events; see [`system_ids`](Self::system_ids).
    #[must_use]
    pub fn with_system_ids(mut self, system_ids: Option<Vec<EventId>>) -> Self {
        self.system_ids = system_ids;
        self
    }

    /// Adds the difference that the deletion makes to the counts.
    #[must_use]
    pub fn with_counts(mut self, counts: CountDelta) -> Self {
        self.counts = Some(counts);
        self
    }
}

/// One item of a stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StreamItem {
    /// The stream begins after `cursor`, and the counts are unknown until the next `live`. The server
    /// sends `ready` again if it can no longer attribute the counts to each change, for example when a
    /// reader falls far behind.
    Ready {
        /// The accepted starting point.
        cursor: Cursor,
        /// The position of the feeds at that time.
        head: Cursor,
    },
    /// An event was published.
    Created {
        /// The position of the reader after this item.
        cursor: Cursor,
        /// The event.
        event: Box<Event>,
    },
    /// The status of events changed.
    Status {
        /// The position of the reader after this item.
        cursor: Cursor,
        /// The events and their new status.
        change: StatusChange,
    },
    /// Events were deleted.
    Deleted {
        /// The position of the reader after this item.
        cursor: Cursor,
        /// The deleted events.
        deletion: Deletion,
    },
    /// The publisher replaced the content of an event.
    Updated {
        /// The position of the reader after this item.
        cursor: Cursor,
        /// The event and its new content.
        change: ContentChange,
    },
    /// Replay is complete. From here on, each created event adds 1 to the count of its status, and the
    /// other changes carry their difference to the counts.
    Live {
        /// The position of the reader.
        cursor: Cursor,
        /// The exact counts at this cursor.
        summary: Summary,
    },
    /// The server cannot use the reader's cursor. The reader must fetch the list; the stream continues
    /// from here.
    Reset {
        /// The position at which the stream continues.
        cursor: Cursor,
        /// Why the cursor cannot be used.
        reason: ResetReason,
    },
    /// The reader's credential expires soon and ends the stream. The reader must connect again with a
    /// fresh one. This item is not a change of events.
    Expiring {
        /// The position of the reader.
        cursor: Cursor,
        /// The time at which the credential expires or expired.
        at: Timestamp,
    },
}

/// The `data:` of a `ready` frame.
#[derive(Serialize, Deserialize)]
struct ReadyData {
    cursor: Cursor,
    head: Cursor,
}

/// The `data:` of a `live` frame.
#[derive(Serialize, Deserialize)]
struct LiveData {
    cursor: Cursor,
    summary: Summary,
}

/// The `data:` of a `reset` frame.
#[derive(Serialize, Deserialize)]
struct ResetData {
    cursor: Cursor,
    reason: ResetReason,
}

/// The `data:` of an `expiring` frame.
#[derive(Serialize, Deserialize)]
struct ExpiringData {
    at: Timestamp,
}

impl StreamItem {
    /// The maximum number of events in one `status` or `deleted` item.
    pub const MAX_IDS: usize = 512;

    /// The name of the frame for a change of status.
    pub const STATUS: &str = "status";
    /// The name of the frame for a deletion.
    pub const DELETED: &str = "deleted";

    /// The name of the frame for a change of content.
    pub const UPDATED: &str = "updated";

    /// The position of the reader after this item: the `id:` of its frame.
    pub const fn cursor(&self) -> Cursor {
        match self {
            Self::Ready { cursor, .. }
            | Self::Created { cursor, .. }
            | Self::Status { cursor, .. }
            | Self::Deleted { cursor, .. }
            | Self::Updated { cursor, .. }
            | Self::Live { cursor, .. }
            | Self::Reset { cursor, .. }
            | Self::Expiring { cursor, .. } => *cursor,
        }
    }

    /// The name of the frame (`event:`). `None` for a created event, so that existing clients receive
    /// it in `onmessage`.
    pub const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Ready { .. } => Some("ready"),
            Self::Created { .. } => None,
            Self::Status { .. } => Some(Self::STATUS),
            Self::Deleted { .. } => Some(Self::DELETED),
            Self::Updated { .. } => Some(Self::UPDATED),
            Self::Live { .. } => Some("live"),
            Self::Reset { .. } => Some("reset"),
            Self::Expiring { .. } => Some("expiring"),
        }
    }

    /// The payload of the frame (`data:`): one line of JSON.
    pub fn data(&self) -> String {
        let json = match self {
            Self::Ready { cursor, head } => serde_json::to_string(&ReadyData {
                cursor: *cursor,
                head: *head,
            }),
            Self::Created { event, .. } => serde_json::to_string(event),
            Self::Status { change, .. } => serde_json::to_string(change),
            Self::Deleted { deletion, .. } => serde_json::to_string(deletion),
            Self::Updated { change, .. } => serde_json::to_string(change),
            Self::Live { cursor, summary } => serde_json::to_string(&LiveData {
                cursor: *cursor,
                summary: summary.clone(),
            }),
            Self::Reset { cursor, reason } => serde_json::to_string(&ResetData {
                cursor: *cursor,
                reason: *reason,
            }),
            Self::Expiring { at, .. } => serde_json::to_string(&ExpiringData { at: *at }),
        };
        json.expect("stream items have only text keys")
    }

    /// Reads a frame. `None` if this version does not know the kind of frame; readers skip it.
    ///
    /// # Errors
    ///
    /// The payload does not match the name of the frame.
    pub fn read(name: &str, cursor: Cursor, data: &str) -> serde_json::Result<Option<Self>> {
        Ok(Some(match name {
            "" | "message" => Self::Created {
                cursor,
                event: serde_json::from_str(data)?,
            },
            Self::STATUS => Self::Status {
                cursor,
                change: serde_json::from_str(data)?,
            },
            Self::DELETED => Self::Deleted {
                cursor,
                deletion: serde_json::from_str(data)?,
            },
            Self::UPDATED => Self::Updated {
                cursor,
                change: serde_json::from_str(data)?,
            },
            "ready" => {
                let ReadyData { cursor, head } = serde_json::from_str(data)?;
                Self::Ready { cursor, head }
            }
            "live" => {
                let LiveData { cursor, summary } = serde_json::from_str(data)?;
                Self::Live { cursor, summary }
            }
            "reset" => {
                let ResetData { cursor, reason } = serde_json::from_str(data)?;
                Self::Reset { cursor, reason }
            }
            "expiring" => {
                let ExpiringData { at } = serde_json::from_str(data)?;
                Self::Expiring { cursor, at }
            }
            _ => return Ok(None),
        }))
    }
}
