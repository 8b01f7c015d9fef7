//! `POST /tokens/revoke`.

use axum::http::StatusCode;

use crate::error::ApiError;
use crate::extract::{Administrator, JsonBody, Login};
use crate::request::revocation::{Revocation, RevocationRejection};
#[cfg(feature = "openapi")]
use crate::schema::bodies::RevokeToken;

/// Revokes a token, although it has not expired, and ends its live streams.
#[cfg_attr(feature = "openapi", utoipa::path(
    post,
    path = "/tokens/revoke",
    summary = "Revoke a token",
    description = "Rejects the token with this `jti` and ends its live streams within a second. \
                   Revoking it again is not an error. Servers that share a PostgreSQL store all \
                   reject the token. Another server needs a list of revoked tokens \
                   (`--revoked-tokens`), or the revocation is lost when it stops.",
    request_body(content = RevokeToken),
    responses((status = 204, description = "The token is revoked."))
))]
pub(crate) async fn revoke_token(
    Login(tokens): Login,
    request: JsonBody<Administrator, Revocation>,
) -> Result<StatusCode, ApiError> {
    let Revocation { id, expires } = request.value;
    let revoked = tokens.revocations().revoke(&id, expires).await;
    revoked.map_err(RevocationRejection::from)?;
    Ok(StatusCode::NO_CONTENT)
}
