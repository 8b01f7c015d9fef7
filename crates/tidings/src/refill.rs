//! Refills the windows of live feeds with what other nodes have committed: one read for all subscribers of a
//! feed.

use std::sync::Arc;
use std::time::Duration;

use crate::deliveries;
use crate::heads::Heads;
use crate::hub::{Hub, Refilling};
use crate::metrics::Metrics;
use crate::store::{Refill, RevRange, Store, StoreError};
use crate::sync::{now, sleep_until};

/// How many feeds are read at the same time.
pub(crate) const REFILLS: usize = 4;

/// The longest read. The store has limits of its own; this one bounds the delay by a lost connection.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// Refills one feed after the other. [`REFILLS`] tasks run [`Self::run`].
#[derive(Clone, Debug)]
pub(crate) struct Refiller {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) heads: Arc<Heads>,
}

/// Why a read was given up.
enum Failure {
    Store(StoreError),
    TookTooLong,
}

impl Refiller {
    /// Refills until the hub is closed.
    pub(crate) async fn run(self) {
        // The first of successive failures is logged.
        let mut is_failing = false;
        while let Some(feed) = self.hub.next_refill().await {
            match self.refill(feed).await {
                Ok(()) => is_failing = false,
                // The engine is closing.
                Err(Failure::Store(StoreError::Closed)) => {}
                Err(failure) => {
                    self.metrics.refills_failed.inc();
                    if !std::mem::replace(&mut is_failing, true) {
                        failure.log();
                    }
                    // It finds the feed again when the store is back.
                    self.heads.compare_soon();
                }
            }
        }
    }

    /// Reads the next piece of a feed. After a failure its subscribers get what this node has committed by
    /// reading the store themselves.
    async fn refill(&self, mut feed: Refilling) -> Result<(), Failure> {
        let Some(missing) = feed.next_missing() else {
            return Ok(());
        };
        let range = RevRange {
            after: missing.after,
            up_to: missing.up_to,
        };
        let read = tokio::select! {
            biased;
            read = self.store.refill(feed.owner(), range) => read.map_err(Failure::Store)?,
            () = sleep_until(now() + READ_LIMIT) => return Err(Failure::TookTooLong),
        };
        self.metrics.refills.inc();
        let system = self.store.identity().system.into();
        let refilled = match read {
            Refill::Exact { items, head } => {
                self.metrics.frames_encoded.inc_by(items.len() as u64);
                feed.refill(deliveries::of_refill(items, system), missing, head)
            }
            Refill::Incomplete { head } => {
                self.metrics.refills_incomplete.inc();
                feed.refill(Vec::new(), missing, head)
            }
        };
        if !refilled.is_useful {
            self.metrics.refills_useless.inc();
        }
        if refilled.was_lost {
            self.metrics.hints_lost.inc();
        }
        Ok(())
    }
}

impl Failure {
    fn log(&self) {
        const MESSAGE: &str = "the changes of another node could not be read";
        match self {
            Self::Store(error) => {
                let error: &dyn std::error::Error = error;
                tracing::warn!(error, "{MESSAGE}");
            }
            Self::TookTooLong => {
                let limit_seconds = READ_LIMIT.as_secs();
                tracing::warn!(limit_seconds, "{MESSAGE} in time");
            }
        }
    }
}
