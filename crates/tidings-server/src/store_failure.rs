//! Failures of the event store, and their error responses.

use std::sync::Arc;

use axum::http::StatusCode;
use tidings::StoreError;
use tidings::wire::StoreFault;
use tidings_event::ErrorCode;

use crate::limits::LimitError;
use crate::problem::Problem;

/// Why the event store did not complete a request.
#[derive(Debug)]
pub(crate) enum StoreFailure {
    /// The store failed, or gave up on a slow query.
    Failed(Arc<StoreError>),
    /// The store did not answer in time.
    Timeout,
    /// The server or the engine is shutting down.
    ShuttingDown,
    /// Too many queries of all callers are waiting.
    Overloaded,
    /// The caller has too many queries waiting.
    Limit(LimitError),
}

impl From<StoreError> for StoreFailure {
    fn from(error: StoreError) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<StoreError>> for StoreFailure {
    fn from(error: Arc<StoreError>) -> Self {
        match StoreFault::from(&*error) {
            StoreFault::Closed => Self::ShuttingDown,
            StoreFault::TooManyReads { limit } => Self::Limit(LimitError::Queries { limit }),
            StoreFault::Overloaded => Self::Overloaded,
            StoreFault::Full
            | StoreFault::TookTooLong { .. }
            | StoreFault::Unavailable
            | StoreFault::Ended { .. }
            | StoreFault::Corrupt
            | StoreFault::Internal => Self::Failed(error),
        }
    }
}

impl StoreFailure {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Failed(error) => of_store(error),
            Self::Timeout => Problem::failure(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::StorageUnavailable,
                "The event store does not respond",
            )
            .remedy("try again in a moment"),
            Self::ShuttingDown => Problem::rejection(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::ShuttingDown,
                "The server is shutting down",
            )
            .remedy("try again in a moment; an event that was stored is not stored twice"),
            Self::Overloaded => Problem::rejection(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Overloaded,
                "Too many queries are waiting",
            )
            .remedy("try again in a moment"),
            Self::Limit(limit) => limit.problem(),
        }
    }
}

fn of_store(error: &StoreError) -> Problem {
    match StoreFault::from(error) {
        StoreFault::Full => Problem::failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageFull,
            "The disk that holds the events is full",
        )
        .remedy(
            "delete events that are no longer needed, or free space on the server's disk, then send \
             the request again",
        )
        .caused_by(error)
        .logged_elsewhere(),
        StoreFault::TookTooLong { limit } => Problem::rejection(
            StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::QueryTooSlow,
            "The query takes too long",
        )
        .probable_cause("the query counts, searches or skips a large number of events")
        .detail(
            format!("the query took longer than the {} s allowed", limit.as_secs()),
            "leave out the total (`count=none`), follow `next` instead of page numbers, or narrow \
             the filter, for example with `from` and `to`",
        ),
        StoreFault::Unavailable => Problem::failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageUnavailable,
            "The event store is unavailable",
        )
        .remedy("try again in a moment; an event that was stored is not stored twice")
        .caused_by(error),
        StoreFault::Ended { worker } => Problem::failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageUnavailable,
            "The event store is unavailable",
        )
        .probable_cause(&format!("{worker} has ended by a fault"))
        .remedy("restart the server; its log has the reason")
        .caused_by(error),
        // The conversion turns the last three into failures of their own.
        StoreFault::Corrupt
        | StoreFault::Internal
        | StoreFault::Closed
        | StoreFault::TooManyReads { .. }
        | StoreFault::Overloaded => Problem::internal("The event store failed").caused_by(error),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::time::Duration;

    use axum::body::to_bytes;
    use axum::http::header::RETRY_AFTER;
    use axum::response::IntoResponse as _;

    use super::*;

    #[tokio::test]
    async fn names_the_failure_and_hides_its_sources() {
        type MakeError = fn(Box<dyn Error + Send + Sync>) -> StoreError;
        let cases: [(MakeError, u16, &str); 4] = [
            (StoreError::Full, 503, "storage_full"),
            (StoreError::Unavailable, 503, "storage_unavailable"),
            (StoreError::Corrupt, 500, "internal"),
            (StoreError::Internal, 500, "internal"),
        ];
        for (make, status, code) in cases {
            let failure = StoreFailure::from(make("a secret path".into()));
            let response = failure.problem().into_response();
            assert_eq!(response.status().as_u16(), status, "{code}");
            assert_eq!(response.headers().contains_key(RETRY_AFTER), status == 503);
            let body = to_bytes(response.into_body(), 10_000).await.unwrap();
            let body = String::from_utf8(body.into()).unwrap();
            assert!(body.contains(&format!("\"code\":\"{code}\"")), "{body}");
            assert!(body.contains("\"severity\":\"CRITICAL\""), "{body}");
            assert!(!body.contains("secret"), "{body}");
        }
    }

    #[test]
    fn names_the_task_that_has_ended() {
        let worker = "the background task";
        let problem = StoreFailure::from(StoreError::Ended { worker }).problem();
        assert!(problem.as_failure().is_some());
        assert_eq!(problem.status().as_u16(), 503);
        let body = problem.into_body();
        assert_eq!(body.code, ErrorCode::StorageUnavailable);
        assert!(body.probable_cause[0].contains(worker), "{body:?}");
    }

    #[test]
    fn does_not_log_a_rejected_read_as_a_failure() {
        let limit = Duration::from_secs(10);
        for (error, status, code) in [
            (
                StoreError::TookTooLong { limit },
                422,
                ErrorCode::QueryTooSlow,
            ),
            (
                StoreError::TooManyReads { limit: 256 },
                429,
                ErrorCode::RateLimited,
            ),
            (StoreError::Overloaded, 503, ErrorCode::Overloaded),
        ] {
            let problem = StoreFailure::from(error).problem();
            assert!(problem.as_failure().is_none());
            let answered = problem.status().as_u16();
            assert_eq!((answered, problem.into_body().code), (status, code));
        }
    }
}
