//! Signed JSON Web Tokens (RFC 7519): what they allow, how they are verified, and their revocation.
//!
//! This module does not depend on HTTP. It follows the best practices of RFC 8725: the key determines
//! its algorithm, every token must expire, and unknown critical headers are rejected.

mod claims;
#[cfg(feature = "jwt")]
mod clock;
mod config;
#[cfg(feature = "jwt")]
mod current_keys;
mod error;
#[cfg(all(feature = "jwt", any(test, feature = "fuzzing")))]
pub(crate) mod fuzzing;
#[cfg(feature = "jwt")]
mod header;
#[cfg(feature = "jwt")]
mod jwks;
#[cfg(feature = "jwt")]
mod keys;
#[cfg(feature = "jwt")]
mod mint;
#[cfg(feature = "jwt")]
mod owner;
#[cfg(feature = "jwt")]
mod raw_claims;
#[cfg(feature = "jwks-url")]
mod remote_keys;
#[cfg(all(feature = "jwt", not(feature = "jwks-url")))]
#[path = "token/no_remote_keys.rs"]
mod remote_keys;
#[cfg(feature = "jwt")]
mod revocation_file;
#[cfg(feature = "jwt")]
mod revocation_follower;
#[cfg(feature = "jwt")]
mod revocation_list;
#[cfg(feature = "jwt")]
mod revocations;
mod revoke_error;
#[cfg(feature = "jwt")]
mod revoked;
#[cfg(feature = "jwt")]
mod revoked_file;
#[cfg(feature = "jwt")]
mod rules;
mod scopes;
#[cfg(feature = "jwt")]
mod secret;
#[cfg(test)]
#[cfg(feature = "jwt")]
mod tests;
#[cfg(feature = "jwt")]
mod token_file;
#[cfg(feature = "jwt")]
mod tokens;
#[cfg(not(feature = "jwt"))]
#[path = "token/no_tokens.rs"]
mod tokens;
#[cfg(feature = "jwt")]
mod verified_tokens;

pub(crate) use claims::Claims;
pub use config::{KeySource, KeyUrlFault, TokenConfig, TokenSetupError};
pub(crate) use error::TokenError;
#[cfg(feature = "jwt")]
pub use mint::{MintError, MintRequest, mint};
#[cfg(feature = "jwt")]
pub use revocations::Revocations;
pub use revoke_error::RevokeError;
#[cfg(feature = "jwt")]
pub use revoked_file::RevokedFile;
pub use scopes::{ScopeError, Scopes};
#[cfg(feature = "jwt")]
pub use secret::{Secret, ShortSecret};
#[cfg(not(feature = "jwt"))]
pub use tokens::Revocations;
pub use tokens::Tokens;
