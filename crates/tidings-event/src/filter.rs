//! The filter of a list, a change or a count.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{OperationId, ResourceId, SystemId};
use crate::name::{Action, Category};
use crate::severity::Severity;
use crate::status::Status;

/// The owner of the events: the user or the system.
// Only these two kinds of owner exist, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum OwnerKind {
    /// The user's own events.
    User,
    /// The system's events, which every user sees.
    System,
}

impl OwnerKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::User, Self::System];

    /// The word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::System => "system",
        }
    }
}

/// A filter for events. An event matches if it satisfies every part that is set. A list is satisfied
/// by any of its entries; an empty list is not set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EventFilter {
    /// The status: read or unread.
    pub status: Option<Status>,
    /// Any of these categories.
    pub category: Vec<Category>,
    /// Any of these actions.
    pub action: Vec<Action>,
    /// Any of these severities.
    pub severity: Vec<Severity>,
    /// Any of these resources.
    pub acted_upon: Vec<ResourceId>,
    /// Sent by any of these installations.
    // Left out if empty, so that the page tokens of earlier versions stay valid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system_id: Vec<SystemId>,
    /// The owner of the events: the caller or the system.
    pub owner_kind: Option<OwnerKind>,
    /// The operation.
    pub operation_id: Option<OperationId>,
    /// Only events created at this time or later.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub from: Option<Timestamp>,
    /// Only events created before this time.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub to: Option<Timestamp>,
    /// A text that the description contains. The search ignores case in every script, and `%` and `_`
    /// are ordinary characters. At most [`EventFilter::MAX_SEARCH_BYTES`].
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub search: Option<String>,
}

impl EventFilter {
    /// The maximum length of the search text, in bytes.
    pub const MAX_SEARCH_BYTES: usize = 256;

    /// Matches only events with this status.
    ///
    /// ```
    /// use tidings_event::{EventFilter, Severity, Status};
    ///
    /// let filter = EventFilter::default()
    ///     .with_status(Status::Unread)
    ///     .with_severity([Severity::Error, Severity::Critical]);
    /// assert!(!filter.is_empty());
    /// ```
    #[must_use]
    pub const fn with_status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// Matches only events with one of these categories.
    #[must_use]
    pub fn with_category(mut self, category: impl IntoIterator<Item = Category>) -> Self {
        self.category = category.into_iter().collect();
        self
    }

    /// Matches only events with one of these actions.
    #[must_use]
    pub fn with_action(mut self, action: impl IntoIterator<Item = Action>) -> Self {
        self.action = action.into_iter().collect();
        self
    }

    /// Matches only events with one of these severities.
    #[must_use]
    pub fn with_severity(mut self, severity: impl IntoIterator<Item = Severity>) -> Self {
        self.severity = severity.into_iter().collect();
        self
    }

    /// Matches only events about one of these resources.
    #[must_use]
    pub fn with_acted_upon(mut self, acted_upon: impl IntoIterator<Item = ResourceId>) -> Self {
        self.acted_upon = acted_upon.into_iter().collect();
        self
    }

    /// Matches only events sent by one of these installations.
    #[must_use]
    pub fn with_system_id(mut self, system_id: impl IntoIterator<Item = SystemId>) -> Self {
        self.system_id = system_id.into_iter().collect();
        self
    }

    /// Matches only events of this kind of owner.
    #[must_use]
    pub const fn with_owner_kind(mut self, owner_kind: OwnerKind) -> Self {
        self.owner_kind = Some(owner_kind);
        self
    }

    /// Matches only events of this operation.
    #[must_use]
    pub fn with_operation_id(mut self, operation: impl Into<OperationId>) -> Self {
        self.operation_id = Some(operation.into());
        self
    }

    /// Matches only events created at this time or later.
    #[must_use]
    pub const fn with_from(mut self, from: Timestamp) -> Self {
        self.from = Some(from);
        self
    }

    /// Matches only events created before this time.
    #[must_use]
    pub const fn with_to(mut self, to: Timestamp) -> Self {
        self.to = Some(to);
        self
    }

    /// Matches only events whose description contains this text, in any case. At most
    /// [`MAX_SEARCH_BYTES`](Self::MAX_SEARCH_BYTES).
    #[must_use]
    pub fn with_search(mut self, search: impl Into<String>) -> Self {
        self.search = Some(search.into());
        self
    }

    /// Whether every event matches.
    pub fn is_empty(&self) -> bool {
        self.clone().without_empty_search() == Self::default()
    }

    /// Removes a search for the empty text, which matches every event.
    #[must_use]
    pub fn without_empty_search(mut self) -> Self {
        self.search = self.search.filter(|text| !text.is_empty());
        self
    }

    /// The same filter with sorted lists without duplicates.
    pub(crate) fn in_order(&self) -> Self {
        fn ordered<T: Clone + Ord>(values: &[T]) -> Vec<T> {
            let distinct: BTreeSet<_> = values.iter().cloned().collect();
            distinct.into_iter().collect()
        }
        Self {
            category: ordered(&self.category),
            action: ordered(&self.action),
            severity: ordered(&self.severity),
            acted_upon: ordered(&self.acted_upon),
            system_id: ordered(&self.system_id),
            ..self.clone()
        }
    }
}
