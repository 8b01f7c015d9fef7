//! The beginning and the end of a browser's session.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use jiff::Timestamp;

use super::{Admitted, Login};
use crate::error::ApiError;
use crate::identity::{Caller, Credential, CredentialError, Head, Session};
use crate::state::AppState;
use crate::token::{Claims, TokenError, Tokens};

/// A session to begin, with the token of `Authorization`. The caller is authenticated, and the request is
/// counted.
#[derive(Debug)]
pub(crate) struct NewSession {
    pub(crate) session: Session,
    pub(crate) token: String,
    pub(crate) expires: Timestamp,
}

impl FromRequestParts<Arc<AppState>> for NewSession {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        Login::from_request_parts(parts, state).await?;
        Admitted::<Caller>::from_request_parts(parts, state).await?;
        let head = Head::from(&*parts);
        // A cookie is not accepted: it would only restart its own session.
        let token = head.bearer()?.ok_or(CredentialError::Missing)?;
        let limit = Session::MAX_TOKEN_BYTES;
        if token.len() > limit {
            let bytes = token.len();
            return Err(CredentialError::TooLong { bytes, limit }.into());
        }
        let credential = parts.extensions.get::<Credential>();
        Ok(Self {
            session: Session::of(head),
            token: token.to_owned(),
            expires: credential.ok_or(CredentialError::Missing)?.claims.expires,
        })
    }
}

/// A session to end. The browser removes its cookie even if the token cannot be revoked.
#[derive(Debug)]
pub(crate) struct OldSession {
    pub(crate) session: Session,
    /// The token to revoke; `None` if there is none, or if it is rejected anyway. The request of a token's
    /// owner is counted.
    pub(crate) claims: Result<Option<Claims>, ApiError>,
}

impl FromRequestParts<Arc<AppState>> for OldSession {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        let Login(tokens) = Login::from_request_parts(parts, state).await?;
        let head = Head::from(&*parts);
        // Another token in the request does not matter.
        let token = state.authenticator.token_in_cookie(head)?;
        let session = Session::of(head);
        let claims = match token {
            Some(token) => to_revoke(&token, &tokens, state, &parts.uri).await,
            None => Ok(None),
        };
        Ok(Self { session, claims })
    }
}

/// The claims of a token that is to be revoked.
async fn to_revoke(
    token: &str,
    tokens: &Tokens,
    state: &AppState,
    uri: &Uri,
) -> Result<Option<Claims>, ApiError> {
    match tokens.identify(token).await {
        Ok(claims) => {
            let caller = Caller {
                owner: claims.owner,
                scopes: claims.scopes,
                system: claims.system,
            };
            state.admit(caller, uri)?;
            let is_revoked = tokens.revocations().is_revoked(&claims.id);
            Ok((!is_revoked).then_some(claims))
        }
        // The token can become valid later, and is not revoked.
        Err(
            error @ (TokenError::KeysUnavailable
            | TokenError::RevocationsUnavailable
            | TokenError::UnknownKey
            | TokenError::NotYetValid),
        ) => Err(CredentialError::from(error).into()),
        Err(
            TokenError::Malformed
            | TokenError::UnsupportedAlgorithm
            | TokenError::BadSignature
            | TokenError::Expired
            | TokenError::WrongIssuer
            | TokenError::WrongAudience
            | TokenError::FarExpiry
            | TokenError::NoExpiry
            | TokenError::NoOwner(_)
            | TokenError::NoSystem
            | TokenError::Revoked,
        ) => Ok(None),
    }
}
