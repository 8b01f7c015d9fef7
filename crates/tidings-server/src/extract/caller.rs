//! The caller of a request: each handler takes the caller whose scopes it needs.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::ApiError;
use crate::identity::{Caller, Credential, CredentialError};
use crate::state::AppState;
use crate::token::Scopes;

impl FromRequestParts<Arc<AppState>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        Ok(state.authenticator.authenticate(parts).await?)
    }
}

impl AsRef<Self> for Caller {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// The credential of the caller, for handlers that take it after the caller. `None` without authentication.
#[derive(Debug)]
pub(crate) struct Shown(pub(crate) Option<Credential>);

impl FromRequestParts<Arc<AppState>> for Shown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<AppState>) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.remove()))
    }
}

/// A caller with one of the scopes.
async fn with_any_of(
    scopes: &'static [Scopes],
    parts: &mut Parts,
    state: &AppState,
) -> Result<Caller, ApiError> {
    let caller = state.authenticator.authenticate(parts).await?;
    if scopes.iter().any(|scope| caller.scopes.contains(*scope)) {
        Ok(caller)
    } else {
        Err(CredentialError::MissingScope { any_of: scopes }.into())
    }
}

macro_rules! caller_with {
    ($(#[$doc:meta])* $name:ident, $($scope:ident),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name(pub(crate) Caller);

        impl FromRequestParts<Arc<AppState>> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(
                parts: &mut Parts,
                state: &Arc<AppState>,
            ) -> Result<Self, ApiError> {
                with_any_of(&[$(Scopes::$scope),+], parts, state).await.map(Self)
            }
        }

        impl AsRef<Caller> for $name {
            fn as_ref(&self) -> &Caller {
                &self.0
            }
        }
    };
}

caller_with! {
    /// A caller who can read: their own events and the system's.
    Reader, READ
}

caller_with! {
    /// A caller who can mark and delete their own events.
    Changer, WRITE
}

caller_with! {
    /// A caller who can publish: to themselves, or to all users.
    Publisher, WRITE, PUBLISH
}

caller_with! {
    /// A caller who can update what their system has published.
    Updater, PUBLISH
}

caller_with! {
    /// A caller who administers the server.
    Administrator, ADMIN
}
