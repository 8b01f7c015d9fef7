//! Schemas of the bodies of changes, which no single type reads.

#![expect(dead_code, reason = "these types only describe what other code reads")]

use tidings_event::{
    Action, Category, Cursor, EventId, OperationId, OwnerKind, ResourceId, Severity, Status,
    SystemId,
};
use utoipa::ToSchema;

/// How to mark one event.
#[derive(ToSchema)]
pub(crate) struct MarkOne {
    status: Status,
}

/// Which events to mark, and how.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum MarkSeveral {
    Named(MarkNamed),
    Matching(MarkMatching),
    All(MarkAll),
}

/// Marks the events with these ids. Unknown ids are ignored.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MarkNamed {
    #[schema(max_items = 10_000)]
    ids: Vec<EventId>,
    /// Those of `ids` that mean events of the system; all others then mean the caller's own. If absent, an
    /// id means the caller's own event before the system's.
    #[schema(nullable = false, max_items = 10_000)]
    system_ids: Option<Vec<EventId>>,
    status: Status,
}

/// Marks the events that match a filter, up to what the user had on screen.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MarkMatching {
    filter: ChangeFilter,
    /// The cursor of the list, or of the last frame, that the user had on screen. Later events stay
    /// unchanged.
    up_to: Cursor,
    status: Status,
}

/// Marks all events.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MarkAll {
    /// Must be `true`.
    all: bool,
    /// The cursor of the list, or of the last frame, that the user had on screen. Later events stay
    /// unchanged.
    #[schema(nullable = false)]
    up_to: Option<Cursor>,
    status: Status,
}

/// Which events to delete.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum DeleteSeveral {
    Named(DeleteNamed),
    Matching(DeleteMatching),
    All(DeleteAll),
}

/// Deletes the events with these ids. Unknown ids are ignored.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeleteNamed {
    #[schema(max_items = 10_000)]
    ids: Vec<EventId>,
    /// Those of `ids` that mean events of the system; all others then mean the caller's own. If absent, an
    /// id means the caller's own event before the system's.
    #[schema(nullable = false, max_items = 10_000)]
    system_ids: Option<Vec<EventId>>,
}

/// Deletes the events that match a filter, up to what the user had on screen.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeleteMatching {
    filter: ChangeFilter,
    /// The cursor of the list, or of the last frame, that the user had on screen. Later events stay
    /// unchanged.
    up_to: Cursor,
}

/// Deletes all events.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeleteAll {
    /// Must be `true`.
    all: bool,
    /// The cursor of the list, or of the last frame, that the user had on screen. Later events stay
    /// unchanged.
    #[schema(nullable = false)]
    up_to: Option<Cursor>,
}

/// Selects the events of a change. An event must match every field, and one entry of a list. At least one
/// field is required, and `null` and empty values are rejected, so that a malformed filter does not widen
/// a change.
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
    /// Events sent by one of these installations.
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    system_id: Option<Vec<SystemId>>,
    /// The caller's own events, or the system's.
    #[schema(nullable = false)]
    owner_kind: Option<OwnerKind>,
    /// Events of this operation.
    #[schema(nullable = false)]
    operation_id: Option<OperationId>,
    /// Events created at this time or later.
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    from: Option<String>,
    /// Events created before this time.
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    to: Option<String>,
    /// Events with this text in the description. Case does not matter in any script, and `%` and `_` are
    /// ordinary characters. At most 256 bytes in UTF-8.
    #[schema(nullable = false, min_length = 1, max_length = 256)]
    search: Option<String>,
}
