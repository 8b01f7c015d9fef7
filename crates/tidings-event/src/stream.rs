//! What the live stream carries: the payload of each kind of frame.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::{CountDelta, Summary};
use crate::cursor::Cursor;
use crate::event::Event;
use crate::id::EventId;
use crate::kind::Status;

/// Why a reader has to fetch the list again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// The text is not a cursor.
    Malformed,
    /// The cursor is of another user or another installation, or from before a restore.
    Foreign,
    /// Changes after the cursor are no longer kept.
    TooOld,
    /// The cursor is ahead of the feed.
    TooNew,
}

impl fmt::Display for ResetReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Events got another status: the `data:` of a `status` frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StatusChange {
    /// Which events; at most 512.
    pub ids: Vec<EventId>,
    /// Those of `ids` that name events of the system; all others name the reader's own. Present only if a
    /// publisher sent one id to the reader and to the system. If it is absent, an id names the reader's
    /// own event if the reader has one with this id, else the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_ids: Option<Vec<EventId>>,
    /// Their status now.
    pub status: Status,
    /// When they were changed: their `updatedAt` now.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// What that does to the counts. Absent while the stream catches up: the next `live` has them.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::FrameCounts, inline))]
    pub counts: Option<CountDelta>,
}

/// Events are gone: the `data:` of a `deleted` frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// Which events; at most 512. A reader may never have seen them.
    pub ids: Vec<EventId>,
    /// Those of `ids` that name events of the system; all others name the reader's own. Present only if a
    /// publisher sent one id to the reader and to the system. If it is absent, an id names the reader's
    /// own event if the reader has one with this id, else the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_ids: Option<Vec<EventId>>,
    /// What that does to the counts. Absent while the stream catches up: the next `live` has them.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::FrameCounts, inline))]
    pub counts: Option<CountDelta>,
}

/// One item of a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamItem {
    /// The stream begins after `cursor`. It comes again when the server can no longer tell each
    /// change's part in the counts, for example to a reader that has fallen far behind: until the
    /// next `live` the counts are not known.
    Ready {
        /// The accepted starting point.
        cursor: Cursor,
        /// Where the feeds stood then.
        head: Cursor,
    },
    /// An event was published.
    Created {
        /// The reader has got this far with it.
        cursor: Cursor,
        /// The event.
        event: Box<Event>,
    },
    /// Events got another status.
    Status {
        /// The reader has got this far with it.
        cursor: Cursor,
        /// Which, and what that means.
        change: StatusChange,
    },
    /// Events are gone.
    Deleted {
        /// The reader has got this far with it.
        cursor: Cursor,
        /// Which, and what that means.
        deletion: Deletion,
    },
    /// Replay is over. From here on each created event counts one more of its status, and the other
    /// changes say what they do to the counts.
    Live {
        /// The reader has got this far.
        cursor: Cursor,
        /// The exact counts at this cursor.
        summary: Summary,
    },
    /// The reader's cursor could not be used: fetch the list and go on from here.
    Reset {
        /// Where the stream goes on.
        cursor: Cursor,
        /// Why.
        reason: ResetReason,
    },
    /// The stream ends when the reader's credential does: come back with a fresh one. It is no change,
    /// and says nothing of events.
    Expiring {
        /// The reader has got this far.
        cursor: Cursor,
        /// When the credential ends, or has ended.
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
    /// The most events that one `status` or `deleted` names.
    pub const MAX_IDS: usize = 512;

    /// The name of a frame that shows a change of status.
    pub const STATUS: &str = "status";
    /// The name of a frame that shows a deletion.
    pub const DELETED: &str = "deleted";

    /// How far the reader has got with this item: the `id:` of its frame.
    pub const fn cursor(&self) -> Cursor {
        match self {
            Self::Ready { cursor, .. }
            | Self::Created { cursor, .. }
            | Self::Status { cursor, .. }
            | Self::Deleted { cursor, .. }
            | Self::Live { cursor, .. }
            | Self::Reset { cursor, .. }
            | Self::Expiring { cursor, .. } => *cursor,
        }
    }

    /// The name of its frame (`event:`); none for a created event, so that `onmessage` of existing
    /// clients gets it.
    pub const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Ready { .. } => Some("ready"),
            Self::Created { .. } => None,
            Self::Status { .. } => Some(Self::STATUS),
            Self::Deleted { .. } => Some(Self::DELETED),
            Self::Live { .. } => Some("live"),
            Self::Reset { .. } => Some("reset"),
            Self::Expiring { .. } => Some("expiring"),
        }
    }

    /// The payload of its frame (`data:`): one line of JSON.
    pub fn data(&self) -> String {
        let json = match self {
            Self::Ready { cursor, head } => serde_json::to_string(&ReadyData {
                cursor: *cursor,
                head: *head,
            }),
            Self::Created { event, .. } => serde_json::to_string(event),
            Self::Status { change, .. } => serde_json::to_string(change),
            Self::Deleted { deletion, .. } => serde_json::to_string(deletion),
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

    /// Reads a frame back. `None` for a kind this version does not know, which a reader skips.
    ///
    /// # Errors
    ///
    /// When the payload is not that of a frame of this name.
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
