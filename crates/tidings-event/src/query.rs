//! The filter, the order and the page of a list.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::id::{EventId, OperationId, ResourceId, SystemId};
use crate::kind::{Action, Category, Severity, Status};

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
    fn in_order(&self) -> Self {
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

    /// Binds a page token to the filter and the order of its list.
    fn tag(&self, sort: Sort) -> u32 {
        let json = serde_json::to_vec(&(self.in_order(), sort));
        let json = json.expect("a filter has only text keys");
        let hash = Sha256::digest(json);
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) & !SYSTEM_BIT
    }
}

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

/// The start of the next page: after an event, in a list with a certain filter and order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken {
    /// The sort time of the last event of the previous page.
    pub at: Timestamp,
    /// The id of that event.
    pub id: EventId,
    /// Whose event it is: a user can see two events with one id, their own and the system's.
    pub owner_kind: OwnerKind,
    list: u32,
}

/// The bit of the token's last number that says whether its event is the system's. The other bits
/// identify the list.
const SYSTEM_BIT: u32 = 1 << 31;

/// A text that is not a page token, or that belongs to another list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageTokenError {
    /// The text is not a page token.
    #[error("is not a token of this server")]
    Malformed,
    /// The token belongs to a list with another filter or order.
    #[error("belongs to a list with another filter or order")]
    OtherList,
}

impl PageToken {
    /// The token of the page after the user's own event `id`, whose sort time is `at`, in the list of
    /// `filter` sorted by `sort`.
    pub fn after(at: Timestamp, id: EventId, filter: &EventFilter, sort: Sort) -> Self {
        Self {
            at,
            id,
            owner_kind: OwnerKind::User,
            list: filter.tag(sort),
        }
    }

    /// The same token, after an event of the user or of the system.
    #[must_use]
    pub const fn with_owner_kind(self, owner_kind: OwnerKind) -> Self {
        Self { owner_kind, ..self }
    }

    /// Checks that the token belongs to this list.
    ///
    /// # Errors
    ///
    /// [`PageTokenError::OtherList`] if the token belongs to another list.
    pub fn check(&self, filter: &EventFilter, sort: Sort) -> Result<(), PageTokenError> {
        if self.list == filter.tag(sort) {
            Ok(())
        } else {
            Err(PageTokenError::OtherList)
        }
    }
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = i64::try_from(self.at.as_nanosecond()).unwrap_or(i64::MAX);
        let kind = match self.owner_kind {
            OwnerKind::User => 0,
            OwnerKind::System => SYSTEM_BIT,
        };
        write!(
            f,
            "{nanoseconds:016x}{}{:08x}",
            self.id.as_uuid().simple(),
            self.list | kind
        )
    }
}

impl FromStr for PageToken {
    type Err = PageTokenError;

    fn from_str(text: &str) -> Result<Self, PageTokenError> {
        const MALFORMED: PageTokenError = PageTokenError::Malformed;
        if text.len() != 56 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(MALFORMED);
        }
        let nanoseconds = i64::from_str_radix(&text[..16], 16).map_err(|_| MALFORMED)?;
        let id = Uuid::try_parse(&text[16..48]).map_err(|_| MALFORMED)?;
        let last = u32::from_str_radix(&text[48..], 16).map_err(|_| MALFORMED)?;
        Ok(Self {
            at: Timestamp::from_nanosecond(nanoseconds.into()).map_err(|_| MALFORMED)?,
            id: EventId::from_uuid(id),
            owner_kind: match last & SYSTEM_BIT {
                0 => OwnerKind::User,
                _ => OwnerKind::System,
            },
            list: last & !SYSTEM_BIT,
        })
    }
}

impl Serialize for PageToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PageToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The page to read: the first, a page by number, or the page after another.
///
/// A page by number is always full unless the list ends, because its reader computes the start of the
/// next page from the size. The other pages can end early and still have `next`: readers continue until
/// `next` is absent.
///
/// The engine must implement every way to page, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paging {
    /// The first page of a list that continues with `next`. It can end early with [`Total::Left`]; with
    /// [`Total::Counted`] it equals page number 0.
    #[default]
    First,
    /// The page with this number, from 0. The cost grows with the number.
    Number(u64),
    /// The page after another, by its `next`. The cost is the same at any depth. The page ends early if
    /// its events exceed the maximum bytes of a page.
    After(PageToken),
}

/// The page of a list to read, with its size and order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageRequest {
    /// The page; the first by default.
    pub paging: Paging,
    /// The maximum number of events on the page, from 1 to [`PageRequest::MAX_SIZE`]; 25 by default.
    pub size: u64,
    /// The order of the list; newest first by default.
    pub sort: Sort,
    /// Whether to count the matching events; true by default.
    pub total: Total,
}

/// Whether to count the events that match a filter.
///
/// The engine must implement every way to count, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Total {
    /// Counts exactly. The cost grows with the number of matches, unless the filter uses only severity,
    /// status and kind of owner.
    #[default]
    Counted,
    /// Does not count. Except on a page by number, a search then stops after its time budget and returns
    /// the events found so far with a token to continue. Such a page can have fewer events than
    /// requested, even none, and still have `next`.
    Left,
}

impl PageRequest {
    /// The default number of events on a page.
    pub const DEFAULT_SIZE: u64 = 25;
    /// The maximum number of events on a page; larger sizes are reduced to it.
    pub const MAX_SIZE: u64 = 1_000;

    /// Reads this page.
    #[must_use]
    pub const fn with_paging(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }

    /// Reads at most `size` events, from 1 to [`MAX_SIZE`](Self::MAX_SIZE).
    #[must_use]
    pub const fn with_size(mut self, size: u64) -> Self {
        self.size = size;
        self
    }

    /// Sorts the list in this order.
    #[must_use]
    pub const fn with_sort(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// Counts the matching events, or does not.
    #[must_use]
    pub const fn with_total(mut self, total: Total) -> Self {
        self.total = total;
        self
    }

    /// Whether the page can have fewer events than requested and still have `next`.
    pub const fn may_end_early(&self) -> bool {
        match self.paging {
            Paging::First => matches!(self.total, Total::Left),
            Paging::Number(_) => false,
            Paging::After(_) => true,
        }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            paging: Paging::default(),
            size: Self::DEFAULT_SIZE,
            sort: Sort::default(),
            total: Total::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_a_page_token_to_its_filter_and_order() {
        let filter = EventFilter {
            status: Some(Status::Unread),
            ..EventFilter::default()
        };
        let sort = Sort::default();
        let token = PageToken::after(Timestamp::now(), EventId::mint(), &filter, sort);
        let read: PageToken = token.to_string().parse().unwrap();
        assert_eq!(read, token);
        let of_system = token.with_owner_kind(OwnerKind::System);
        assert_eq!(of_system.to_string().parse(), Ok(of_system));
        assert_eq!(of_system.check(&filter, sort), Ok(()));
        assert_eq!(read.check(&filter, sort), Ok(()));
        let other = Err(PageTokenError::OtherList);
        assert_eq!(read.check(&EventFilter::default(), sort), other);
        let upwards = Sort {
            order: SortOrder::Ascending,
            ..sort
        };
        assert_eq!(read.check(&filter, upwards), other);
    }

    #[test]
    fn ignores_the_order_of_lists_in_a_page_token() {
        let filter = |severity: &[Severity]| EventFilter {
            severity: severity.to_vec(),
            ..EventFilter::default()
        };
        let (error, debug) = (Severity::Error, Severity::Debug);
        let sort = Sort::default();
        let first = filter(&[error, debug]);
        let token = PageToken::after(Timestamp::now(), EventId::mint(), &first, sort);
        for same in [&[debug, error][..], &[error, debug, error]] {
            assert_eq!(token.check(&filter(same), sort), Ok(()));
        }
        let other = token.check(&filter(&[error]), sort);
        assert_eq!(other, Err(PageTokenError::OtherList));
    }

    #[test]
    fn rejects_malformed_page_tokens() {
        for text in [
            "",
            "x",
            &"f".repeat(56),
            &"é".repeat(28),
            &"+".repeat(56),
            &"0".repeat(57),
        ] {
            assert_eq!(
                text.parse::<PageToken>(),
                Err(PageTokenError::Malformed),
                "{text}"
            );
        }
    }
}
