//! Conversions from the errors of the server's parts to [`ApiError`]. They name every variant, so that a new one
//! does not compile until its place is decided.

use tidings::{ChangeError, StoreError};
use tidings_event::Violation;

use super::{ApiError, RouteError};
use crate::identity::{CredentialError, ForeignRequest};
use crate::limits::LimitError;
use crate::publication::PublishRefusal;
use crate::request::body::BodyError;
use crate::request::change::ChangeRefusal;
use crate::request::json::InvalidJson;
use crate::request::log_level::LogLevelRefusal;
use crate::request::query::InvalidQuery;
use crate::request::revocation::RevocationRefusal;
use crate::response::ResponseError;
use crate::store_failure::StoreFailure;

impl From<InvalidJson> for ApiError {
    fn from(error: InvalidJson) -> Self {
        Self::Json(error)
    }
}

impl From<Violation> for ApiError {
    fn from(violation: Violation) -> Self {
        Self::Json(violation.into())
    }
}

impl From<InvalidQuery> for ApiError {
    fn from(error: InvalidQuery) -> Self {
        Self::Query(error)
    }
}

impl From<LimitError> for ApiError {
    fn from(error: LimitError) -> Self {
        Self::Limit(error)
    }
}

impl From<ForeignRequest> for ApiError {
    fn from(error: ForeignRequest) -> Self {
        Self::Foreign(error)
    }
}

impl From<RouteError> for ApiError {
    fn from(error: RouteError) -> Self {
        Self::Route(error)
    }
}

impl From<CredentialError> for ApiError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Foreign(foreign) => foreign.into(),
            error @ (CredentialError::Missing
            | CredentialError::Unreadable
            | CredentialError::Token(_)
            | CredentialError::SystemAsCaller
            | CredentialError::MissingScope { .. }
            | CredentialError::TooLong { .. }) => Self::Credential(error),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Limit(limit) => limit.into(),
            error @ (BodyError::Unsupported(_)
            | BodyError::Unreadable(_)
            | BodyError::TooLarge { .. }
            | BodyError::Overloaded) => Self::Body(error),
        }
    }
}

impl From<ResponseError> for ApiError {
    fn from(error: ResponseError) -> Self {
        match error {
            ResponseError::Limit(limit) => limit.into(),
            ResponseError::Credential(error) => error.into(),
            error @ (ResponseError::Overloaded | ResponseError::HungUp) => Self::Response(error),
        }
    }
}

impl From<StoreFailure> for ApiError {
    fn from(failure: StoreFailure) -> Self {
        match failure {
            StoreFailure::Limit(limit) => limit.into(),
            failure @ (StoreFailure::Failed(_)
            | StoreFailure::Timeout
            | StoreFailure::ShuttingDown
            | StoreFailure::Overloaded) => Self::Store(failure),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        StoreFailure::from(error).into()
    }
}

impl From<ChangeRefusal> for ApiError {
    fn from(error: ChangeRefusal) -> Self {
        match error {
            ChangeRefusal::Json(error) => error.into(),
            ChangeRefusal::Limit(limit) => limit.into(),
            ChangeRefusal::Store(failure) => failure.into(),
            error @ (ChangeRefusal::Selection(_)
            | ChangeRefusal::Status(_)
            | ChangeRefusal::UpTo(_)
            | ChangeRefusal::TooManyIds { .. }
            | ChangeRefusal::Overloaded
            | ChangeRefusal::HungUp
            | ChangeRefusal::Engine(_)) => Self::Change(error),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        ChangeRefusal::from(error).into()
    }
}

impl From<PublishRefusal> for ApiError {
    fn from(error: PublishRefusal) -> Self {
        match error {
            PublishRefusal::Json(error) => error.into(),
            PublishRefusal::Limit(limit) => limit.into(),
            PublishRefusal::Store(failure) => failure.into(),
            error @ (PublishRefusal::CloudEvent
            | PublishRefusal::Invalid(_)
            | PublishRefusal::EmptyBatch
            | PublishRefusal::TooManyEvents { .. }
            | PublishRefusal::EventTooLarge { .. }
            | PublishRefusal::BatchTooLarge { .. }
            | PublishRefusal::Conflict { .. }
            | PublishRefusal::QuotaExceeded { .. }
            | PublishRefusal::ForeignOwner { .. }
            | PublishRefusal::Engine(_)) => Self::Publish(error),
        }
    }
}

impl From<LogLevelRefusal> for ApiError {
    fn from(error: LogLevelRefusal) -> Self {
        match error {
            LogLevelRefusal::Json(error) => error.into(),
            error @ (LogLevelRefusal::Invalid(_) | LogLevelRefusal::Failed(_)) => {
                Self::LogLevel(error)
            }
        }
    }
}

impl From<RevocationRefusal> for ApiError {
    fn from(error: RevocationRefusal) -> Self {
        match error {
            RevocationRefusal::Json(error) => error.into(),
            error @ (RevocationRefusal::Invalid(_) | RevocationRefusal::Failed(_)) => {
                Self::Revocation(error)
            }
        }
    }
}
