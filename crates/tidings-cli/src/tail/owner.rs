//! Finds the owner kind of streamed events.

use tidings_event::{Cursor, Event, OwnerKind, StreamItem};

/// Distinguishes the user's own events from the system's. The owner id in an event does not show the
/// kind, but each event increases one of the two revs of its cursor.
#[derive(Debug, Default)]
pub(crate) struct OwnerTracker {
    before: Option<Cursor>,
}

impl OwnerTracker {
    /// Records the cursor of each item. Items must arrive in stream order.
    pub(crate) fn note(&mut self, item: &StreamItem) {
        self.before = Some(item.cursor());
    }

    /// Returns the owner kind of `event`, which arrived with `cursor`. Call it before `note`.
    pub(crate) fn kind_of(&self, event: &Event, cursor: Cursor) -> OwnerKind {
        let own = self.before.is_none_or(|before| cursor.own != before.own);
        let system = self
            .before
            .is_none_or(|before| cursor.system != before.system);
        match (own, system) {
            (true, false) => OwnerKind::User,
            (false, true) => OwnerKind::System,
            // Both revs changed because of frames that this version does not know. The installation
            // itself sends most system events.
            _ if event.owner == Some(event.system_id.into()) => OwnerKind::System,
            _ => OwnerKind::User,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample;

    fn cursor(text: &str) -> Cursor {
        text.parse().unwrap()
    }

    #[test]
    fn changed_rev_shows_the_owner_kind() {
        let event = sample::event(&json!(null));
        let mut tracker = OwnerTracker::default();
        let at = cursor("4-7-00000000");
        tracker.note(&StreamItem::Ready {
            cursor: at,
            head: at,
        });
        for (next, expected) in [
            ("5-7-00000000", OwnerKind::User),
            ("5-8-00000000", OwnerKind::System),
            ("6-8-00000000", OwnerKind::User),
            ("9-12-00000000", OwnerKind::User),
        ] {
            let cursor = cursor(next);
            assert_eq!(tracker.kind_of(&event, cursor), expected, "{next}");
            tracker.note(&StreamItem::Created {
                cursor,
                event: Box::new(event.clone()),
            });
        }
        let mut of_system = event;
        of_system.owner = Some(of_system.system_id.into());
        let both_moved = cursor("10-13-00000000");
        assert_eq!(tracker.kind_of(&of_system, both_moved), OwnerKind::System);
    }
}
