//! The caller of a request that is counted.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::identity::Caller;
use crate::state::AppState;

/// The one who sent a request without a body, who may ask for what `A` says and has not sent too many
/// of late. With it the request is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admitted<A>(pub(crate) A);

impl<A> FromRequestParts<Arc<AppState>> for Admitted<A>
where
    A: FromRequestParts<Arc<AppState>, Rejection = ApiError> + Into<Caller> + Copy + Send,
{
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        let caller = A::from_request_parts(parts, state).await?;
        state.admit(caller.into(), &parts.uri)?;
        Ok(Self(caller))
    }
}
