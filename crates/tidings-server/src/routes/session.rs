//! `/session`: a browser's token in a cookie that scripts cannot read.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::extract::{Admitted, Login};
use crate::identity::{Caller, Credential, CredentialError, Head, Session};
use crate::request::revocation::RevocationRefusal;
use crate::state::AppState;
use crate::token::{TokenError, Tokens};

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
    _: Login,
    State(state): State<Arc<AppState>>,
    _: Admitted<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let head = Head::from(&request);
    // A cookie is not accepted: it would only restart its own session.
    let token = head.bearer()?.ok_or(CredentialError::Missing)?;
    let limit = Session::MAX_TOKEN_BYTES;
    if token.len() > limit {
        let bytes = token.len();
        return Err(CredentialError::TooLong { bytes, limit }.into());
    }
    let credential = request.extensions().get::<Credential>();
    let expires = credential.ok_or(CredentialError::Missing)?.claims.expires;
    Ok(set(
        Session::of(head, &state.authenticator.cookies).begin(token, expires)
    ))
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
    request: Request,
) -> Result<Response, ApiError> {
    let head = Head::from(&request);
    // Another token in the request does not matter.
    let token = state.authenticator.token_in_cookie(head)?;
    let ended = match token {
        Some(token) => end(&token, &tokens, &state, request.uri()).await,
        None => Ok(()),
    };
    // The browser removes the cookie in any case.
    let mut response = match ended {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    let session = Session::of(Head::from(&request), &state.authenticator.cookies);
    headers.insert(SET_COOKIE, session.end());
    Ok(response)
}

/// Revokes a token, unless it is rejected anyway.
async fn end(token: &str, tokens: &Tokens, state: &AppState, uri: &Uri) -> Result<(), ApiError> {
    match tokens.verify(token).await {
        Ok(claims) => {
            let caller = Caller {
                owner: claims.owner,
                scopes: claims.scopes,
            };
            state.admit(caller, uri)?;
            let ended = tokens.revocations().end_session(&claims).await;
            Ok(ended.map_err(RevocationRefusal::from)?)
        }
        // The token can become valid later, and is not revoked.
        Err(
            error
            @ (TokenError::KeysUnavailable | TokenError::UnknownKey | TokenError::NotYetValid),
        ) => Err(CredentialError::from(error).into()),
        Err(_) => Ok(()),
    }
}

fn set(cookie: HeaderValue) -> Response {
    (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
}
