//! The answers to callers who are not let in, or not to this.

use axum::http::StatusCode;
use tidings_event::ErrorCode;

use super::{Answer, ApiError, failure, refusal, too_large};
use crate::token::{Scopes, TokenError};

const SEND_ONE: &str =
    "send a token as `Authorization: Bearer …`, or begin a session: POST /session";
const GET_ANOTHER: &str =
    "get a token that this server accepts, and send the request again with it";

/// The answer to an error about who calls.
pub(super) fn of(error: &ApiError) -> Answer {
    match error {
        ApiError::NoToken => unauthorized(
            ErrorCode::TokenMissing,
            "The request does not say who sends it",
        )
        .remedy(SEND_ONE),
        ApiError::UnreadableToken => invalid().fault(
            "the header Authorization is not `Bearer` and a token, once".to_owned(),
            SEND_ONE,
        ),
        ApiError::Token(TokenError::KeysUnavailable) => failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::KeysUnavailable,
            "The server cannot verify tokens at the moment",
        )
        .because("its source of keys has not answered yet")
        .remedy("try again in a moment"),
        ApiError::Token(TokenError::Expired) => {
            unauthorized(ErrorCode::TokenExpired, "The token has expired")
                .because("it is as old as tokens get, or a clock is wrong")
                .remedy("get a fresh token, and send the request again with it")
        }
        ApiError::Token(TokenError::Revoked) => {
            unauthorized(ErrorCode::TokenRevoked, "The token was revoked")
                .because("its session was ended, or an administrator revoked it")
                .remedy("sign in again, and send the request with the new token")
        }
        ApiError::Token(error) => invalid().fault(error.to_string(), GET_ANOTHER),
        ApiError::SystemAsCaller => invalid().fault(
            "its owner is the installation itself, which is no user".to_owned(),
            "make tokens for users; to publish for the system, name the owner `system`",
        ),
        ApiError::MissingScope { any_of } => forbidden(any_of),
        ApiError::ForeignOwner { index } => {
            let place = index.map_or(String::new(), |index| format!("[{index}]."));
            forbidden(&[Scopes::PUBLISH]).fault(
                format!("{place}owner is somebody else"),
                "leave the owner out to publish to yourself",
            )
        }
        ApiError::TokenTooLong { bytes, limit } => too_large(
            format!("the token has {bytes} bytes, more than the {limit} that fit into a cookie"),
            "have the token made with fewer claims, or send it as a header with each request",
        ),
        ApiError::RequestFromElsewhere => refusal(
            StatusCode::FORBIDDEN,
            ErrorCode::ForeignOrigin,
            "A page of another site made the browser send this request",
        )
        .because("`Sec-Fetch-Site` is cross-site or same-site, and this server has no login")
        .remedy(
            "open the server's own page; to use the API from other pages, start the server with \
             --auth jwt and --allow-origin, or put the page behind the same origin by a proxy",
        ),
        _ => refusal(
            StatusCode::FORBIDDEN,
            ErrorCode::ForeignOrigin,
            "A session's cookie came with a change, but not from a page of this server",
        )
        .because("browsers send cookies along for other sites' pages as well")
        .remedy("send the header Origin of this server's page, or a token instead of the cookie"),
    }
}

fn unauthorized(code: ErrorCode, error: &str) -> Answer {
    refusal(StatusCode::UNAUTHORIZED, code, error)
}

fn invalid() -> Answer {
    unauthorized(ErrorCode::TokenInvalid, "The token is not accepted")
}

fn forbidden(any_of: &[Scopes]) -> Answer {
    let names: Vec<String> = any_of.iter().map(Scopes::to_string).collect();
    refusal(
        StatusCode::FORBIDDEN,
        ErrorCode::InsufficientScope,
        "The token does not allow this; nothing was changed",
    )
    .remedy(&format!(
        "get a token with the scope {}",
        names.join(" or ")
    ))
}
