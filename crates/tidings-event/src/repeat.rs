//! Tells a repeated publish of an event from a conflict.

use crate::digest::{Digest, Digests};
use crate::event::Event;
use crate::id::SystemId;
use crate::new_event::NewEvent;
use crate::policy::Policy;
use crate::rules::Limits;

impl Digests {
    /// Whether an event that is stored with `digest` has the content of the one these are of, and
    /// perhaps the `same_time` of creation: as it was sent then; or, where the time was filled in, as it
    /// is listed since; or as it was stored by an earlier version, whose rules left more ways to say the
    /// same. Only for that the `stored` event is asked for.
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
            // It was sent with a time then, if today's rules say the same of it.
            None => today.of_content != digest,
        }
    }

    /// Those of a stored event by the rules of today.
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
