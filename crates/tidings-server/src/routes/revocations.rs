//! `POST /tokens/revoke`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tidings_event::{Given, Violations};

use crate::error::ApiError;
use crate::identity::{Administrator, Identity};
use crate::json;
#[cfg(feature = "openapi")]
use crate::openapi::bodies::RevokeToken;
use crate::state::AppState;
use crate::token::RevokeError;

/// The fields of a body that names a token.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    id: Given<String>,
    expires: Given<Timestamp>,
}

/// Refuses a token from now on, although it has not expired, and ends its live streams within a second.
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
    let Identity::Tokens(tokens) = &state.identity else {
        return Err(ApiError::RouteNotFound);
    };
    let body = state.read_change(caller, request).await?;
    let text = json::text(&body.bytes).map_err(ApiError::invalid_json)?;
    let named: Named = json::read(text, text, "").map_err(ApiError::invalid_json)?;
    let (id, expires) = judged(named).map_err(ApiError::InvalidRevocation)?;
    let revoked = tokens.revocations().revoke(&id, expires).await;
    match revoked {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error @ RevokeError::InvalidId) => {
            let mut violations = Violations::default();
            violations.add("id", error.to_string(), "give the `jti` of a token");
            Err(ApiError::InvalidRevocation(violations))
        }
        Err(error) => Err(ApiError::Revocation(error)),
    }
}

/// Which token, and until when that is of use.
fn judged(named: Named) -> Result<(String, Option<Timestamp>), Violations> {
    let mut violations = Violations::default();
    let id = match named.id {
        Given::Value(id) | Given::Malformed(id) => id,
        Given::Absent => {
            violations.add("id", "is missing", "give the `jti` of the token");
            String::new()
        }
    };
    let expires = match named.expires {
        Given::Value(expires) => Some(expires),
        Given::Absent => None,
        Given::Malformed(text) => {
            let fault = format!("({}) is no time", crate::error::quoted(&text));
            let remedy = "give the token's expiry as an RFC 3339 time, or leave it out";
            violations.add("expires", fault, remedy);
            None
        }
    };
    violations.into_result().map(|()| (id, expires))
}
