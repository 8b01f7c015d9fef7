//! Whose events come by.

use tidings_event::{Cursor, Event, OwnerKind, StreamItem};

/// Tells the user's own events from the system's, by which of the two revs of the cursor an event
/// moves: the owner in an event does not say which of the two it is.
#[derive(Debug, Default)]
pub(crate) struct OwnerTracker {
    before: Option<Cursor>,
}

impl OwnerTracker {
    /// Takes note of each item of the stream, in order.
    pub(crate) fn note(&mut self, item: &StreamItem) {
        self.before = Some(item.cursor());
    }

    /// Whose event `event` is, that came with `cursor`. To be asked before it is noted.
    pub(crate) fn kind_of(&self, event: &Event, cursor: Cursor) -> OwnerKind {
        let own = self.before.is_none_or(|before| cursor.own != before.own);
        let system = self
            .before
            .is_none_or(|before| cursor.system != before.system);
        match (own, system) {
            (true, false) => OwnerKind::User,
            (false, true) => OwnerKind::System,
            // Frames this version does not know came in between. Most events of the system are
            // sent by the installation itself.
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
    fn the_rev_that_moves_says_whose_event_it_is() {
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
