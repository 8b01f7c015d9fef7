//! Conversions from the errors of the server's parts to [`ApiError`]. They name every variant, so that a new one
//! does not compile until its place is decided.

use tidings::{ChangeError, StoreError};
use tidings_event::Violation;

use super::{ApiError, RouteError};
use crate::identity::{CredentialError, ForeignRequest};
use crate::limits::LimitError;
use crate::publication::{PublishRejection, RetractRejection, UpdateRejection};
use crate::request::body::BodyError;
use crate::request::change::ChangeRejection;
use crate::request::json::InvalidJson;
use crate::request::log_level::LogLevelRejection;
use crate::request::query::InvalidQuery;
use crate::request::revocation::RevocationRejection;
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
            error @ (ResponseError::Overloaded | ResponseError::Disconnected) => {
                Self::Response(error)
            }
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

impl From<ChangeRejection> for ApiError {
    fn from(error: ChangeRejection) -> Self {
        match error {
            ChangeRejection::Json(error) => error.into(),
            ChangeRejection::Limit(limit) => limit.into(),
            ChangeRejection::Store(failure) => failure.into(),
            error @ (ChangeRejection::Selection(_)
            | ChangeRejection::Status(_)
            | ChangeRejection::UpTo(_)
            | ChangeRejection::TooManyIds { .. }
            | ChangeRejection::Overloaded
            | ChangeRejection::Disconnected
            | ChangeRejection::Stopped) => Self::Change(error),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        ChangeRejection::from(error).into()
    }
}

impl From<UpdateRejection> for ApiError {
    fn from(error: UpdateRejection) -> Self {
        match error {
            UpdateRejection::Json(error) => error.into(),
            UpdateRejection::Store(failure) => failure.into(),
            error @ (UpdateRejection::Invalid(_)
            | UpdateRejection::NotFound
            | UpdateRejection::ForeignSystem { .. }
            | UpdateRejection::OnlyTexts { .. }
            | UpdateRejection::TooLarge { .. }
            | UpdateRejection::QuotaExceeded { .. }) => Self::Update(error),
        }
    }
}

impl From<RetractRejection> for ApiError {
    fn from(error: RetractRejection) -> Self {
        match error {
            RetractRejection::Query(error) => error.into(),
            RetractRejection::Store(failure) => failure.into(),
            error @ (RetractRejection::NotFound | RetractRejection::ForeignSystem { .. }) => {
                Self::Retract(error)
            }
        }
    }
}

impl From<PublishRejection> for ApiError {
    fn from(error: PublishRejection) -> Self {
        match error {
            PublishRejection::Json(error) => error.into(),
            PublishRejection::Limit(limit) => limit.into(),
            PublishRejection::Store(failure) => failure.into(),
            error @ (PublishRejection::CloudEvent
            | PublishRejection::Invalid(_)
            | PublishRejection::EmptyBatch
            | PublishRejection::TooManyEvents { .. }
            | PublishRejection::EventTooLarge { .. }
            | PublishRejection::BatchTooLarge { .. }
            | PublishRejection::Conflict { .. }
            | PublishRejection::OwnersConflict { .. }
            | PublishRejection::OwnerQuotaExceeded { .. }
            | PublishRejection::QuotaExceeded { .. }
            | PublishRejection::ForeignOwner { .. }
            | PublishRejection::ForeignSystem { .. }) => Self::Publish(error),
        }
    }
}

impl From<LogLevelRejection> for ApiError {
    fn from(error: LogLevelRejection) -> Self {
        match error {
            LogLevelRejection::Json(error) => error.into(),
            error @ (LogLevelRejection::Invalid(_) | LogLevelRejection::Failed(_)) => {
                Self::LogLevel(error)
            }
        }
    }
}

impl From<RevocationRejection> for ApiError {
    fn from(error: RevocationRejection) -> Self {
        match error {
            RevocationRejection::Json(error) => error.into(),
            error @ (RevocationRejection::Invalid(_) | RevocationRejection::Failed(_)) => {
                Self::Revocation(error)
            }
        }
    }
}
