//! Reasons why events are not marked or deleted, and their error responses.

use axum::http::StatusCode;
use tidings::ChangeError;
use tidings::wire::ChangeFault;
use tidings_event::{ErrorCode, ResetReason, Violation, Violations};

use crate::limits::LimitError;
use crate::problem::Problem;
use crate::request::body::too_large;
use crate::request::json::InvalidJson;
use crate::store_failure::StoreFailure;

/// Why events are not marked or deleted.
#[derive(Debug)]
pub(crate) enum ChangeRejection {
    /// The body is not JSON.
    Json(InvalidJson),
    /// The body does not select events, or has no valid status.
    Selection(Violations),
    /// The body has no valid status for the one event.
    Status(Violations),
    /// The cursor in `upTo` is not one of the caller's.
    UpTo(ResetReason),
    /// The body names too many events.
    TooManyIds { ids: usize, limit: usize },
    /// The caller has too many bulk changes waiting.
    Limit(LimitError),
    /// Too many bulk changes of all callers are waiting.
    Overloaded,
    /// The client disconnected before its change began. Nobody reads this.
    Disconnected,
    /// The store failed.
    Store(StoreFailure),
    /// The change was stopped. Its request has another response by then.
    Stopped,
}

impl From<Violation> for ChangeRejection {
    fn from(violation: Violation) -> Self {
        Self::Json(violation.into())
    }
}

impl From<ChangeError> for ChangeRejection {
    fn from(error: ChangeError) -> Self {
        match error.into() {
            ChangeFault::EmptyFilter => {
                let mut violations = Violations::default();
                violations.add("filter", "is empty", "say which events to change");
                Self::Selection(violations)
            }
            ChangeFault::UpTo(reason) => Self::UpTo(reason),
            ChangeFault::TooManyIds { ids, limit } => Self::TooManyIds { ids, limit },
            ChangeFault::TooManyWaiting { limit } => Self::Limit(LimitError::Changes { limit }),
            ChangeFault::Overloaded => Self::Overloaded,
            ChangeFault::Store(error) => Self::Store(error.into()),
            ChangeFault::Closed => Self::Store(StoreFailure::ShuttingDown),
            ChangeFault::Stopped => Self::Stopped,
        }
    }
}

impl ChangeRejection {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Json(invalid) => invalid.problem(),
            Self::Selection(violations) => invalid_change().violations(violations),
            Self::Status(violations) => Problem::rejection(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidChange,
                "The status is missing or invalid",
            )
            .effect("nothing was changed")
            .violations(violations),
            Self::UpTo(reason) => invalid_change()
                .probable_cause(
                    "the cursor belongs to another user or server, or is older than a restore",
                )
                .detail(
                    format!("upTo is not one of your cursors ({reason})"),
                    "list the events again, and send the `cursor` of that list",
                ),
            Self::TooManyIds { ids, limit } => too_large(
                format!("ids has {ids} entries, more than the {limit} allowed"),
                "name fewer events at a time, or select them by a filter",
            ),
            Self::Limit(limit) => limit.problem(),
            Self::Overloaded => Problem::rejection(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Overloaded,
                "Too many bulk changes are waiting",
            )
            .effect("nothing was changed")
            .remedy("try again in a moment"),
            Self::Disconnected => Problem::rejection(
                StatusCode::BAD_REQUEST,
                ErrorCode::BodyUnreadable,
                "The client disconnected before its change began",
            )
            .effect("nothing was changed")
            .remedy("send the request again"),
            Self::Store(failure) => failure.problem(),
            Self::Stopped => {
                Problem::internal("The server failed").caused_by(&ChangeError::Stopped)
            }
        }
    }
}

fn invalid_change() -> Problem {
    Problem::rejection(
        StatusCode::BAD_REQUEST,
        ErrorCode::InvalidChange,
        "The change is incomplete or invalid",
    )
    .effect("nothing was changed")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidings::StoreError;

    use super::*;

    #[test]
    fn answers_each_error_of_the_engine() {
        let full = StoreError::Full("no space".into());
        for (error, status, code) in [
            (
                ChangeError::Store(Arc::new(full)),
                503,
                ErrorCode::StorageFull,
            ),
            (
                ChangeError::Store(Arc::new(StoreError::Closed)),
                503,
                ErrorCode::ShuttingDown,
            ),
            (ChangeError::Closed, 503, ErrorCode::ShuttingDown),
            (ChangeError::Overloaded, 503, ErrorCode::Overloaded),
            (
                ChangeError::TooManyWaiting { limit: 8 },
                429,
                ErrorCode::RateLimited,
            ),
            (ChangeError::EmptyFilter, 400, ErrorCode::InvalidChange),
            (
                ChangeError::UpTo(ResetReason::Foreign),
                400,
                ErrorCode::InvalidChange,
            ),
            (
                ChangeError::TooManyIds { ids: 2, limit: 1 },
                413,
                ErrorCode::TooLarge,
            ),
            (ChangeError::Stopped, 500, ErrorCode::Internal),
        ] {
            let problem = ChangeRejection::from(error).problem();
            let answered = problem.status().as_u16();
            assert_eq!((answered, problem.into_body().code), (status, code));
        }
    }
}
