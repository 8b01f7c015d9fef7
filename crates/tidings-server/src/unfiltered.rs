//! Paths that take no filters.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::query;

/// The request asks for everything at its path, and for no part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unfiltered;

impl<S: Sync> FromRequestParts<S> for Unfiltered {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or("");
        let checked = query::refuse_filters(query).map_err(ApiError::InvalidQuery);
        checked.map(|()| Self)
    }
}
