//! `/session`: a browser's token in a cookie that scripts cannot read.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::IntoResponse;

use crate::error::ApiError;
use crate::extract::{Login, NewSession, OldSession};
use crate::request::revocation::RevocationRejection;
use crate::state::AppState;
use crate::token::{Claims, Tokens};

/// Exchanges the token of `Authorization` for a session of the browser: the same token in a cookie.
#[cfg_attr(feature = "openapi", utoipa::path(
    post,
    path = "/session",
    summary = "Begin a browser's session",
    description = "Exchanges the token in `Authorization: Bearer` for a cookie that scripts cannot read \
                   (`HttpOnly`, `SameSite=Strict`). The cookie lasts until the token expires. Requests \
                   that change something with a cookie need the `Origin` of this server's own page.",
    responses(
        (
            status = 204,
            description = "The session has begun.",
            headers(("Set-Cookie" = String, description = "The session's cookie."))
        )
    )
))]
pub(crate) async fn begin_session(
    State(state): State<Arc<AppState>>,
    NewSession {
        session,
        token,
        expires,
    }: NewSession,
) -> impl IntoResponse {
    let cookie = session.begin(&state.authenticator.cookies, &token, expires);
    (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)])
}

/// Ends the session: removes the cookie and revokes its token, so that copies of it are rejected.
#[cfg_attr(feature = "openapi", utoipa::path(
    delete,
    path = "/session",
    summary = "End a browser's session",
    description = "Removes the cookie and revokes its token, which also ends its live streams. Without \
                   a session, or with an expired one, the response is 204, too. A user can end 1,000 \
                   sessions whose tokens have not expired.",
    responses(
        (
            status = 204,
            description = "The session has ended.",
            headers(("Set-Cookie" = String, description = "Removes the session's cookie."))
        )
    )
))]
pub(crate) async fn end_session(
    Login(tokens): Login,
    State(state): State<Arc<AppState>>,
    OldSession { session, claims }: OldSession,
) -> impl IntoResponse {
    // The browser removes the cookie in any case.
    let cookie = session.end(&state.authenticator.cookies);
    ([(SET_COOKIE, cookie)], revoke(&tokens, claims).await)
}

async fn revoke(
    tokens: &Tokens,
    claims: Result<Option<Claims>, ApiError>,
) -> Result<StatusCode, ApiError> {
    if let Some(claims) = claims? {
        let ended = tokens.revocations().end_session(&claims).await;
        ended.map_err(RevocationRejection::from)?;
    }
    Ok(StatusCode::NO_CONTENT)
}
