//! Parses a request to revoke a token, and reports its failures.

use std::io::{self, ErrorKind};

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tidings_event::{ErrorCode, Given, Violation, Violations};

use super::json::{self, InvalidJson};
use crate::problem::{Problem, quoted};
use crate::token::RevokeError;

/// Why a token was not revoked.
#[derive(Debug)]
pub(crate) enum RevocationRejection {
    /// The body is not JSON.
    Json(InvalidJson),
    /// The body does not name a token.
    Invalid(Violations),
    /// The list of revoked tokens is full, or cannot be written.
    Failed(RevokeError),
}

impl From<Violation> for RevocationRejection {
    fn from(violation: Violation) -> Self {
        Self::Json(violation.into())
    }
}

impl From<RevokeError> for RevocationRejection {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::InvalidId => {
                let mut violations = Violations::default();
                violations.add("id", error.to_string(), "give the `jti` of a token");
                Self::Invalid(violations)
            }
            error @ (RevokeError::OwnersShare
            | RevokeError::Full { .. }
            | RevokeError::Store(_)
            | RevokeError::File(_)) => Self::Failed(error),
        }
    }
}

impl RevocationRejection {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Json(invalid) => invalid.problem(),
            Self::Invalid(violations) => Problem::rejection(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidRevocation,
                "The request does not name a token to revoke",
            )
            .effect("none was revoked")
            .violations(violations),
            Self::Failed(error) => of_list(error),
        }
    }
}

fn of_list(error: &RevokeError) -> Problem {
    match error {
        RevokeError::File(cause) if is_full(cause) => Problem::failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageFull,
            "The token is revoked until this server stops, but the disk has no room for it in the list",
        )
        .remedy("free space on the disk with the list of revoked tokens, then revoke the token again")
        .caused_by(error),
        RevokeError::OwnersShare => Problem::rejection(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            "Too many ended sessions; the token of this one stays valid until it expires",
        )
        .detail(
            error.to_string(),
            "wait until some of the tokens expire, or ask an administrator to revoke the token",
        ),
        RevokeError::Full { .. } => Problem::failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageFull,
            "The list of revoked tokens is full",
        )
        .remedy("remove expired tokens from the list, or change the key that signs tokens")
        .caused_by(error),
        RevokeError::Store(_) => Problem::failure(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StorageUnavailable,
            "The token is revoked on this server only, and until it stops: the event store is unavailable",
        )
        .remedy("revoke the token again in a moment")
        .caused_by(error),
        RevokeError::File(_) | RevokeError::InvalidId => Problem::internal(
            "The token is revoked until this server stops, but the list could not be written",
        )
        .caused_by(error),
    }
}

/// Whether a disk is full, or the part of it that the server's user can use.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    )
}

/// The fields of a body that names a token.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    id: Given<String>,
    expires: Given<Timestamp>,
}

/// A token to revoke.
#[derive(Debug)]
pub(crate) struct Revocation {
    /// The `jti` of the token.
    pub(crate) id: String,
    pub(crate) expires: Option<Timestamp>,
}

impl Revocation {
    pub(crate) fn read(text: &str) -> Result<Self, RevocationRejection> {
        let named: Named = json::read(text, text, "")?;
        named.checked().map_err(RevocationRejection::Invalid)
    }
}

impl Named {
    fn checked(self) -> Result<Revocation, Violations> {
        let mut violations = Violations::default();
        let id = match self.id {
            Given::Value(id) | Given::Malformed(id) => id,
            Given::Absent => {
                violations.add("id", "is missing", "give the `jti` of the token");
                String::new()
            }
        };
        let expires = match self.expires {
            Given::Value(expires) => Some(expires),
            Given::Absent => None,
            Given::Malformed(text) => {
                let fault = format!("({}) is not a time", quoted(&text));
                let remedy = "give the token's expiry as an RFC 3339 time, or leave `expires` out";
                violations.add("expires", fault, remedy);
                None
            }
        };
        violations.into_result()?;
        Ok(Revocation { id, expires })
    }
}
