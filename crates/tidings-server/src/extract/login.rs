//! Routes that exist only with authentication.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::{ApiError, RouteError};
use crate::identity::Identity;
use crate::state::AppState;
use crate::token::Tokens;

/// The tokens of a server with authentication. Without authentication nothing is served at the path.
#[derive(Clone, Debug)]
pub(crate) struct Login(pub(crate) Tokens);

impl FromRequestParts<Arc<AppState>> for Login {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &Arc<AppState>) -> Result<Self, ApiError> {
        match &state.authenticator.identity {
            Identity::Local => Err(RouteError::NotFound.into()),
            Identity::Tokens(tokens) => Ok(Self(tokens.clone())),
        }
    }
}
