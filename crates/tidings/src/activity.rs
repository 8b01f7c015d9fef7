//! The owners who used the engine recently. While several owners are active, bulk work yields to other
//! requests.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidings_event::OwnerId;
use tokio::time::Instant;

/// The time for which an owner counts as active after a request. It exceeds the pauses of a person who
/// reads notifications.
const PRESENCE: Duration = Duration::from_secs(2);

/// The two owners with the latest requests.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    last: Mutex<[Option<(OwnerId, Instant)>; 2]>,
}

impl Activity {
    /// Records a request of `owner`.
    pub(crate) fn note(&self, owner: OwnerId) {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last[0].is_none_or(|(latest, _)| latest != owner) {
            last.swap(0, 1);
        }
        // A third owner replaces the older one.
        last[0] = Some((owner, now));
    }

    /// Whether more than one owner is active.
    pub(crate) fn is_shared(&self) -> bool {
        let now = Instant::now();
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter()
            .all(|seen| seen.is_some_and(|(_, at)| now.duration_since(at) < PRESENCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn is_shared_while_two_owners_are_active() {
        let activity = Activity::default();
        let [one, two, three] = [OwnerId::mint(), OwnerId::mint(), OwnerId::mint()];
        for _ in 0..3 {
            activity.note(one);
        }
        assert!(!activity.is_shared());
        activity.note(two);
        assert!(activity.is_shared());
        tokio::time::advance(PRESENCE).await;
        activity.note(three);
        assert!(!activity.is_shared());
        activity.note(one);
        activity.note(three);
        assert!(activity.is_shared());
    }
}
