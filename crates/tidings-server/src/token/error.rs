//! Why a token is rejected.

/// Why a token is rejected. The texts repeat nothing of the token, so they can be shown and logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(
    not(feature = "jwt"),
    expect(dead_code, reason = "such a build verifies no token")
)]
pub(crate) enum TokenError {
    /// It cannot be read (RFC 7519 §7.2), is too long, has a `typ` that names something else (RFC 8725
    /// §3.11), a `crit` header that asks for what is not understood here (RFC 7515 §4.1.11), or a
    /// claim of another type than it should have.
    #[error(
        "the token is not a readable JWT: it needs three base64url parts of at most {MAX_TOKEN_BYTES} \
         bytes together, no `typ` but JWT or at+jwt, no `crit`, and claims of the usual types"
    )]
    Malformed,
    /// This server has no keys for its `alg` (RFC 8725 §3.1), such as `none`.
    #[error("this server does not verify the token's `alg`")]
    UnsupportedAlgorithm,
    /// No key has its `kid`, or it has none and not exactly one key is for its `alg`.
    #[error("this server has no key for the token's `kid` and `alg`")]
    UnknownKey,
    /// It was signed by another key, or changed since.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// Its `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// Its `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Its `iss` is not the issuer this server trusts, or missing.
    #[error("the token's `iss` is not the issuer that this server trusts")]
    WrongIssuer,
    /// Its `aud` does not name this server.
    #[error("the token's `aud` does not name this server")]
    WrongAudience,
    /// Its `exp` is after the year 9999.
    #[error(
        "the token's `exp` lies beyond the year 9999: it counts seconds since 1970, and milliseconds look \
         like this"
    )]
    FarExpiry,
    /// It has no `exp`.
    #[error("the token has no `exp`, and one that never expires is not accepted")]
    NoExpiry,
    /// Nothing in it names an owner.
    #[error("the token names no owner: {0}")]
    NoOwner(NoOwner),
    /// Its `systemId` names no system.
    #[error("the token's `systemId` is no UUID")]
    NoSystem,
    /// Its `jti` was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The store has not been asked yet which tokens are revoked.
    #[error("this server does not know the revoked tokens yet")]
    RevocationsUnavailable,
    /// The URL of the keys has not answered yet.
    #[error("this server does not have the keys to verify tokens yet")]
    KeysUnavailable,
}

/// Why a token does not name an owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(
    not(feature = "jwt"),
    expect(dead_code, reason = "such a build verifies no token")
)]
pub(crate) enum NoOwner {
    /// The subject is no UUID, and nothing else is looked at.
    #[error("its `sub` is no UUID")]
    Subject,
    /// Neither the subject nor the claim of this name is a UUID.
    #[error("neither its `sub` nor its `{0}` is a UUID")]
    Claim(Box<str>),
    /// The owner would be derived from issuer and subject, and one of them is missing.
    #[error("it has no `{0}`, and the owner is made of `iss` and `sub`")]
    Part(&'static str),
}

/// The longest token. Longer ones are rejected unread.
pub(super) const MAX_TOKEN_BYTES: usize = 8 * 1024;
