//! Requests that take no filters.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::query::{self, Elsewhere};

/// The request asks for everything at its path, and for no part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unfiltered;

impl<S: Sync> FromRequestParts<S> for Unfiltered {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        check(parts.uri.query(), Elsewhere::Answer).map(|()| Self)
    }
}

/// Refuses a query that has filters.
pub(crate) fn check(query: Option<&str>, place: Elsewhere) -> Result<(), ApiError> {
    let Some(query) = query else { return Ok(()) };
    query::refuse_filters(query, place).map_err(ApiError::InvalidQuery)
}
