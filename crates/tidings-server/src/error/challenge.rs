//! What an answer says of the tokens it would take (RFC 6750 §3).

use axum::http::HeaderValue;

use super::ApiError;
use crate::token::{Scopes, TokenError};

/// The `WWW-Authenticate` of an answer, if its error is about the token.
pub(super) fn of(error: &ApiError) -> Option<HeaderValue> {
    let text = match error {
        // Who shows nothing is told nothing but the scheme.
        ApiError::NoToken => "Bearer realm=\"tidings\"".to_owned(),
        ApiError::Token(TokenError::KeysUnavailable) => return None,
        ApiError::Token(error) => invalid(&error.to_string()),
        ApiError::UnreadableToken => invalid("the header is not `Bearer` and a token"),
        ApiError::SystemAsCaller => invalid("the token is for the system"),
        ApiError::MissingScope { any_of } => insufficient(any_of),
        ApiError::ForeignOwner { .. } => insufficient(&[Scopes::PUBLISH]),
        _ => return None,
    };
    HeaderValue::try_from(text).ok()
}

fn invalid(description: &str) -> String {
    // What RFC 6750 §3 lets stand between quotation marks.
    let allowed = |char: &char| matches!(char, ' '..='~') && !matches!(char, '"' | '\\');
    let description: String = description.chars().filter(allowed).collect();
    format!(
        "Bearer realm=\"tidings\", error=\"invalid_token\", error_description=\"{description}\""
    )
}

fn insufficient(any_of: &[Scopes]) -> String {
    // One that is enough: the attribute means all that it names.
    let scope = any_of.first().copied().unwrap_or(Scopes::NONE);
    format!("Bearer realm=\"tidings\", error=\"insufficient_scope\", scope=\"{scope}\"")
}
