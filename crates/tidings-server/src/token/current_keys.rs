//! The keys of the moment, and word of new ones.

use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};
use tokio::sync::watch;

use super::keys::{Fingerprint, KeySet};

/// The keys that count, which are exchanged while tokens are verified.
#[derive(Debug)]
pub(super) struct CurrentKeys {
    /// None until there are any.
    keys: ArcSwapOption<KeySet>,
    /// Counts the exchanges.
    changes: watch::Sender<u64>,
}

impl CurrentKeys {
    pub(super) fn none() -> Arc<Self> {
        Arc::new(Self {
            keys: ArcSwapOption::empty(),
            changes: watch::Sender::new(0),
        })
    }

    pub(super) fn load(&self) -> Guard<Option<Arc<KeySet>>> {
        self.keys.load()
    }

    /// Puts new keys in the place of all there were.
    pub(super) fn store(&self, keys: KeySet) {
        self.keys.store(Some(Arc::new(keys)));
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Whether a token that was signed with this key would still be accepted.
    pub(super) fn contains(&self, key: Fingerprint) -> bool {
        self.load().as_ref().is_some_and(|keys| keys.contains(key))
    }

    /// Gives a new number whenever keys were exchanged.
    pub(super) fn changed(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
