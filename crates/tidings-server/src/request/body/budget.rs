//! The memory of all bodies that are read or processed at the same time.
//!
//! A body takes its part as its bytes arrive, so that a client that declares a large body and sends
//! nothing takes nothing. Short bodies have a pool of their own: large uploads do not delay single
//! events. One caller's uploads get a quarter of each pool, so that a caller with slow uploads delays
//! only themselves.

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::BodyError;
use crate::limits::LimitError;
use crate::pool::{Pool, Share};

/// The memory of bodies with a short declared length, and of all others.
const SHORT_POOL_BYTES: usize = 8 * 1024 * 1024;
const LONG_POOL_BYTES: usize = 64 * 1024 * 1024;

/// The longest short body. Most events are far shorter.
const SHORT_BYTES: usize = 16 * 1024;

/// One caller's uploads get this fraction of a pool: enough for the largest batch that can be
/// configured.
const CALLER_PARTS: usize = 4;

/// How long an upload waits for its part before it is rejected.
const BUDGET_TIME: Duration = Duration::from_secs(5);

/// Bounds the memory of the bodies of all requests together.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    short: Pool,
    long: Pool,
    /// How long an upload can take.
    pub(super) upload_timeout: Duration,
}

impl BodyBudget {
    pub(crate) fn new(upload_timeout: Duration) -> Self {
        Self {
            short: Pool::new(SHORT_POOL_BYTES, CALLER_PARTS),
            long: Pool::new(LONG_POOL_BYTES, CALLER_PARTS),
            upload_timeout,
        }
    }

    /// The pool for a body of the declared length.
    pub(super) const fn pool_for(&self, declared: Option<usize>) -> &Pool {
        match declared {
            Some(bytes) if bytes <= SHORT_BYTES => &self.short,
            _ => &self.long,
        }
    }
}

/// Waits for a part of a pool for bytes that have arrived.
pub(super) async fn part(pool: &Pool, bytes: usize) -> Result<OwnedSemaphorePermit, BodyError> {
    let part = pool.take(bytes, BUDGET_TIME).await;
    part.map_err(|_| BodyError::Overloaded)
}

/// Counts the bytes of an unfinished upload that have arrived.
pub(super) fn hold_at_once(pool: &Pool, share: &mut Share, bytes: usize) -> Result<(), BodyError> {
    share.try_hold(bytes).map_err(|_| excess(pool))
}

/// Waits for room for the bytes that are still to come, while other uploads of the caller finish.
pub(super) async fn hold(pool: &Pool, share: &mut Share, bytes: usize) -> Result<(), BodyError> {
    let held = share.hold(bytes, 0, BUDGET_TIME).await;
    held.map_err(|_| excess(pool))
}

const fn excess(pool: &Pool) -> BodyError {
    BodyError::Limit(LimitError::Uploads { bytes: pool.each() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_bodies_have_a_separate_pool() {
        let budget = BodyBudget::new(Duration::from_secs(60));
        let is_short = |declared| std::ptr::eq(budget.pool_for(declared), &raw const budget.short);
        assert!(is_short(Some(0)) && is_short(Some(SHORT_BYTES)));
        assert!(!is_short(Some(SHORT_BYTES + 1)) && !is_short(None));
    }
}
