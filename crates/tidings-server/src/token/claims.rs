//! The claims of a valid token.

use std::fmt;

use jiff::Timestamp;
use tidings_event::{OwnerId, SystemId};

use super::scopes::Scopes;

/// The claims of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// The user. The caller of [`Tokens::verify`](super::Tokens::verify) checks that it is not the
    /// system, since this module does not know the system's id.
    pub(crate) owner: OwnerId,
    /// The permissions of the token.
    pub(crate) scopes: Scopes,
    /// The system that it publishes for.
    pub(crate) system: Option<SystemId>,
    /// The time from which the token is rejected: its `exp` plus the leeway. Streams end at the same
    /// moment, so that a client that reconnects with the same token is rejected.
    pub(crate) expires: Timestamp,
    /// The id for revocations: its `jti`, or a digest of a token that has none.
    pub(crate) id: Box<str>,
    /// The key that signed it. When that key is replaced, the token is rejected.
    pub(crate) key: Fingerprint,
}

/// Distinguishes keys without showing them: the SHA-256 of their material.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(super) [u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint")
    }
}
