//! Revoked tokens, as a store keeps them for all nodes.

use tidings_event::{OwnerId, Timestamp};

/// A token that is rejected although it has not expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedToken {
    /// Its `jti`.
    pub id: String,
    /// Its expiry, if that is known. Some minutes later the store forgets it.
    pub until: Option<Timestamp>,
    /// The user whose session it was, if they ended it themselves.
    pub ended_by: Option<OwnerId>,
}

/// Some revoked tokens of a store.
#[derive(Clone, Debug, Default)]
pub struct RevokedPage {
    /// The tokens, in the order in which they were revoked.
    pub tokens: Vec<RevokedToken>,
    /// The version of the last one, after which the next page begins.
    pub version: u64,
    /// Whether there are more.
    pub has_more: bool,
}
