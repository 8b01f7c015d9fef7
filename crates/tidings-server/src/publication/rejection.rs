//! Reasons why events are not stored, and their error responses.

use axum::http::StatusCode;
use tidings::PublishError;
use tidings::wire::PublishFault;
use tidings_event::{ErrorCode, EventId, OwnerId, Violation, Violations};

use super::foreign_system::foreign_system;
use crate::identity::insufficient;
use crate::limits::LimitError;
use crate::problem::{self, Problem};
use crate::request::body::{UnsupportedMedia, too_large};
use crate::request::json::InvalidJson;
use crate::store_failure::StoreFailure;
use crate::token::Scopes;

/// Why events are not stored. An index is that of an event in a batch.
#[derive(Debug)]
pub(crate) enum PublishRejection {
    /// The body, or an event in it, is not JSON.
    Json(InvalidJson),
    /// A `CloudEvent` in structured mode, declared as plain JSON.
    CloudEvent,
    /// Events break rules.
    Invalid(Violations),
    /// The batch has no events.
    EmptyBatch,
    /// The batch has too many events.
    TooManyEvents { events: usize, limit: usize },
    /// An event has too many bytes.
    EventTooLarge {
        index: Option<usize>,
        bytes: usize,
        limit: usize,
    },
    /// The events of the batch, as they are stored, have too many bytes in total.
    BatchTooLarge { bytes: usize, limit: usize },
    /// The owner has an event with the same id and other content.
    Conflict { index: Option<usize>, id: EventId },
    /// An event does not fit into the quota of its owner.
    QuotaExceeded {
        index: Option<usize>,
        bytes: u64,
        used: u64,
        limit: u64,
    },
    /// Some of several owners have an event with the same id and other content.
    OwnersConflict { owners: Vec<OwnerId>, number: usize },
    /// The event does not fit into the quota of one of several owners.
    OwnerQuotaExceeded {
        owner: OwnerId,
        bytes: u64,
        used: u64,
        limit: u64,
    },
    /// The event is for another user, and the token allows to publish to its owner only.
    ForeignOwner { index: Option<usize> },
    /// An event names another system than the token.
    ForeignSystem { index: Option<usize> },
    /// The caller publishes too fast.
    Limit(LimitError),
    /// The store failed.
    Store(StoreFailure),
}

impl From<Violation> for PublishRejection {
    fn from(violation: Violation) -> Self {
        Self::Json(violation.into())
    }
}

impl From<LimitError> for PublishRejection {
    fn from(limit: LimitError) -> Self {
        Self::Limit(limit)
    }
}

impl PublishRejection {
    /// Why the engine rejected a request. The response names the event only if there are several.
    pub(crate) fn of_engine(error: PublishError, is_batch: bool) -> Self {
        let in_batch = |index| is_batch.then_some(index);
        match error.into() {
            PublishFault::Invalid(violations) => Self::Invalid(violations),
            PublishFault::Conflict { index, id } => Self::Conflict {
                index: in_batch(index),
                id,
            },
            PublishFault::TooLarge {
                index,
                bytes,
                limit,
            } => Self::EventTooLarge {
                index: in_batch(index),
                bytes,
                limit,
            },
            PublishFault::QuotaExceeded {
                index,
                bytes,
                used,
                limit,
            } => Self::QuotaExceeded {
                index: in_batch(index),
                bytes,
                used,
                limit,
            },
            PublishFault::OwnersConflict { owners, number } => {
                Self::OwnersConflict { owners, number }
            }
            PublishFault::OwnerQuotaExceeded {
                owner,
                bytes,
                used,
                limit,
            } => Self::OwnerQuotaExceeded {
                owner,
                bytes,
                used,
                limit,
            },
            PublishFault::TooManyEvents { events, limit } => Self::TooManyEvents { events, limit },
            PublishFault::BatchTooLarge { bytes, limit } => Self::BatchTooLarge { bytes, limit },
            PublishFault::Store(error) => Self::Store(error.into()),
            PublishFault::Closed => Self::Store(StoreFailure::ShuttingDown),
        }
    }

    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Json(invalid) => invalid.problem(),
            Self::CloudEvent => UnsupportedMedia::CloudEvent {
                shown_by: "the field `specversion` (Content-Type application/json)".to_owned(),
            }
            .problem(),
            Self::Invalid(violations) => Problem::rejection(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidEvent,
                "The event is invalid",
            )
            .effect("nothing was stored")
            .violations(violations),
            Self::EmptyBatch => Problem::rejection(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidEvent,
                "The batch has no events",
            )
            .remedy("send at least one event"),
            Self::TooManyEvents { events, limit } => too_large(
                format!("the batch has {events} events, more than the {limit} allowed"),
                "send fewer events at a time",
            ),
            Self::EventTooLarge {
                index,
                bytes,
                limit,
            } => too_large(
                format!(
                    "{} has {bytes} bytes of JSON, more than the {limit} allowed",
                    problem::event(*index)
                ),
                "store the large part elsewhere and link to it",
            ),
            Self::BatchTooLarge { bytes, limit } => too_large(
                format!(
                    "the batch, with the fields that the server adds, has {bytes} bytes of JSON, \
                     more than the {limit} allowed"
                ),
                "send fewer events at a time",
            ),
            Self::Conflict { index, id } => Problem::rejection(
                StatusCode::CONFLICT,
                ErrorCode::EventConflict,
                "Another event of this owner has the same id",
            )
            .effect("nothing was stored")
            .probable_cause(
                "the event was changed after it was sent, or two events of one owner share an id",
            )
            .detail(
                format!(
                    "{} {id} names another event of this owner",
                    problem::field(*index, "id")
                ),
                "repeat the event unchanged, or leave the id out to get a new one",
            ),
            Self::OwnersConflict { owners, number } => {
                let named: Vec<String> = owners.iter().map(ToString::to_string).collect();
                let fault = match (number, number - named.len()) {
                    (0, _) => "id: was published to other owners with other content".to_owned(),
                    (1, _) => format!("id: the owner {} has another event with it", named.join(", ")),
                    (_, 0) => format!("id: the owners {} have another event with it", named.join(", ")),
                    (_, more) => format!(
                        "id: the owners {} and {more} more have another event with it",
                        named.join(", ")
                    ),
                };
                Problem::rejection(
                    StatusCode::CONFLICT,
                    ErrorCode::EventConflict,
                    "Another event of an owner has the same id",
                )
                .effect("nothing was stored for any owner")
                .probable_cause(
                    "the event was changed after it was sent, or two events of one owner share an id",
                )
                .detail(
                    fault,
                    "repeat the event unchanged, update it with PUT, or leave the id out to get a new one",
                )
            }
            Self::OwnerQuotaExceeded {
                owner,
                bytes,
                used,
                limit,
            } => Problem::rejection(
                StatusCode::FORBIDDEN,
                ErrorCode::QuotaExceeded,
                "The quota of one of the owners is used up",
            )
            .effect("nothing was stored for any owner")
            .detail(
                format!(
                    "the event needs {bytes} bytes, and the events of the owner {owner} take {used} of the \
                     {limit} bytes allowed"
                ),
                "repeat the request without this owner, or delete events that are no longer needed; an \
                 operator sets the limit with --max-owner-bytes",
            ),
            Self::QuotaExceeded {
                index,
                bytes,
                used,
                limit,
            } => Problem::rejection(
                StatusCode::FORBIDDEN,
                ErrorCode::QuotaExceeded,
                "The quota of the event's owner is used up",
            )
            .effect("nothing was stored")
            .detail(
                format!(
                    "{} needs {bytes} bytes, and the owner's events take {used} of the {limit} \
                     bytes allowed",
                    problem::event(*index)
                ),
                "delete events that are no longer needed; an operator sets the limit with \
                 --max-owner-bytes, and --retain-events or --retain-age delete old events \
                 automatically",
            ),
            Self::ForeignOwner { index } => insufficient(&[Scopes::PUBLISH]).detail(
                format!("{} is another user", problem::field(*index, "owner")),
                "leave the owner out to publish to yourself",
            ),
            Self::ForeignSystem { index } => foreign_system("nothing was stored").detail(
                format!("{} is another system", problem::field(*index, "systemId")),
                "leave it out: the server sets the `systemId` of the token",
            ),
            Self::Limit(limit) => limit.problem(),
            Self::Store(failure) => failure.problem(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidings::StoreError;

    use super::*;

    #[test]
    fn answers_a_failing_store_as_a_change_does() {
        for (error, status, code) in [
            (
                StoreError::Full("no space".into()),
                503,
                ErrorCode::StorageFull,
            ),
            (StoreError::Closed, 503, ErrorCode::ShuttingDown),
            (
                StoreError::Corrupt("a page".into()),
                500,
                ErrorCode::Internal,
            ),
        ] {
            let error = PublishError::Store(Arc::new(error));
            let problem = PublishRejection::of_engine(error, false).problem();
            let answered = problem.status().as_u16();
            assert_eq!((answered, problem.into_body().code), (status, code));
        }
        let closed = PublishRejection::of_engine(PublishError::Closed, true).problem();
        assert_eq!(closed.into_body().code, ErrorCode::ShuttingDown);
    }
}
