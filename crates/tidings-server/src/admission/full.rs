//! Why a connection is not served, and the response to a request on it.

use axum::http::StatusCode;
use tidings_event::ErrorCode;

use crate::problem::Problem;

/// Why a connection is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// All connections are taken.
    Server,
    /// All connections of the client's address are taken.
    Address,
}

impl Full {
    /// The response to a request on such a connection.
    pub(crate) fn problem(self) -> Problem {
        let (error, remedy) = match self {
            Self::Server => (
                "Too many connections to this server",
                "try again in a moment",
            ),
            Self::Address => (
                "Too many connections from your address",
                "close some of them, or try again in a moment",
            ),
        };
        Problem::rejection(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Overloaded,
            error,
        )
        .remedy(remedy)
    }
}
