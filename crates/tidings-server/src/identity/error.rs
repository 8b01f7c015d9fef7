//! Errors of authentication and authorization, and their responses.

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use tidings_event::ErrorCode;

use super::ForeignRequest;
use crate::problem::Problem;
use crate::token::{Scopes, TokenError};

/// Why a request is not authenticated or not authorized.
#[derive(Debug)]
pub(crate) enum CredentialError {
    /// The request has no token.
    Missing,
    /// The header `Authorization` is not `Bearer` followed by a token.
    Unreadable,
    /// The token is invalid, expired or revoked.
    Token(TokenError),
    /// The token's owner is the installation itself.
    SystemAsCaller,
    /// The token has none of these scopes.
    MissingScope { any_of: &'static [Scopes] },
    /// The token is too long for a cookie.
    TooLong { bytes: usize, limit: usize },
    /// The token is in a cookie, which this request cannot use.
    Foreign(ForeignRequest),
}

impl From<ForeignRequest> for CredentialError {
    fn from(foreign: ForeignRequest) -> Self {
        Self::Foreign(foreign)
    }
}

impl From<TokenError> for CredentialError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

const SEND_TOKEN: &str =
    "send a token as `Authorization: Bearer …`, or start a session with POST /session";

impl CredentialError {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Missing => unauthorized(
                ErrorCode::TokenMissing,
                "No credentials: send `Authorization: Bearer …` or a session cookie",
            )
            .remedy(SEND_TOKEN)
            // A request without a token gets the scheme only (RFC 6750 §3.1).
            .challenge("Bearer realm=\"tidings\"".to_owned()),
            Self::Unreadable => invalid("the header is not `Bearer` and a token").detail(
                "the header Authorization is not `Bearer` and a token, given once".to_owned(),
                SEND_TOKEN,
            ),
            Self::Token(error) => of_token(error),
            Self::SystemAsCaller => invalid("the token is for the system").detail(
                "the owner of the token is the installation itself, which is not a user".to_owned(),
                "create tokens for users; to publish for the system, set the owner to `system`",
            ),
            Self::MissingScope { any_of } => insufficient(any_of),
            Self::TooLong { bytes, limit } => Problem::rejection(
                StatusCode::PAYLOAD_TOO_LARGE,
                ErrorCode::TooLarge,
                "The request is too large",
            )
            .effect("nothing was changed")
            .detail(
                format!(
                    "the token has {bytes} bytes, more than the {limit} that fit into a cookie"
                ),
                "use a token with fewer claims, or send it as a header with each request",
            ),
            Self::Foreign(foreign) => foreign.problem(),
        }
    }
}

fn of_token(error: &TokenError) -> Problem {
    let description = error.to_string();
    match error {
        TokenError::KeysUnavailable => Problem::failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::KeysUnavailable,
            "The server cannot verify tokens at the moment",
        )
        .probable_cause("the server's source of keys has not responded yet")
        .remedy("try again in a moment")
        // The task that fetches the keys logs the failure.
        .logged_elsewhere(),
        TokenError::RevocationsUnavailable => Problem::failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageUnavailable,
            "The server cannot accept tokens at the moment",
        )
        .probable_cause("the server has not read the revoked tokens from the event store yet")
        .remedy("try again in a moment")
        // The task that reads them logs the failure.
        .logged_elsewhere(),
        TokenError::Expired => unauthorized(ErrorCode::TokenExpired, "The token has expired")
            .probable_cause("the token is past its `exp`, or a clock is wrong")
            .remedy("get a new token, and send the request again with it")
            .challenge(invalid_token(&description)),
        TokenError::Revoked => unauthorized(ErrorCode::TokenRevoked, "The token was revoked")
            .probable_cause("the session of the token was ended, or an administrator revoked it")
            .remedy("sign in again, and send the request with the new token")
            .challenge(invalid_token(&description)),
        TokenError::Malformed
        | TokenError::UnsupportedAlgorithm
        | TokenError::UnknownKey
        | TokenError::BadSignature
        | TokenError::NotYetValid
        | TokenError::WrongIssuer
        | TokenError::WrongAudience
        | TokenError::FarExpiry
        | TokenError::NoExpiry
        | TokenError::NoOwner(_)
        | TokenError::NoSystem => invalid(&description).detail(
            description,
            "get a token that this server accepts, and send the request again with it",
        ),
    }
}

fn unauthorized(code: ErrorCode, error: &str) -> Problem {
    Problem::rejection(StatusCode::UNAUTHORIZED, code, error)
}

fn invalid(description: &str) -> Problem {
    unauthorized(ErrorCode::TokenInvalid, "The token is not accepted")
        .challenge(invalid_token(description))
}

/// The problem of a token without a needed scope.
pub(crate) fn insufficient(any_of: &[Scopes]) -> Problem {
    let names: Vec<String> = any_of.iter().map(Scopes::to_string).collect();
    // One sufficient scope: a client needs all scopes that the attribute names.
    let scope = any_of.first().copied().unwrap_or(Scopes::NONE);
    Problem::rejection(
        StatusCode::FORBIDDEN,
        ErrorCode::InsufficientScope,
        "The token does not allow this",
    )
    .effect("nothing was changed")
    .remedy(&format!(
        "get a token with the scope {}",
        names.join(" or ")
    ))
    .challenge(format!(
        "Bearer realm=\"tidings\", error=\"insufficient_scope\", scope=\"{scope}\""
    ))
}

fn invalid_token(description: &str) -> String {
    // RFC 6750 §3 allows these characters between the quotation marks.
    let allowed = |char: &char| matches!(char, ' '..='~') && !matches!(char, '"' | '\\');
    let description: String = description.chars().filter(allowed).collect();
    format!(
        "Bearer realm=\"tidings\", error=\"invalid_token\", error_description=\"{description}\""
    )
}

impl Problem {
    /// The `WWW-Authenticate` header (RFC 6750 §3).
    fn challenge(self, challenge: String) -> Self {
        match HeaderValue::try_from(challenge) {
            Ok(challenge) => self.header(WWW_AUTHENTICATE, challenge),
            Err(_) => self,
        }
    }
}
