//! `POST /tokens/revoke`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;

use crate::error::{ApiError, RouteError};
use crate::extract::Administrator;
use crate::identity::Identity;
use crate::request::revocation::{self, RevocationRefusal};
#[cfg(feature = "openapi")]
use crate::schema::bodies::RevokeToken;
use crate::state::AppState;

/// Revokes a token, although it has not expired, and ends its live streams.
#[cfg_attr(feature = "openapi", utoipa::path(
    post,
    path = "/tokens/revoke",
    summary = "Revoke a token",
    description = "Refuses the token with this `jti` from now on and ends its live streams within a \
                   second. Revoking it again is no error. Without a list of revoked tokens \
                   (`--revoked-tokens`) it is forgotten when the server ends.",
    request_body(content = RevokeToken),
    responses((status = 204, description = "It is revoked."))
))]
pub(crate) async fn revoke_token(
    State(state): State<Arc<AppState>>,
    Administrator(caller): Administrator,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let Identity::Tokens(tokens) = &state.authenticator.identity else {
        return Err(RouteError::NotFound.into());
    };
    let body = state.read_change(caller, request).await?;
    let (id, expires) = revocation::read(body.text()?)?;
    let revoked = tokens.revocations().revoke(&id, expires).await;
    revoked.map_err(RevocationRefusal::from)?;
    Ok(StatusCode::NO_CONTENT)
}
