//! What a valid token says.

use std::fmt;

use jiff::Timestamp;
use tidings_event::OwnerId;

use super::scopes::Scopes;

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// The user. The caller of [`Tokens::verify`](super::Tokens::verify) checks that it is not the
    /// system, whose id tokens do not know.
    pub(crate) owner: OwnerId,
    /// What it allows.
    pub(crate) scopes: Scopes,
    /// The token is refused from this time on: its `exp` and the leeway. Streams end at the same moment,
    /// so that a client that comes back with the same token is refused.
    pub(crate) expires: Timestamp,
    /// The id for revocations: its `jti`, or a digest of a token that has none.
    pub(crate) id: Box<str>,
    /// The key that signed it. When that key is replaced, the token is refused.
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
