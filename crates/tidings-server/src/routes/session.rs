//! `/session`: a browser's token in a cookie that scripts cannot read.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::error::{ApiError, RouteError};
use crate::identity::{Caller, Credential, CredentialError, Head, Identity, Session};
use crate::request::revocation::RevocationRefusal;
use crate::state::AppState;
use crate::token::{TokenError, Tokens};

/// Exchanges the bearer's token for a session of the browser: the same token, in a cookie.
#[cfg_attr(feature = "openapi", utoipa::path(
    post,
    path = "/session",
    summary = "Begin a browser's session",
    description = "Exchanges the token in `Authorization: Bearer` for a cookie with it that scripts \
                   cannot read (`HttpOnly`, `SameSite=Strict`), until the token expires. With a cookie, \
                   what changes something needs the `Origin` of this server's own page.",
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
    caller: Result<Caller, ApiError>,
    request: Request,
) -> Result<Response, ApiError> {
    check_login(&state)?;
    state.admit(caller?, request.uri())?;
    let head = Head::from(&request);
    // Beginning one by a cookie would only begin it again.
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

/// Ends the session: takes the cookie back and revokes its token, so that a copy of it is of no use.
#[cfg_attr(feature = "openapi", utoipa::path(
    delete,
    path = "/session",
    summary = "End a browser's session",
    description = "Takes the cookie back and revokes the token in it, which also ends its live streams. \
                   Without a session, or with one that has expired, there is nothing to end: 204 too. \
                   A user can end 1,000 sessions whose tokens have not expired.",
    responses(
        (
            status = 204,
            description = "There is no session any more.",
            headers(("Set-Cookie" = String, description = "Takes the session's cookie back."))
        )
    )
))]
pub(crate) async fn end_session(
    State(state): State<Arc<AppState>>,
    request: Request,
) -> Result<Response, ApiError> {
    let Identity::Tokens(tokens) = &state.authenticator.identity else {
        return Err(RouteError::NotFound.into());
    };
    let head = Head::from(&request);
    // Whatever else the request shows: this is about the cookie.
    let token = state.authenticator.token_in_cookie(head)?;
    let ended = match token {
        Some(token) => end(&token, tokens, &state, request.uri()).await,
        None => Ok(()),
    };
    // The browser forgets it in any case.
    let mut response = match ended {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    let session = Session::of(Head::from(&request), &state.authenticator.cookies);
    headers.insert(SET_COOKIE, session.end());
    Ok(response)
}

/// Revokes a token, unless it is of no use anyway.
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
        // It may be good later, and was not revoked.
        Err(
            error
            @ (TokenError::KeysUnavailable | TokenError::UnknownKey | TokenError::NotYetValid),
        ) => Err(CredentialError::from(error).into()),
        Err(_) => Ok(()),
    }
}

/// Without a login there are no sessions.
fn check_login(state: &AppState) -> Result<(), ApiError> {
    if state.authenticator.identity.has_login() {
        Ok(())
    } else {
        Err(RouteError::NotFound.into())
    }
}

fn set(cookie: HeaderValue) -> Response {
    (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
}
