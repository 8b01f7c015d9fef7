//! Revoked tokens, as a store keeps them for all nodes.

use tidings_event::{OwnerId, Timestamp};

/// A token that is rejected although it has not expired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevokedToken {
    /// Its `jti`.
    pub id: String,
    /// Its expiry, if that is known. Some minutes later the store forgets it.
    pub until: Option<Timestamp>,
    /// The user whose session it was, if they ended it themselves.
    pub ended_by: Option<OwnerId>,
}

impl RevokedToken {
    /// The token with this `jti` and expiry, revoked by an operator.
    pub fn new(id: impl Into<String>, until: Option<Timestamp>) -> Self {
        Self {
            id: id.into(),
            until,
            ended_by: None,
        }
    }

    /// Sets the user who ended their session.
    #[must_use]
    pub const fn ended_by(mut self, owner: OwnerId) -> Self {
        self.ended_by = Some(owner);
        self
    }
}

/// Some revoked tokens of a store.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RevokedPage {
    /// The tokens, in the order in which they were revoked.
    pub tokens: Vec<RevokedToken>,
    /// The version of the last one, after which the next page begins.
    pub version: u64,
    /// Whether there are more.
    pub has_more: bool,
}
