//! The revoked tokens of a store that several nodes share.

use std::sync::Arc;

use crate::store::{RevokedPage, RevokedToken, Store, StoreError};

/// The revoked tokens of a store that several nodes share, from
/// [`Engine::revoked_tokens`](crate::wire::Engine::revoked_tokens).
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
