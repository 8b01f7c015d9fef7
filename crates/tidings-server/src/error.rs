//! Every reason why a request is not served.
//!
//! Handlers and extractors return [`ApiError`]. It wraps the error types of the server's parts, and
//! each of these has its own status and text ([`Problem`]). For a failure of the server the client gets
//! a fixed text, and the gate logs the sources of the error once.

mod conversions;
mod routing;

use std::fmt;

use axum::response::{IntoResponse, Response};

use crate::identity::{CredentialError, ForeignRequest};
use crate::limits::LimitError;
use crate::problem::Problem;
use crate::publication::{PublishRejection, RetractRejection, UpdateRejection};
use crate::request::body::BodyError;
use crate::request::change::ChangeRejection;
use crate::request::json::InvalidJson;
use crate::request::log_level::LogLevelRejection;
use crate::request::query::InvalidQuery;
use crate::request::revocation::RevocationRejection;
use crate::response::ResponseError;
use crate::store_failure::StoreFailure;

pub(crate) use routing::{RouteError, method_not_allowed, route_not_found};

/// Why a request is not served.
///
/// An error that several parts can return has one variant: a limit is always [`Self::Limit`], and a
/// body that is not JSON is always [`Self::Json`]. The conversions ensure this.
#[derive(Debug)]
pub(crate) enum ApiError {
    Body(BodyError),
    Json(InvalidJson),
    Query(InvalidQuery),
    Publish(PublishRejection),
    Update(UpdateRejection),
    Retract(RetractRejection),
    Change(ChangeRejection),
    LogLevel(LogLevelRejection),
    Revocation(RevocationRejection),
    Credential(CredentialError),
    Foreign(ForeignRequest),
    Limit(LimitError),
    Response(ResponseError),
    Store(StoreFailure),
    Route(RouteError),
}

impl ApiError {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Body(error) => error.problem(),
            Self::Json(error) => error.problem(),
            Self::Query(error) => error.problem(),
            Self::Publish(error) => error.problem(),
            Self::Update(error) => error.problem(),
            Self::Retract(error) => error.problem(),
            Self::Change(error) => error.problem(),
            Self::LogLevel(error) => error.problem(),
            Self::Revocation(error) => error.problem(),
            Self::Credential(error) => error.problem(),
            Self::Foreign(error) => error.problem(),
            Self::Limit(error) => error.problem(),
            Self::Response(error) => error.problem(),
            Self::Store(error) => error.problem(),
            Self::Route(error) => error.problem(),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = self.problem();
        match problem.as_failure().and_then(|failure| failure.cause) {
            Some(cause) => f.write_str(&cause),
            None => f.write_str(&problem.into_body().error),
        }
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.problem().into_response();
        if let Self::Foreign(foreign) = &self
            && let Some(rejected) = foreign.rejected()
        {
            response.extensions_mut().insert(rejected);
        }
        response
    }
}
