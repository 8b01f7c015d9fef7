//! The token of the next page of a list.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::filter::{EventFilter, OwnerKind};
use crate::id::EventId;
use crate::sort::Sort;

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

/// Identifies the list with this filter and order.
fn list_of(filter: &EventFilter, sort: Sort) -> u32 {
    let json = serde_json::to_vec(&(filter.in_order(), sort));
    let json = json.expect("a filter has only text keys");
    let hash = Sha256::digest(json);
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) & !SYSTEM_BIT
}

impl PageToken {
    /// The token of the page after the user's own event `id`, whose sort time is `at`, in the list of
    /// `filter` sorted by `sort`.
    pub fn after(at: Timestamp, id: EventId, filter: &EventFilter, sort: Sort) -> Self {
        Self {
            at,
            id,
            owner_kind: OwnerKind::User,
            list: list_of(filter, sort),
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
        if self.list == list_of(filter, sort) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::severity::Severity;
    use crate::sort::SortOrder;
    use crate::status::Status;

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
