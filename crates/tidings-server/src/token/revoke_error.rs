//! Why a token was not revoked, and the limits of revocation.

use std::io;

use tidings::StoreError;

/// The most revoked tokens that are known at a time.
#[cfg(feature = "jwt")]
pub(super) const MAX_REVOKED: usize = 100_000;

/// The longest `jti` that can be revoked. Tokens with a longer one are rejected.
pub(super) const MAX_ID_BYTES: usize = 256;

/// The most ended sessions of one user whose tokens have not expired: almost one for each minute of a day.
pub(super) const MAX_ENDED_OF_OWNER: usize = 1_000;

/// Why a token was not revoked, or only until the server ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// No accepted token has such an id.
    #[error(
        "no token has such an id: it has 1 to {MAX_ID_BYTES} bytes, no white space, and neither # nor a \
         byte order mark in front"
    )]
    InvalidId,
    /// The user has ended too many sessions whose tokens have not expired.
    #[error("{MAX_ENDED_OF_OWNER} of your sessions have ended and their tokens have not expired")]
    OwnersShare,
    /// Too many tokens are revoked.
    #[error("{most} tokens are revoked already; replace the keys, or wait until some expire")]
    Full {
        /// The limit.
        most: usize,
    },
    /// The store that several servers share could not be written: the token is revoked on this server, until
    /// it ends.
    #[error("could not store the revocation")]
    Store(#[source] StoreError),
    /// The file could not be written: the token is revoked until the server ends.
    #[error("could not write the list of revoked tokens")]
    File(#[source] io::Error),
}
