//! The revoked tokens of a store that several nodes share.

use std::sync::Arc;

use tidings_event::{OwnerId, Timestamp};

use crate::store::{Store, StoreError};

/// A token that is refused although it has not expired.
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

/// The revoked tokens of a store that several nodes share, from
/// [`Tidings::revoked_tokens`](crate::Tidings::revoked_tokens).
#[derive(Clone, Debug)]
pub struct RevokedTokens {
    store: Arc<dyn Store>,
}

impl RevokedTokens {
    /// Those of `store`, if it is shared.
    pub(crate) fn of(store: &Arc<dyn Store>) -> Option<Self> {
        store.is_shared().then(|| Self {
            store: Arc::clone(store),
        })
    }

    /// Adds a token. It is stored when this returns. Of two expiries of a token the later one counts.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub async fn add(&self, token: RevokedToken) -> Result<(), StoreError> {
        self.store.revoke(token).await
    }

    /// The tokens that were added after a version; after 0 all. Nodes call it once or twice a second. If the
    /// store was restored from an older backup, it returns all from the beginning.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn after(&self, version: u64) -> Result<RevokedPage, StoreError> {
        self.store.revoked(version).await
    }
}
