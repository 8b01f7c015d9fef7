//! Faults of a request's parameters, and the error response.

use axum::http::StatusCode;
use tidings_event::{ErrorCode, Violations};

use crate::problem::Problem;

/// Parameters of the query or the path are unknown or malformed.
#[derive(Debug)]
pub(crate) struct InvalidQuery(pub(crate) Violations);

impl InvalidQuery {
    pub(crate) fn problem(&self) -> Problem {
        Problem::rejection(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidQuery,
            "The request's parameters cannot be used",
        )
        .violations(&self.0)
    }
}
