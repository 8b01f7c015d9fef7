//! The caller who sets the level of the log.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Administrator;
use crate::error::{ApiError, RouteError};
use crate::identity::Caller;
use crate::state::AppState;

/// An [`Administrator`] of a server that can set the level of its log. Otherwise nothing is served at the
/// path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogAdministrator(Caller);

impl FromRequestParts<Arc<AppState>> for LogAdministrator {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        let Administrator(caller) = Administrator::from_request_parts(parts, state).await?;
        match state.log_level {
            Some(_) => Ok(Self(caller)),
            None => Err(RouteError::NotFound.into()),
        }
    }
}

impl AsRef<Caller> for LogAdministrator {
    fn as_ref(&self) -> &Caller {
        &self.0
    }
}
