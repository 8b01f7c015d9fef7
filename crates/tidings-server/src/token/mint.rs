//! Tokens for development and tests. In production an identity provider makes them.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use tidings_event::{OwnerId, SystemId};

use super::revocation_list::is_listable;
use super::revoke_error::MAX_ID_BYTES;
use super::scopes::Scopes;
use super::secret::Secret;

/// The contents of a token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MintRequest {
    /// The user (`sub`).
    pub owner: OwnerId,
    /// The permissions (`scope`).
    pub scopes: Scopes,
    /// The time of issue (`iat`).
    pub issued: Timestamp,
    /// The expiry (`exp`), in whole seconds.
    pub expires: Timestamp,
    /// The issuer (`iss`).
    pub issuer: Option<String>,
    /// The audience (`aud`).
    pub audience: Option<String>,
    /// The system that the token publishes for (`systemId`).
    pub system: Option<SystemId>,
    /// The id for revocations (`jti`).
    pub id: Option<String>,
}

impl MintRequest {
    /// A token for `owner`, issued now, without issuer, audience, system and id.
    pub fn new(owner: OwnerId, scopes: Scopes, expires: Timestamp) -> Self {
        Self {
            owner,
            scopes,
            issued: Timestamp::now(),
            expires,
            issuer: None,
            audience: None,
            system: None,
            id: None,
        }
    }
}

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// No server would accept a token of this owner.
    #[error("the nil UUID is no user: give the UUID of a user")]
    Owner,
    /// No server would accept a token with this id.
    #[error(
        "the id of a token has 1 to {MAX_ID_BYTES} bytes, no white space, and neither # nor a byte \
         order mark in front, so that it can stand in a list of revoked tokens"
    )]
    Id,
    /// It could not be signed.
    #[error("the token could not be signed")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Serialize)]
struct MintedClaims<'a> {
    sub: OwnerId,
    scope: String,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(rename = "systemId", skip_serializing_if = "Option::is_none")]
    system_id: Option<SystemId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
}

/// Makes a token and signs it with HS256.
///
/// # Errors
///
/// [`MintError`].
pub fn mint(secret: &Secret, request: &MintRequest) -> Result<String, MintError> {
    if request.owner.is_nil() {
        return Err(MintError::Owner);
    }
    if !request.id.as_deref().is_none_or(is_listable) {
        return Err(MintError::Id);
    }
    let claims = MintedClaims {
        sub: request.owner,
        scope: request.scopes.to_string(),
        iat: request.issued.as_second(),
        exp: request.expires.as_second(),
        iss: request.issuer.as_deref(),
        aud: request.audience.as_deref(),
        system_id: request.system,
        jti: request.id.as_deref(),
    };
    let key = EncodingKey::from_secret(secret.expose_secret());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
        .map_err(|error| MintError::Sign(error.into()))
}
