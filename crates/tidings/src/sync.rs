//! The locks, wake-ups, tasks and times of the hub, its subscribers and the committer.
//!
//! They are those of the standard library and of Tokio. In unit tests, each of them can also be ruled by a
//! schedule: then a seed decides which task runs next and how time passes.

#[cfg(test)]
mod scheduled;

#[cfg(not(test))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool};
#[cfg(not(test))]
pub(crate) use tokio::{spawn, sync::Notify, task::JoinHandle};

#[cfg(test)]
pub(crate) use scheduled::{
    AtomicBool, Condvar, JoinHandle, Mutex, MutexGuard, Notify, now, restart_time, sleep_until,
    spawn,
};

/// The current time.
#[cfg(not(test))]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(not(test))]
pub(crate) async fn sleep_until(deadline: std::time::Instant) {
    tokio::time::sleep_until(deadline.into()).await;
}
