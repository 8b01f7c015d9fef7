//! The caller of a request that is counted.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::identity::Caller;
use crate::state::AppState;

/// The one who sent a request without a body, and has not sent too many of late. With it the request
/// is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admitted(pub(crate) Caller);

impl FromRequestParts<Arc<AppState>> for Admitted {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        state.admit(caller, &parts.uri)?;
        Ok(Self(caller))
    }
}
