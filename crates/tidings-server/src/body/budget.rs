//! The memory of all bodies that are read or worked on at the same time.
//!
//! Each body takes its part as its bytes arrive, so that a client that announces much and sends nothing
//! takes nothing. Short bodies have a pool of their own: nobody's large uploads hold up a single event.
//! And of each pool one caller's uploads get a quarter, so that who sends large bodies slowly holds up
//! themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidings_event::OwnerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::ApiError;
use crate::limits::Excess;

/// The memory of bodies that are declared to be short, and of all others.
const SHORT_POOL_BYTES: usize = 8 * 1024 * 1024;
const LONG_POOL_BYTES: usize = 64 * 1024 * 1024;

/// The longest body that is a short one: most events are far shorter.
const SHORT_BYTES: usize = 16 * 1024;

/// The part of a pool that the uploads of one caller get: the largest batch that can be configured.
const CALLER_SHARE: usize = 4;

/// How long an upload waits for its part before it is refused.
const BUDGET_TIME: Duration = Duration::from_secs(5);

/// Bounds the memory of the bodies of all requests together.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    short: Pool,
    long: Pool,
    /// How long an upload may take.
    pub(super) upload_timeout: Duration,
}

impl BodyBudget {
    pub(crate) fn new(upload_timeout: Duration) -> Self {
        Self {
            short: Pool::new(SHORT_POOL_BYTES),
            long: Pool::new(LONG_POOL_BYTES),
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

/// Memory that bodies share.
#[derive(Debug)]
pub(super) struct Pool {
    bytes: Arc<Semaphore>,
    total: usize,
    callers: Callers,
}

/// What the unfinished uploads of each caller may still take. A caller without one is not in it.
type Callers = Arc<Mutex<HashMap<OwnerId, Arc<Semaphore>>>>;

impl Pool {
    fn new(total: usize) -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(total)),
            total,
            callers: Callers::default(),
        }
    }

    /// A part of the pool, if it is there.
    pub(super) fn try_share(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let share = Arc::clone(&self.bytes).try_acquire_many_owned(permits(bytes));
        share.ok()
    }

    /// A part of the pool. That all of it is held by uploads that wait for more of it is no standstill:
    /// they are refused after a while, and give back what they have.
    pub(super) async fn share(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let share = Arc::clone(&self.bytes).acquire_many_owned(permits(bytes));
        match timeout(BUDGET_TIME, share).await {
            Ok(share) => Ok(share.expect("the budget is never closed")),
            Err(_) => Err(ApiError::Overloaded),
        }
    }

    /// What a caller's upload holds that has not ended.
    pub(super) fn unfinished(&self, caller: OwnerId) -> Unfinished {
        let most = self.total / CALLER_SHARE;
        let mut callers = lock(&self.callers);
        let left = callers.entry(caller);
        let left = left.or_insert_with(|| Arc::new(Semaphore::new(most)));
        Unfinished {
            caller,
            most,
            left: Arc::clone(left),
            held: None,
            callers: Arc::clone(&self.callers),
        }
    }
}

/// A caller's unfinished upload, and what it holds of the caller's share until it is dropped.
#[derive(Debug)]
pub(super) struct Unfinished {
    caller: OwnerId,
    most: usize,
    left: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    callers: Callers,
}

impl Unfinished {
    /// Counts what has come already.
    pub(super) fn hold_at_once(&mut self, bytes: usize) -> Result<(), ApiError> {
        match Arc::clone(&self.left).try_acquire_many_owned(permits(bytes)) {
            Ok(more) => self.add(more),
            Err(_) => return Err(self.excess()),
        }
        Ok(())
    }

    /// Waits until what is to come has room, as long as other uploads of the caller may take.
    pub(super) async fn hold(&mut self, bytes: usize) -> Result<(), ApiError> {
        let more = Arc::clone(&self.left).acquire_many_owned(permits(bytes));
        match timeout(BUDGET_TIME, more).await {
            Ok(more) => self.add(more.expect("a share is never closed")),
            Err(_) => return Err(self.excess()),
        }
        Ok(())
    }

    fn add(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
    }

    const fn excess(&self) -> ApiError {
        ApiError::Excess(Excess::Uploads { bytes: self.most })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.held = None;
        let mut callers = lock(&self.callers);
        // The map's and this one.
        if Arc::strong_count(&self.left) == 2 {
            callers.remove(&self.caller);
        }
    }
}

/// The permits for so many bytes.
fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Nothing panics while it is held.
fn lock(callers: &Callers) -> MutexGuard<'_, HashMap<OwnerId, Arc<Semaphore>>> {
    callers.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use uuid::Uuid;

    use super::*;

    const A: OwnerId = OwnerId::from_uuid(Uuid::from_u128(1));
    const B: OwnerId = OwnerId::from_uuid(Uuid::from_u128(2));

    const fn is_excess(outcome: &Result<(), ApiError>) -> bool {
        matches!(outcome, Err(ApiError::Excess(Excess::Uploads { .. })))
    }

    #[tokio::test]
    async fn a_caller_has_a_quarter_and_gets_it_back() {
        let pool = Pool::new(400);
        let mut first = pool.unfinished(A);
        first.hold_at_once(60).unwrap();
        let mut second = pool.unfinished(A);
        assert!(is_excess(&second.hold_at_once(41)));
        second.hold_at_once(40).unwrap();
        pool.unfinished(B).hold_at_once(100).unwrap();
        let mut third = pool.unfinished(A);
        let mut waiting = Box::pin(third.hold(50));
        assert!((&mut waiting).now_or_never().is_none());
        drop(first);
        waiting.await.unwrap();
        assert_eq!(lock(&pool.callers).len(), 1);
        drop((second, third));
        assert!(lock(&pool.callers).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_refused_and_told_of_their_share() {
        let pool = Pool::new(400);
        let mut first = pool.unfinished(A);
        first.hold_at_once(100).unwrap();
        let refused = pool.unfinished(A).hold(1).await;
        let Err(ApiError::Excess(Excess::Uploads { bytes })) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(bytes, 100);
        let all = pool.try_share(400);
        assert!(matches!(pool.share(1).await, Err(ApiError::Overloaded)));
        drop(all);
        assert!(pool.share(400).await.is_ok());
    }

    #[test]
    fn short_bodies_have_a_pool_of_their_own() {
        let budget = BodyBudget::new(Duration::from_secs(60));
        let is_short = |declared| std::ptr::eq(budget.pool_for(declared), &raw const budget.short);
        assert!(is_short(Some(0)) && is_short(Some(SHORT_BYTES)));
        assert!(!is_short(Some(SHORT_BYTES + 1)) && !is_short(None));
    }
}
