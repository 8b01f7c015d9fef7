//! The response to a publisher that names another system.

use axum::http::StatusCode;
use tidings_event::ErrorCode;

use crate::problem::Problem;

/// The rejection of a request about an event of another system than the caller's.
pub(super) fn foreign_system(effect: &'static str) -> Problem {
    Problem::rejection(
        StatusCode::FORBIDDEN,
        ErrorCode::ForeignSystem,
        "The event belongs to another system than the token",
    )
    .effect(effect)
}
