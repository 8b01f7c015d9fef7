//! Bodies that are read or written by hand, described.

#![expect(
    dead_code,
    reason = "these types only describe what other code reads and writes"
)]

use tidings_event::{
    Action, Category, Cursor, ErrorBody, Event, EventId, NewEvent, OperationId, OwnerKind,
    PageToken, Receipt, ResourceId, Severity, SeverityCount, Status, Warning,
};
use utoipa::ToSchema;

use crate::log_level::Level;

/// An event to publish, and what an import keeps of its past.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImportableEvent {
    #[serde(flatten)]
    event: NewEvent,
    /// With `import=true`: whether its owner had read it; unread where it is absent. Otherwise
    /// ignored.
    status: Option<Status>,
    /// With `import=true`: when its status had last changed; a time before `createdAt`, or none, is
    /// that of `createdAt`. Otherwise ignored.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<String>,
}

/// One event, or an array of them.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum Publication {
    /// One.
    One(Box<ImportableEvent>),
    /// Several, at most 1,000, stored whole or not at all unless `partial=true`.
    Several(Vec<ImportableEvent>),
}

/// The stored event, or an array of them: in the form of the request.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum Published {
    /// One.
    One(Box<Receipt>),
    /// Several, in the order of the request.
    Several(Vec<Receipt>),
}

/// What became of each event of an array with `partial=true`.
#[derive(ToSchema)]
pub(crate) struct PartlyPublished {
    /// One for each event, in the order of the request.
    results: Vec<PublishResult>,
    /// How many were stored.
    stored: u64,
    /// How many had been stored before.
    repeated: u64,
    /// How many were refused.
    refused: u64,
}

/// What became of one event: it has either `event` or `error`.
#[derive(ToSchema)]
pub(crate) struct PublishResult {
    /// Its place in the request, from 0.
    index: u64,
    /// The status it would have been answered with by itself: 201, 200 for a repeat, or that of the error.
    status: u16,
    /// The event as it is stored.
    #[schema(nullable = false)]
    event: Option<Box<Event>>,
    /// What was repaired in it; absent where nothing was.
    #[schema(nullable = false)]
    warnings: Option<Vec<Warning>>,
    /// Why it was refused.
    #[schema(nullable = false)]
    error: Option<ErrorBody>,
}

/// A page of the list, as `GET /api/events/list` answers it.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataPage {
    /// The events, in the order that was asked for.
    data: Vec<Event>,
    /// The page's number, from 0; 0 where the page was asked for by `next`.
    page: u64,
    /// The most events a page of this size holds.
    page_size: u64,
    /// What the caller sees by severity, whatever the filter but its status: unread unless it asks
    /// for another. Never `null`.
    count_by_severity_level: Vec<SeverityCount>,
    /// How many events match the filter; absent where they were not to be counted.
    #[schema(nullable = false)]
    total_count: Option<u64>,
    /// How many events the caller has read, whatever the filter.
    read_count: u64,
    /// Asks for the page after this one; absent on the last.
    #[schema(nullable = false)]
    next: Option<PageToken>,
    /// Subscribe from here to miss nothing after this page was read.
    cursor: Cursor,
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
    Named(MarkNamed),
    Matching(MarkMatching),
    All(MarkAll),
}

/// These are to be marked; unknown ids are passed over.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MarkNamed {
    #[schema(max_items = 10_000)]
    ids: Vec<EventId>,
    status: Status,
}

/// Those that match a filter are to be marked, up to what the user had on screen.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MarkMatching {
    filter: ChangeFilter,
    /// Newer events are left alone.
    up_to: Cursor,
    status: Status,
}

/// All there are are to be marked.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MarkAll {
    /// `true`: all there are. `false` is refused.
    all: bool,
    /// Newer events are left alone.
    #[schema(nullable = false)]
    up_to: Option<Cursor>,
    status: Status,
}

/// Which events are to be deleted.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum DeleteSeveral {
    Named(DeleteNamed),
    Matching(DeleteMatching),
    All(DeleteAll),
}

/// These are to be deleted; unknown ids are passed over.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeleteNamed {
    #[schema(max_items = 10_000)]
    ids: Vec<EventId>,
}

/// Those that match a filter are to be deleted, up to what the user had on screen.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeleteMatching {
    filter: ChangeFilter,
    /// Newer events are left alone.
    up_to: Cursor,
}

/// All there are are to be deleted.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeleteAll {
    /// `true`: all there are. `false` is refused.
    all: bool,
    /// Newer events are left alone.
    #[schema(nullable = false)]
    up_to: Option<Cursor>,
}

/// Which events a change is about. Every part must hold, of a list one entry. There is at least one
/// part, and none of them is `null` or empty: what was meant to narrow a change does not widen it.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeFilter {
    /// Read or unread.
    #[schema(nullable = false)]
    status: Option<Status>,
    /// One of these categories.
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    category: Option<Vec<Category>>,
    /// One of these actions.
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    action: Option<Vec<Action>>,
    /// One of these severities.
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    severity: Option<Vec<Severity>>,
    /// One of these resources.
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    acted_upon: Option<Vec<ResourceId>>,
    /// The caller's own events, or the system's.
    #[schema(nullable = false)]
    owner_kind: Option<OwnerKind>,
    /// Of this operation.
    #[schema(nullable = false)]
    operation_id: Option<OperationId>,
    /// Created at this moment or later.
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    from: Option<String>,
    /// Created before this moment.
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    to: Option<String>,
    /// With this text in the description, in any case of any script; `%` and `_` are ordinary
    /// characters. At most 256 bytes in UTF-8, which are fewer characters where they are not ASCII.
    #[schema(nullable = false, min_length = 1, max_length = 256)]
    search: Option<String>,
}

/// The level that the log is to have; `event_log_level` is taken too.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetLogLevel {
    event_log_level: Level,
}

/// The token that is to be refused.
#[derive(ToSchema)]
pub(crate) struct RevokeToken {
    /// Its `jti`; at most 256 bytes, no white space, and no `#` in front. Characters beyond ASCII are
    /// taken, too.
    #[schema(min_length = 1, max_length = 256, pattern = "^[!\"$-~][!-~]*$")]
    id: String,
    /// When it expires anyway; without it, it is remembered for ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<String>,
}

/// That the server is there.
#[derive(ToSchema)]
pub(crate) struct Health {
    /// `alive` or `ready`.
    status: String,
    /// The version of the server.
    version: String,
}
