//! Schemas of bodies that no single type reads or writes.

#![expect(
    dead_code,
    reason = "these types only describe what other code reads and writes"
)]

use tidings_event::{
    Cursor, ErrorBody, Event, NewEvent, NewUpdate, OwnerId, PageToken, Receipt, SeverityCount,
    SharedReceipt, SharedUpdateReceipt, Status, SystemId, Warning,
};
use utoipa::ToSchema;

use crate::log_level::Level;

/// An event to publish, with the past that an import keeps.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImportableEvent {
    #[serde(flatten)]
    event: NewEvent,
    /// With `import=true`: whether its owner had read it; `unread` if absent. Otherwise ignored.
    status: Option<Status>,
    /// With `import=true`: when its status last changed; `createdAt` if absent or earlier than that.
    /// Otherwise ignored.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<String>,
    /// The owners of the event, if there are several: UUIDs of users, instead of `owner` and `subject`. Needs
    /// `events:publish`. Not in an array of events.
    #[schema(min_items = 1, max_items = 1000, nullable = false)]
    owners: Option<Vec<OwnerId>>,
}

/// One event, or an array of them.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum Publication {
    /// One event.
    One(Box<ImportableEvent>),
    /// At most 1,000 events, stored whole or not at all unless `partial=true` is given.
    Several(Vec<ImportableEvent>),
}

/// The stored event, or an array of them, in the form of the request.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum Published {
    /// One event.
    One(Box<Receipt>),
    /// Several events, in the order of the request.
    Several(Vec<Receipt>),
    /// The outcome of one event for several owners.
    ToMany(SharedReceipt),
}

/// An update, perhaps for several owners.
#[derive(ToSchema)]
pub(crate) struct UpdateForOwners {
    #[serde(flatten)]
    update: NewUpdate,
    /// `all` updates an event that was published with `owners` for all of them. Instead of `owner` and `subject`.
    #[schema(nullable = false)]
    owners: Option<String>,
}

/// The updated event, or the outcome for all owners of one that was published with `owners`.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum UpdatedContent {
    /// The event of one owner.
    One(Box<Receipt>),
    /// The outcome for several owners.
    OfMany(SharedUpdateReceipt),
}

/// The outcome of each event of an array with `partial=true`.
#[derive(ToSchema)]
pub(crate) struct PartlyPublished {
    /// The outcomes, in the order of the request.
    results: Vec<PublishResult>,
    /// The number of stored events.
    stored: u64,
    /// The number of events that were stored before.
    repeated: u64,
    /// The number of rejected events.
    refused: u64,
}

/// The outcome of one event. It has either `event` or `error`.
#[derive(ToSchema)]
pub(crate) struct PublishResult {
    /// The index of the event in the request, from 0.
    index: u64,
    /// The status of a request with this event alone: 201, 200 for a repeat, or that of the error.
    status: u16,
    /// The event as it is stored.
    #[schema(nullable = false)]
    event: Option<Box<Event>>,
    /// The repairs of the event; absent if there are none.
    #[schema(nullable = false)]
    warnings: Option<Vec<Warning>>,
    /// Why the event was rejected.
    #[schema(nullable = false)]
    error: Option<ErrorBody>,
}

/// A page of the list, as `GET /api/events/list` returns it.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataPage {
    /// The events, in the requested order.
    data: Vec<Event>,
    /// The number of the page, from 0; 0 if the page was requested by `next`.
    page: u64,
    /// The maximum number of events on a page of this list.
    page_size: u64,
    /// The events that the caller sees, counted by severity. Only the status of the filter applies; if
    /// the filter has none, unread events are counted. Never `null`.
    count_by_severity_level: Vec<SeverityCount>,
    /// The number of events that match the filter; absent with `count=none`.
    #[schema(nullable = false)]
    total_count: Option<u64>,
    /// The number of events that the caller has read, whatever the filter.
    read_count: u64,
    /// The token of the next page; absent on the last page.
    #[schema(nullable = false)]
    next: Option<PageToken>,
    /// The cursor from which a stream continues after this page.
    cursor: Cursor,
    /// The installation. Events with this `owner` are the system's, which every user sees.
    system_id: SystemId,
}

/// The new level of the log. `event_log_level` is accepted, too.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetLogLevel {
    event_log_level: Level,
}

/// The token to revoke.
#[derive(ToSchema)]
pub(crate) struct RevokeToken {
    /// The `jti` of the token: at most 256 bytes, without white space, and without a leading `#`.
    /// Characters beyond ASCII are accepted, too.
    #[schema(min_length = 1, max_length = 256, pattern = "^[!\"$-~][!-~]*$")]
    id: String,
    /// When the token expires; without it, the revocation is kept forever.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<String>,
}

/// The state of the server.
#[derive(ToSchema)]
pub(crate) struct Health {
    /// `alive`, `ready` or `degraded`.
    status: String,
    /// The version of the server.
    version: String,
}
