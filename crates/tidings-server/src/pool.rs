//! Memory that requests share, with a limit for each caller.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidings_event::OwnerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Memory that requests share.
#[derive(Debug)]
pub(crate) struct Pool {
    bytes: Arc<Semaphore>,
    /// The most bytes of one caller.
    each: usize,
    callers: Accounts,
}

/// The accounts of the callers that hold memory.
type Accounts = Arc<Mutex<HashMap<OwnerId, Arc<Account>>>>;

/// The memory of one caller's waiting requests. Further ones are rejected at once.
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// The memory of a waiting request besides the bytes that it declares.
const WAITING_BYTES: usize = 32 * 1024;

/// One caller's share.
#[derive(Debug)]
struct Account {
    left: Arc<Semaphore>,
    waiting_bytes: AtomicUsize,
}

/// The pool, or the caller's share of it, has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent;

impl Pool {
    /// A pool of `bytes`, of which one caller can hold one of `parts` equal parts.
    pub(crate) fn new(bytes: usize, parts: usize) -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(bytes)),
            each: bytes / parts,
            callers: Accounts::default(),
        }
    }

    /// The most bytes of one caller.
    pub(crate) const fn each(&self) -> usize {
        self.each
    }

    /// Takes a part of the pool if it is free.
    pub(crate) fn try_take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let part = Arc::clone(&self.bytes).try_acquire_many_owned(permits(bytes));
        part.ok()
    }

    /// Waits for a part of the pool for at most `patience`. Requests that hold all of it and wait for more
    /// do not block each other forever: they are rejected in the end, and give back their parts.
    pub(crate) async fn take(
        &self,
        bytes: usize,
        patience: Duration,
    ) -> Result<OwnedSemaphorePermit, Spent> {
        let part = Arc::clone(&self.bytes).acquire_many_owned(permits(bytes));
        match timeout(patience, part).await {
            Ok(part) => Ok(part.expect("a pool is never closed")),
            Err(_) => Err(Spent),
        }
    }

    /// The share of one request, which holds nothing yet.
    pub(crate) fn share_of(&self, caller: OwnerId) -> Share {
        let mut callers = lock(&self.callers);
        let account = callers.entry(caller).or_insert_with(|| {
            Arc::new(Account {
                left: Arc::new(Semaphore::new(self.each)),
                waiting_bytes: AtomicUsize::new(0),
            })
        });
        Share {
            caller,
            account: Some(Arc::clone(account)),
            held: None,
            callers: Arc::clone(&self.callers),
        }
    }

    /// The number of callers that hold something.
    #[cfg(test)]
    pub(crate) fn callers(&self) -> usize {
        lock(&self.callers).len()
    }
}

/// The part of a caller's share that one request holds until this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    caller: OwnerId,
    /// `None` only while it is dropped.
    account: Option<Arc<Account>>,
    held: Option<OwnedSemaphorePermit>,
    callers: Accounts,
}

impl Share {
    /// Takes `bytes` more if they are free.
    pub(crate) fn try_hold(&mut self, bytes: usize) -> Result<(), Spent> {
        let left = Arc::clone(&self.account().left);
        match left.try_acquire_many_owned(permits(bytes)) {
            Ok(more) => self.add(more),
            Err(_) => return Err(Spent),
        }
        Ok(())
    }

    /// Waits until `bytes` more are free, for at most `patience`. Meanwhile the request keeps
    /// `kept` bytes of other memory.
    pub(crate) async fn hold(
        &mut self,
        bytes: usize,
        kept: usize,
        patience: Duration,
    ) -> Result<(), Spent> {
        let _waiting = WaitingRequest::begin(self.account(), WAITING_BYTES + kept)?;
        let left = Arc::clone(&self.account().left);
        let more = left.acquire_many_owned(permits(bytes));
        match timeout(patience, more).await {
            Ok(more) => self.add(more.expect("a share is never closed")),
            Err(_) => return Err(Spent),
        }
        Ok(())
    }

    /// Splits off a share of `bytes`, or the whole share if it is smaller.
    pub(crate) fn split(&mut self, bytes: usize) -> Self {
        Self {
            caller: self.caller,
            account: self.account.clone(),
            held: self.held.as_mut().and_then(|held| split(held, bytes)),
            callers: Arc::clone(&self.callers),
        }
    }

    fn account(&self) -> &Arc<Account> {
        self.account.as_ref().expect("it is not dropped")
    }

    fn add(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.held = None;
        let mut callers = lock(&self.callers);
        self.account = None;
        if callers
            .get(&self.caller)
            .is_some_and(|account| Arc::strong_count(account) == 1)
        {
            callers.remove(&self.caller);
        }
    }
}

/// Counts a waiting request until this is dropped.
struct WaitingRequest {
    account: Arc<Account>,
    bytes: usize,
}

impl WaitingRequest {
    fn begin(account: &Arc<Account>, bytes: usize) -> Result<Self, Spent> {
        let others = account.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let waiting = Self {
            account: Arc::clone(account),
            bytes,
        };
        let fits = others + bytes <= MAX_WAITING_BYTES;
        fits.then_some(waiting).ok_or(Spent)
    }
}

impl Drop for WaitingRequest {
    fn drop(&mut self) {
        self.account
            .waiting_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Splits off `bytes`, or everything if it is less.
pub(crate) fn split(held: &mut OwnedSemaphorePermit, bytes: usize) -> Option<OwnedSemaphorePermit> {
    held.split(bytes.min(held.num_permits()))
}

/// The permits for `bytes`.
fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// No code panics while it holds the lock.
fn lock(callers: &Accounts) -> MutexGuard<'_, HashMap<OwnerId, Arc<Account>>> {
    callers.lock().unwrap_or_else(PoisonError::into_inner)
}
