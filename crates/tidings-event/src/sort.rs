//! The order of a list.

use serde::{Deserialize, Serialize};

/// The time by which a list is sorted. Events with the same time are sorted by id. If two events have the
/// same time and id, the user's own precedes the system's in ascending order.
// An event has only these two times, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    /// The time of creation. Pages by token are stable while events change.
    #[default]
    CreatedAt,
    /// The time of the last change. An event that changes during paging can move past the current page;
    /// the stream from the list's cursor reports it.
    UpdatedAt,
}

/// The direction of a list.
// Only these two directions exist, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SortOrder {
    /// Oldest first.
    #[serde(rename = "asc")]
    Ascending,
    /// Newest first.
    #[default]
    #[serde(rename = "desc")]
    Descending,
}

/// The order of a list; newest first by default.
///
/// The wire contract defines exactly these two parameters, so the struct is exhaustive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sort {
    /// The time to sort by.
    pub key: SortKey,
    /// The direction.
    pub order: SortOrder,
}

impl SortKey {
    /// The word used in queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }
}

impl SortOrder {
    /// The word used in queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}
