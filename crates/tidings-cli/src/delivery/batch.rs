//! Events on their way, each with the line it comes from.

use tidings_client::PastEvent;
use tidings_event::{Given, OwnerName, Status};

/// Events that are sent together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Batch {
    pub(super) events: Vec<PastEvent>,
    /// The line of each event.
    pub(super) lines: Vec<u64>,
    /// An event in it brought an id of its own, so that it may have been stored long ago.
    pub(super) may_repeat: bool,
}

/// An event, or a line, that is not stored, and everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) line: u64,
    pub(super) faults: Vec<String>,
}

impl Batch {
    pub(super) fn push(&mut self, line: u64, event: PastEvent, may_repeat: bool) {
        self.events.push(event);
        self.lines.push(line);
        self.may_repeat |= may_repeat;
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Its first and its last line.
    pub(super) fn line_range(&self) -> Option<(u64, u64)> {
        Some((*self.lines.first()?, *self.lines.last()?))
    }

    /// Cuts it in the middle. The second half is empty only where the first has one event or none.
    pub(super) fn halves(mut self) -> (Self, Self) {
        let middle = self.len().div_ceil(2);
        let second = Self {
            events: self.events.split_off(middle),
            lines: self.lines.split_off(middle),
            may_repeat: self.may_repeat,
        };
        (self, second)
    }

    /// The places of the events of the system that had been read.
    pub(super) fn read_system_events(&self) -> impl Iterator<Item = usize> {
        let places = self.events.iter().enumerate();
        places.filter_map(|(place, PastEvent { event, past })| {
            let is_read = matches!(
                (&event.owner, &past.status),
                (Given::Value(OwnerName::System), Given::Value(Status::Read))
            );
            is_read.then_some(place)
        })
    }

    /// Keeps the events for which `keep` holds, which is asked with their places.
    pub(super) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let mut place = 0..;
        self.events.retain(|_| place.next().is_some_and(&keep));
        let mut place = 0..;
        self.lines.retain(|_| place.next().is_some_and(&keep));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lines: &[u64]) -> Batch {
        let mut batch = Batch::default();
        for line in lines {
            let mut event = PastEvent::default();
            event.event.description = Some(line.to_string());
            batch.push(*line, event, false);
        }
        batch
    }

    #[test]
    fn halves_have_all_events_in_order() {
        for (lines, first, second) in [
            (&[][..], &[][..], &[][..]),
            (&[1], &[1], &[]),
            (&[1, 2], &[1], &[2]),
            (&[1, 3, 5], &[1, 3], &[5]),
        ] {
            assert_eq!(batch(lines).halves(), (batch(first), batch(second)));
        }
    }

    #[test]
    fn events_keep_their_lines() {
        let mut some = batch(&[2, 4, 6, 8]);
        some.retain(|place| place != 1 && place != 3);
        assert_eq!(some, batch(&[2, 6]));
        assert_eq!(some.line_range(), Some((2, 6)));
        some.retain(|_| false);
        assert_eq!((some.len(), some.line_range()), (0, None));
    }

    #[test]
    fn only_events_of_the_system_that_had_been_read_are_marked() {
        let mut batch = Batch::default();
        for (owner, status) in [
            ("system", "read"),
            ("system", "unread"),
            ("7b1d2c3e-0000-4000-8000-000000000001", "read"),
        ] {
            let mut event = PastEvent::default();
            event.event.owner = Given::parse(owner);
            event.past.status = Given::parse(status);
            batch.push(1, event, true);
        }
        let marked: Vec<_> = batch.read_system_events().collect();
        assert_eq!(marked, [0]);
    }
}
