//! The keys in use, and notifications of new ones.

use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};
use tokio::sync::watch;

use super::claims::Fingerprint;
use super::keys::KeySet;

/// The keys in use. They are replaced while tokens are verified.
#[derive(Debug)]
pub(super) struct CurrentKeys {
    /// `None` until the first keys arrive.
    keys: ArcSwapOption<KeySet>,
    /// Counts the replacements.
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

    /// Replaces all keys.
    pub(super) fn store(&self, keys: KeySet) {
        self.keys.store(Some(Arc::new(keys)));
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Whether a token with this key would still be accepted.
    pub(super) fn contains(&self, key: Fingerprint) -> bool {
        self.load().as_ref().is_some_and(|keys| keys.contains(key))
    }

    /// Changes whenever keys are replaced.
    pub(super) fn changed(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
