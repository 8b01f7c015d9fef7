//! Events to send, each with its line.

use tidings_client::PastEvent;
use tidings_event::{Given, OwnerName, Status};

/// Events that are sent together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Batch {
    pub(super) entries: Vec<NumberedEvent>,
}

/// An event and its line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NumberedEvent {
    pub(super) line: u64,
    pub(super) event: PastEvent,
    /// The event has an id of its own, so it can have been stored before.
    pub(super) may_repeat: bool,
}

/// A rejected line, with all its faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rejected {
    pub(super) line: u64,
    pub(super) faults: Vec<String>,
}

impl Batch {
    pub(super) fn push(&mut self, line: u64, event: PastEvent, may_repeat: bool) {
        self.entries.push(NumberedEvent {
            line,
            event,
            may_repeat,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The first and the last line.
    pub(super) fn line_range(&self) -> Option<(u64, u64)> {
        Some((self.entries.first()?.line, self.entries.last()?.line))
    }

    /// Splits the batch in the middle. The second half is empty if the batch has at most one event.
    pub(super) fn halves(mut self) -> (Self, Self) {
        let middle = self.len().div_ceil(2);
        let second = Self {
            entries: self.entries.split_off(middle),
        };
        (self, second)
    }
}

impl NumberedEvent {
    /// Whether the event belongs to the system and was read by the user who exported it.
    pub(super) fn is_read_system_event(&self) -> bool {
        matches!(
            (&self.event.event.owner, &self.event.past.status),
            (Given::Value(OwnerName::System), Given::Value(Status::Read))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lines: &[u64]) -> Batch {
        let mut batch = Batch::default();
        for line in lines {
            batch.push(*line, PastEvent::default(), false);
        }
        batch
    }

    #[test]
    fn halves_keep_all_events_in_order() {
        for (lines, first, second) in [
            (&[][..], &[][..], &[][..]),
            (&[1], &[1], &[]),
            (&[1, 2], &[1], &[2]),
            (&[1, 3, 5], &[1, 3], &[5]),
        ] {
            assert_eq!(batch(lines).halves(), (batch(first), batch(second)));
        }
        assert_eq!(batch(&[2, 4, 6]).line_range(), Some((2, 6)));
        assert_eq!(batch(&[]).line_range(), None);
    }

    #[test]
    fn selects_only_read_system_events() {
        for (owner, status, expected) in [
            ("system", "read", true),
            ("system", "unread", false),
            ("7b1d2c3e-0000-4000-8000-000000000001", "read", false),
        ] {
            let mut event = PastEvent::default();
            event.event.owner = Given::parse(owner);
            event.past.status = Given::parse(status);
            let mut batch = Batch::default();
            batch.push(1, event, true);
            assert_eq!(batch.entries[0].is_read_system_event(), expected);
        }
    }
}
