//! Primitives that are ruled by Shuttle in a test that it runs, and the real ones in every other test.
//!
//! Shuttle runs all tasks of a test on one thread, and switches between them only at its own primitives.
//! Tokio's channels and semaphores therefore work under it as they are.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::atomic::{self, Ordering};
use std::sync::{Arc, LazyLock, LockResult, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use shuttle::rand::Rng as _;
use tokio::sync::futures::OwnedNotified;

fn is_scheduled() -> bool {
    shuttle::current::try_get_current_task().is_some()
}

/// Lets the schedule decide which task continues.
fn switch() {
    if is_scheduled() {
        shuttle::thread::sleep(Duration::ZERO);
    }
}

#[derive(Debug)]
pub(crate) enum Mutex<T> {
    Real(std::sync::Mutex<T>),
    Scheduled(shuttle::sync::Mutex<T>),
}

#[derive(Debug)]
pub(crate) enum MutexGuard<'a, T> {
    Real(std::sync::MutexGuard<'a, T>),
    Scheduled(shuttle::sync::MutexGuard<'a, T>),
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        if is_scheduled() {
            Self::Scheduled(shuttle::sync::Mutex::new(value))
        } else {
            Self::Real(std::sync::Mutex::new(value))
        }
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        match self {
            Self::Real(mutex) => either(mutex.lock(), MutexGuard::Real),
            Self::Scheduled(mutex) => either(mutex.lock(), MutexGuard::Scheduled),
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Real(guard) => guard,
            Self::Scheduled(guard) => guard,
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match self {
            Self::Real(guard) => guard,
            Self::Scheduled(guard) => guard,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Condvar {
    Real(std::sync::Condvar),
    Scheduled(Arc<shuttle::sync::Condvar>),
}

/// Whether a wait ended by its time-out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub(crate) const fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    pub(crate) fn new() -> Self {
        if is_scheduled() {
            Self::Scheduled(Arc::default())
        } else {
            Self::Real(std::sync::Condvar::new())
        }
    }

    pub(crate) fn notify_one(&self) {
        match self {
            Self::Real(condvar) => condvar.notify_one(),
            Self::Scheduled(condvar) => condvar.notify_one(),
        }
    }

    /// Under a schedule, the time-out comes at any moment that the schedule chooses.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        match (self, guard) {
            (Self::Real(condvar), MutexGuard::Real(guard)) => {
                let waited = condvar.wait_timeout(guard, timeout);
                either(waited, |(guard, result)| {
                    let result = WaitTimeoutResult(result.timed_out());
                    (MutexGuard::Real(guard), result)
                })
            }
            (Self::Scheduled(condvar), MutexGuard::Scheduled(guard)) => {
                let timer = Timer::start(Arc::clone(condvar));
                let waited = condvar.wait(guard);
                let timed_out = timer.stop();
                if timed_out {
                    pass(timeout);
                }
                either(waited, |guard| {
                    (MutexGuard::Scheduled(guard), WaitTimeoutResult(timed_out))
                })
            }
            _ => unreachable!("a lock and its condition are made by the same test"),
        }
    }
}

/// Wakes the waiters of a condition at some moment. It repeats this, because it can be early: a waiter that
/// has not released its lock yet does not hear it.
struct Timer(Arc<Alarm>);

#[derive(Default)]
struct Alarm {
    rang: atomic::AtomicBool,
    stopped: atomic::AtomicBool,
}

impl Timer {
    fn start(condvar: Arc<shuttle::sync::Condvar>) -> Self {
        let alarm = Arc::new(Alarm::default());
        let ringing = Arc::clone(&alarm);
        shuttle::thread::spawn(move || {
            loop {
                shuttle::thread::yield_now();
                if ringing.stopped.load(Ordering::Relaxed) {
                    return;
                }
                ringing.rang.store(true, Ordering::Relaxed);
                condvar.notify_all();
            }
        });
        Self(alarm)
    }

    /// Whether it rang.
    fn stop(self) -> bool {
        self.0.stopped.store(true, Ordering::Relaxed);
        self.0.rang.load(Ordering::Relaxed)
    }
}

/// The standard library's flag with the moments at which another task can come in between.
#[derive(Debug)]
pub(crate) struct AtomicBool(atomic::AtomicBool);

impl AtomicBool {
    pub(crate) const fn new(value: bool) -> Self {
        Self(atomic::AtomicBool::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> bool {
        switch();
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: bool, order: Ordering) {
        switch();
        self.0.store(value, order);
    }
}

/// Tokio's `Notify` with the moments at which another task can come in between.
#[derive(Debug, Default)]
pub(crate) struct Notify(Arc<tokio::sync::Notify>);

impl Notify {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn notify_one(&self) {
        switch();
        self.0.notify_one();
    }

    pub(crate) async fn notified(&self) {
        switch();
        self.0.notified().await;
    }

    pub(crate) fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        switch();
        Arc::clone(&self.0).notified_owned()
    }
}

#[derive(Debug)]
pub(crate) enum JoinHandle<T> {
    Real(tokio::task::JoinHandle<T>),
    Scheduled(shuttle::future::JoinHandle<T>),
}

impl<T> JoinHandle<T> {
    pub(crate) fn abort(&self) {
        match self {
            Self::Real(handle) => handle.abort(),
            Self::Scheduled(handle) => handle.abort(),
        }
    }
}

/// The task was aborted or has panicked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JoinError;

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Real(handle) => Pin::new(handle).poll(cx).map_err(|_| JoinError),
            Self::Scheduled(handle) => Pin::new(handle).poll(cx).map_err(|_| JoinError),
        }
    }
}

pub(crate) fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    if is_scheduled() {
        JoinHandle::Scheduled(shuttle::future::spawn(future))
    } else {
        JoinHandle::Real(tokio::spawn(future))
    }
}

thread_local! {
    /// How much time has passed in the test that this thread runs under a schedule.
    static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Begins the time of a test.
pub(crate) fn restart_time() {
    PASSED.set(Duration::ZERO);
}

fn pass(time: Duration) {
    PASSED.set(PASSED.get() + time);
}

/// Under a schedule, any time can pass between two looks at the clock.
pub(crate) fn now() -> Instant {
    if !is_scheduled() {
        return Instant::now();
    }
    const STEPS_US: [u64; 4] = [0, 1, 100, 10_000];
    let step = shuttle::rand::thread_rng().gen_range(0..STEPS_US.len());
    pass(Duration::from_micros(STEPS_US[step]));
    *BEGINNING + PASSED.get()
}

/// Under a schedule, the deadline comes at any moment that the schedule chooses.
pub(crate) async fn sleep_until(deadline: Instant) {
    if !is_scheduled() {
        return tokio::time::sleep_until(deadline.into()).await;
    }
    while shuttle::rand::thread_rng().gen_bool(0.5) {
        shuttle::future::yield_now().await;
    }
    let left = deadline.saturating_duration_since(*BEGINNING + PASSED.get());
    pass(left);
}

fn either<T, U>(locked: LockResult<T>, map: impl FnOnce(T) -> U) -> LockResult<U> {
    match locked {
        Ok(value) => Ok(map(value)),
        Err(poisoned) => Err(PoisonError::new(map(poisoned.into_inner()))),
    }
}
