//! Making tokens, for development and tests. In production an identity provider makes them.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use tidings_event::OwnerId;

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

/// A token could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("the token could not be signed")]
pub struct MintError(#[source] jsonwebtoken::errors::Error);

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
/// [`MintError`], which no request is known to cause.
pub fn mint(secret: &Secret, request: &MintRequest) -> Result<String, MintError> {
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
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(MintError)
}
