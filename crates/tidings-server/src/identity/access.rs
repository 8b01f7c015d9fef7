//! What a caller may do: each handler takes the caller it is for.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{Caller, Credential, authenticate};
use crate::error::ApiError;
use crate::state::AppState;
use crate::token::Scopes;

/// Who may ask for an operation, for its documentation and its tests; what really decides is the caller
/// that its handler takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody: it tells nothing about anybody.
    Everybody,
    /// Whoever has a token.
    Caller,
    /// Who has any of these scopes.
    AnyOf(&'static [Scopes]),
}

impl Access {
    /// For a [`Reader`].
    pub(crate) const READER: Self = Self::AnyOf(&[Scopes::READ]);
    /// For a [`Changer`].
    pub(crate) const CHANGER: Self = Self::AnyOf(&[Scopes::WRITE]);
    /// For a [`Publisher`].
    pub(crate) const PUBLISHER: Self = Self::AnyOf(&[Scopes::WRITE, Scopes::PUBLISH]);
    /// For an [`Administrator`].
    pub(crate) const ADMINISTRATOR: Self = Self::AnyOf(&[Scopes::ADMIN]);
}

impl FromRequestParts<Arc<AppState>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        authenticate(parts, state).await
    }
}

/// What has let the caller in, after the caller was found: nothing where no login is needed.
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
    let caller = authenticate(parts, state).await?;
    if scopes.iter().any(|scope| caller.scopes.contains(*scope)) {
        Ok(caller)
    } else {
        Err(ApiError::MissingScope { any_of: scopes })
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

        impl From<$name> for Caller {
            fn from($name(caller): $name) -> Self {
                caller
            }
        }
    };
}

caller_with! {
    /// Someone who may read their own events and the system's.
    Reader, READ
}

caller_with! {
    /// Someone who may mark and delete their own events.
    Changer, WRITE
}

caller_with! {
    /// Someone who may publish: to themselves, or to anybody.
    Publisher, WRITE, PUBLISH
}

caller_with! {
    /// Someone who looks after the server.
    Administrator, ADMIN
}
