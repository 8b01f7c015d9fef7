//! Which events a list is to hold, and which page of it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::id::{EventId, OperationId, ResourceId};
use crate::kind::{Action, Category, Severity, Status};

/// Whose events: the user's own, or the system's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum OwnerKind {
    /// The caller's own events.
    User,
    /// The system's events, which every user sees.
    System,
}

/// Which events are meant. Every part that is set must hold; a list holds when one entry does, and
/// an empty list means any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct EventFilter {
    /// Read or unread.
    pub status: Option<Status>,
    /// One of these categories.
    pub category: Vec<Category>,
    /// One of these actions.
    pub action: Vec<Action>,
    /// One of these severities.
    pub severity: Vec<Severity>,
    /// One of these resources.
    pub acted_upon: Vec<ResourceId>,
    /// The caller's own events, or the system's.
    pub owner_kind: Option<OwnerKind>,
    /// Of this operation.
    pub operation_id: Option<OperationId>,
    /// Created at this moment or later.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub from: Option<Timestamp>,
    /// Created before this moment.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub to: Option<Timestamp>,
    /// With this text in the description, in any case of any script; `%` and `_` are ordinary
    /// characters. At most [`EventFilter::MAX_SEARCH_BYTES`].
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub search: Option<String>,
}

impl EventFilter {
    /// The longest text to search for, in bytes.
    pub const MAX_SEARCH_BYTES: usize = 256;

    /// Whether it lets every event through.
    pub fn is_empty(&self) -> bool {
        self.clone().without_empty_search() == Self::default()
    }

    /// The same filter, without the search for a text that is in every text.
    #[must_use]
    pub fn without_empty_search(mut self) -> Self {
        self.search = self.search.filter(|text| !text.is_empty());
        self
    }

    /// The same filter, however its lists were written.
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
            ..self.clone()
        }
    }

    /// Binds a page token to the filter and the order it was given out for.
    fn tag(&self, sort: Sort) -> u32 {
        let json = serde_json::to_vec(&(self.in_order(), sort));
        let json = json.expect("a filter has only text keys");
        let hash = Sha256::digest(json);
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) & !SYSTEM_BIT
    }
}

/// By which moment a list is sorted. Events of the same moment are sorted by their ids, and of two
/// events with the same moment and id the user's own comes before the system's in ascending order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    /// When it happened. A page by token stays put whatever happens meanwhile.
    #[default]
    CreatedAt,
    /// When it last changed. An event that changes while one pages may move past the place one has
    /// got to; the stream from the list's cursor shows it.
    UpdatedAt,
}

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SortOrder {
    /// The oldest first.
    #[serde(rename = "asc")]
    Ascending,
    /// The newest first.
    #[default]
    #[serde(rename = "desc")]
    Descending,
}

/// How a list is sorted: the newest first, unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sort {
    /// By which moment.
    pub key: SortKey,
    /// Which way.
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

/// Where the next page begins: after an event, in a list with a certain filter and order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken {
    /// The moment by which the list is sorted, of the last event of the previous page.
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

/// A text that is not a page token, or one of another list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageTokenError {
    /// Not as the server gave it out.
    #[error("is not a token of this server")]
    Malformed,
    /// Given out for a list with another filter or in another order.
    #[error("belongs to a list with another filter or order")]
    OtherList,
}

impl PageToken {
    /// The token of the page after the user's own event `id`, which has the moment `at`, in the list of
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

    /// Refuses a token of another list.
    ///
    /// # Errors
    ///
    /// [`PageTokenError::OtherList`] if so.
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

/// Which page: the first, by number, or the one after another.
///
/// A page by number always holds as many events as were asked for, if there are as many: its reader
/// computes from their number where the next page begins. The others may end early and have `next`
/// all the same: a reader continues with that, until it is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paging {
    /// The first page of a list that continues with `next`. It may end early with [`Total::Left`]; if
    /// the events are counted, it is like page number 0.
    #[default]
    First,
    /// The page with this number, from 0. Its cost grows with the number.
    Number(u64),
    /// The page that `next` of another asks for. Its cost is the same at any depth. It ends early where
    /// its events have more bytes than a page may have.
    After(PageToken),
}

/// Which page, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Which page.
    pub paging: Paging,
    /// The most events it holds, from 1 to [`PageRequest::MAX_SIZE`].
    pub size: u64,
    /// How the list is sorted.
    pub sort: Sort,
    /// Whether the events that match are counted.
    pub total: Total,
}

/// Whether a list says how many events match its filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Total {
    /// Exactly. The cost grows with the number of matches, unless the filter asks for nothing but
    /// severity, status and kind of owner.
    #[default]
    Counted,
    /// Not at all. On a page that is not asked for by its number, a search then stops after some time
    /// and hands over what it has found, with the token to continue from there. Such a page may hold
    /// fewer events than asked for, even none, and yet not be the last.
    Left,
}

impl PageRequest {
    /// The size of a page where none is asked for.
    pub const DEFAULT_SIZE: u64 = 25;
    /// The largest page; a larger one asked for is cut to it.
    pub const MAX_SIZE: u64 = 1_000;

    /// Whether the page may hold fewer events than asked for and yet have `next`.
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
    fn a_page_token_reads_back_and_knows_its_filter() {
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
    fn a_page_token_does_not_mind_how_a_list_is_written() {
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
    fn malformed_tokens_are_refused() {
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
