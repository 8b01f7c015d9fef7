//! The bell that tells a subscriber that its feed has something new.

use std::fmt;
use std::sync::Arc;

use crate::sync::Notify;

/// Learns that a [`Follower`](crate::wire::Follower) has something new.
///
/// It is called while the feed is locked: it must be quick and must not call the engine.
pub trait FollowerWaker: fmt::Debug + Send + Sync {
    /// The follower that was given this token with [`Follower::wake`](crate::wire::Follower::wake) must step
    /// again. It can be called once too often, and from any thread.
    fn wake(&self, token: usize);
}

/// One task waits for one follower.
impl FollowerWaker for Notify {
    fn wake(&self, _: usize) {
        self.notify_one();
    }
}

/// The waker of a seat.
#[derive(Clone, Debug)]
pub(crate) struct Bell {
    pub(crate) waker: Arc<dyn FollowerWaker>,
    pub(crate) token: usize,
}

impl Bell {
    pub(super) fn ring(&self) {
        self.waker.wake(self.token);
    }
}
