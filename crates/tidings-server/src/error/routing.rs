//! Errors of the routes themselves.

use axum::http::StatusCode;
use tidings_event::ErrorCode;

use super::ApiError;
use crate::problem::Problem;
use crate::vitals::Part;

/// Nothing serves this request.
#[derive(Debug)]
pub(crate) enum RouteError {
    /// No such path.
    NotFound,
    /// The path does not accept this method.
    MethodNotAllowed,
    /// The caller has no event with the id in the path.
    EventNotFound,
    /// A task that the server needs has ended.
    Ended(Part),
    /// The handler panicked with this message.
    Panicked(String),
}

impl RouteError {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::NotFound => Problem::rejection(
                StatusCode::NOT_FOUND,
                ErrorCode::RouteNotFound,
                "This path does not exist",
            )
            .remedy("events are at /api/system/events"),
            Self::MethodNotAllowed => Problem::rejection(
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorCode::MethodNotAllowed,
                "The path does not accept this method",
            )
            .remedy("use one of the methods in the header Allow"),
            Self::EventNotFound => Problem::rejection(
                StatusCode::NOT_FOUND,
                ErrorCode::EventNotFound,
                "You have no event with this id",
            )
            .probable_cause("the event was deleted, or belongs to another user")
            .remedy("list your events: GET /api/system/events"),
            Self::Ended(part) => Problem::failure(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Internal,
                "A part of the server has ended",
            )
            .probable_cause(&format!("{} has ended by a fault", part.name()))
            .remedy("restart the server; its log has the reason"),
            Self::Panicked(message) => {
                Problem::internal("The server failed").cause(message.clone())
            }
        }
    }
}

/// Answers a path that does not exist.
pub(crate) async fn route_not_found() -> ApiError {
    RouteError::NotFound.into()
}

/// Answers a method that the path does not accept. The router adds `Allow`.
pub(crate) async fn method_not_allowed() -> ApiError {
    RouteError::MethodNotAllowed.into()
}
