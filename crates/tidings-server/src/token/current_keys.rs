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
    keys: ArcSwapOption<(KeySet, Generation)>,
    /// Counts the replacements.
    changes: watch::Sender<u64>,
}

/// Distinguishes keys from those that they replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(pub(super) u64);

impl CurrentKeys {
    pub(super) fn none() -> Arc<Self> {
        Arc::new(Self {
            keys: ArcSwapOption::empty(),
            changes: watch::Sender::new(0),
        })
    }

    pub(super) fn load(&self) -> Guard<Option<Arc<(KeySet, Generation)>>> {
        self.keys.load()
    }

    /// Replaces all keys. The same keys replace nothing: a JWKS is fetched again and again, even by order of
    /// strangers, and each replacement makes all tokens be verified again.
    pub(super) fn store(&self, keys: KeySet) {
        self.changes.send_if_modified(|changes| {
            if self
                .load()
                .as_ref()
                .is_some_and(|known| known.0.is_same(&keys))
            {
                return false;
            }
            *changes += 1;
            self.keys
                .store(Some(Arc::new((keys, Generation(*changes)))));
            true
        });
    }

    /// Whether a token with this key would still be accepted.
    pub(super) fn contains(&self, key: Fingerprint) -> bool {
        let keys = self.load();
        keys.as_ref().is_some_and(|keys| keys.0.contains(key))
    }

    /// The generation of the keys in use; `None` until the first keys arrive.
    pub(super) fn generation(&self) -> Option<Generation> {
        self.load().as_ref().map(|keys| keys.1)
    }

    /// Changes whenever keys are replaced.
    pub(super) fn changed(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
