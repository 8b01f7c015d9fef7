//! The caller of a request without a body, whose request is counted.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::identity::Caller;
use crate::state::AppState;

/// A caller with the scopes of `A` whose request is counted and within the caller's limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admitted<A>(pub(crate) A);

impl<A> FromRequestParts<Arc<AppState>> for Admitted<A>
where
    A: FromRequestParts<Arc<AppState>, Rejection = ApiError> + AsRef<Caller> + Send,
{
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        let caller = A::from_request_parts(parts, state).await?;
        state.admit(*caller.as_ref(), &parts.uri)?;
        Ok(Self(caller))
    }
}
