//! Requests that accept no filters.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::request::query::{Elsewhere, check_unfiltered};

/// The query has no filter, so the response covers everything that the path names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unfiltered;

impl<S: Sync> FromRequestParts<S> for Unfiltered {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        check_unfiltered(parts.uri.query(), Elsewhere::Lookup)?;
        Ok(Self)
    }
}
