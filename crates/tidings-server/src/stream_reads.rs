//! Logs whether streams can read the store.

use std::sync::atomic::{AtomicBool, Ordering};

use tidings::StoreError;

use crate::error_chain::chain;

/// Whether the store is available to streams. All streams notice when it is not, and when it is again, and each of
/// these is logged once.
#[derive(Debug, Default)]
pub(crate) struct StreamReads {
    has_failed: AtomicBool,
}

impl StreamReads {
    /// Notes a read that succeeded.
    pub(crate) fn note_success(&self) {
        // Nearly always it stays as it is.
        if self.has_failed.load(Ordering::Relaxed) && self.has_failed.swap(false, Ordering::Relaxed)
        {
            tracing::info!("streams can read the store again");
        }
    }

    /// Notes a read that failed.
    pub(crate) fn note_failure(&self, error: &StoreError) {
        let cause = chain(error);
        match error {
            StoreError::Unavailable(_) => {
                if self.has_failed.swap(true, Ordering::Relaxed) {
                    tracing::debug!(cause, "a stream could not read the store");
                } else {
                    tracing::error!(
                        cause,
                        "streams cannot read the store; they end, and clients connect again"
                    );
                }
            }
            // Such a fault can be of one feed.
            _ => tracing::error!(cause, "could not read events for a stream"),
        }
    }
}
