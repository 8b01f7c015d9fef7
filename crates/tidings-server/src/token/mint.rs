//! Making tokens, for development and tests. In production an identity provider makes them.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use tidings_event::OwnerId;

use super::revocation_list::{MAX_ID_BYTES, is_listable};
use super::scopes::Scopes;
use super::secret::Secret;

/// What a token shall say.
#[derive(Clone, Debug)]
pub struct MintRequest {
    /// Whose events it is about (`sub`).
    pub owner: OwnerId,
    /// What it allows (`scope`).
    pub scopes: Scopes,
    /// When it was made (`iat`).
    pub issued: Timestamp,
    /// When it ends (`exp`), in whole seconds.
    pub expires: Timestamp,
    /// Who made it (`iss`).
    pub issuer: Option<String>,
    /// Whom it is for (`aud`).
    pub audience: Option<String>,
    /// By what it can be revoked (`jti`).
    pub id: Option<String>,
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// No server would accept a token of this owner.
    #[error("the nil UUID is nobody's: give the UUID of a user")]
    Owner,
    /// No server would accept a token with this id.
    #[error(
        "the id of a token has 1 to {MAX_ID_BYTES} bytes, no white space, and neither # nor a byte \
         order mark in front, so that it can stand on a list of revoked tokens"
    )]
    Id,
    /// It could not be signed.
    #[error("the token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
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
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
}

/// Makes a token and signs it by HS256. Whoever has it can do what it allows.
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
        jti: request.id.as_deref(),
    };
    let key = EncodingKey::from_secret(secret.expose_secret());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(MintError::Sign)
}
