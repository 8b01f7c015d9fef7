//! A subscription that returns frames.

use tidings_event::Cursor;

use super::{Follower, StreamFrame};
use crate::store::StoreError;
use crate::subscription::Subscription;

/// A [`Subscription`] that returns frames, whose JSON all subscribers of a feed share, instead of items.
#[derive(Debug)]
pub struct FrameSubscription {
    subscription: Subscription,
}

impl From<Follower> for FrameSubscription {
    /// Returns frames that the follower was not moved past again, but no notices.
    fn from(follower: Follower) -> Self {
        Self {
            subscription: Subscription::of(follower),
        }
    }
}

impl FrameSubscription {
    /// Waits for the next frames: as many as there are, but not much more than 128 KiB and one frame. `None`
    /// when the engine is closed.
    ///
    /// Cancel-safe: dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// The store cannot be read. The next call tries again where this one failed.
    pub async fn next(&mut self) -> Result<Option<Vec<StreamFrame>>, StoreError> {
        self.subscription.next_frames().await
    }

    /// The cursor of the last frame that was returned.
    pub const fn cursor(&self) -> Cursor {
        self.subscription.cursor()
    }
}
