//! Reasons why no memory is reserved for a response, and their error responses.

use axum::http::StatusCode;
use tidings_event::ErrorCode;

use crate::identity::CredentialError;
use crate::limits::LimitError;
use crate::problem::Problem;

/// Why no memory is reserved for a response.
#[derive(Debug)]
pub(crate) enum ResponseError {
    /// The caller's unread responses take all the memory that one caller gets.
    Limit(LimitError),
    /// The unread responses of all callers take all the memory.
    Overloaded,
    /// The client disconnected while it waited. Nobody reads this.
    Disconnected,
    /// The caller's credential ended while it waited.
    Credential(CredentialError),
}

impl ResponseError {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Limit(limit) => limit.problem(),
            Self::Overloaded => Problem::rejection(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Overloaded,
                "Too many responses wait to be read by their clients",
            )
            .effect("nothing was changed")
            .remedy("try again in a moment"),
            Self::Disconnected => Problem::rejection(
                StatusCode::BAD_REQUEST,
                ErrorCode::BodyUnreadable,
                "The client disconnected before its request was served",
            )
            .effect("nothing was changed")
            .remedy("send the request again"),
            Self::Credential(error) => error.problem(),
        }
    }
}
