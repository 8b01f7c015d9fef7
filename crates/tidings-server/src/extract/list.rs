//! A request for a list of events.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{Admitted, Reader};
use crate::error::ApiError;
use crate::identity::{Caller, Credential};
use crate::request::query::{InvalidQuery, ListQuery, Viewer};
use crate::state::AppState;

/// A request for a list. Its caller is authorized, and the request is counted.
#[derive(Debug)]
pub(crate) struct ListRequest {
    pub(crate) caller: Caller,
    /// `None` without authentication.
    pub(crate) credential: Option<Credential>,
    pub(crate) query: ListQuery,
}

impl FromRequestParts<Arc<AppState>> for ListRequest {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        let Admitted(Reader(caller)) = Admitted::from_request_parts(parts, state).await?;
        let credential = parts.extensions.remove();
        let viewer = Viewer {
            owner: caller.owner,
            system: state.authenticator.system,
        };
        let query = parts.uri.query().unwrap_or_default();
        let query = ListQuery::parse(query, viewer).map_err(InvalidQuery)?;
        Ok(Self {
            caller,
            credential,
            query,
        })
    }
}
