//! Tells a repeated publish of an event from a conflict.

use crate::digest::{Digest, Digests};
use crate::event::Event;
use crate::id::SystemId;
use crate::new_event::NewEvent;
use crate::policy::Policy;
use crate::rules::Limits;

impl Digests {
    /// Whether the event that is stored with `digest` has the content of this event. `same_time` tells
    /// whether the times of creation are equal.
    ///
    /// The contents are equal if the event was sent in the same form, or is now sent as it is listed, with
    /// the time that the server filled in, or was stored by an earlier version whose rules allowed more
    /// forms. Only the last case calls `stored`.
    pub fn is_repeat(
        &self,
        same_time: bool,
        digest: Digest,
        stored: impl FnOnce() -> Option<Event>,
    ) -> bool {
        if self.of_content == digest {
            return true;
        }
        if self.without_time == Some(digest) {
            return same_time;
        }
        let Some(today) = stored().and_then(Self::of_stored) else {
            return false;
        };
        let timeless = self.without_time.unwrap_or(self.of_content);
        if today.without_time != Some(timeless) {
            return false;
        }
        match self.without_time {
            Some(_) => same_time,
            // If the current rules give the same digest, the event was sent with a time then.
            None => today.of_content != digest,
        }
    }

    /// The digests of a stored event by the current rules.
    fn of_stored(stored: Event) -> Option<Self> {
        const ANY_SIZE: Limits = Limits {
            description_bytes: usize::MAX,
            metadata_bytes: usize::MAX,
            metadata_depth: usize::MAX,
            metadata_keys: usize::MAX,
            event_bytes: usize::MAX,
            batch_events: usize::MAX,
            batch_bytes: usize::MAX,
            change_ids: usize::MAX,
        };
        let system = SystemId::from_uuid(*stored.owner?.as_uuid());
        let draft = NewEvent::from(stored).into_draft(&ANY_SIZE, Policy::Repair);
        Some(draft.ok()?.resolve(system).1)
    }
}
