//! A severity and a status as one number, and how many events of a feed have each.

use tidings_event::{Severity, Status, Summary};

/// A severity and a status. The store has it as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind(u8);

impl Kind {
    /// How many there are.
    pub(super) const NUMBER: usize = 2 * Severity::ALL.len();

    pub(super) const fn of(severity: Severity, status: Status) -> Self {
        // Numbers in the store: they never change.
        let severity = match severity {
            Severity::Emergency => 0,
            Severity::Alert => 1,
            Severity::Critical => 2,
            Severity::Error => 3,
            Severity::Warning => 4,
            Severity::Success => 5,
            Severity::Informational => 6,
            Severity::Debug => 7,
        };
        let status = match status {
            Status::Unread => 0,
            Status::Read => 1,
        };
        Self(2 * severity + status)
    }

    /// The kind with this number, if there is one.
    pub(super) fn from_number(number: u8) -> Option<Self> {
        (usize::from(number) < Self::NUMBER).then_some(Self(number))
    }

    pub(super) const fn number(self) -> u8 {
        self.0
    }

    pub(super) fn severity(self) -> Severity {
        // In the order of the numbers, which a test checks.
        Severity::ALL[usize::from(self.0 / 2)]
    }

    pub(super) const fn status(self) -> Status {
        match self.0 % 2 {
            0 => Status::Unread,
            _ => Status::Read,
        }
    }

    /// The same severity with another status.
    pub(super) fn with_status(self, status: Status) -> Self {
        Self::of(self.severity(), status)
    }

    /// All kinds.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(Self::from_number)
    }

    const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How many events of a feed have each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KindCounts([u64; Kind::NUMBER]);

impl KindCounts {
    pub(super) const fn of(&self, kind: Kind) -> u64 {
        self.0[kind.index()]
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Counts one more event.
    pub(super) const fn add(&mut self, kind: Kind) {
        self.0[kind.index()] += 1;
    }

    /// Counts one event less.
    pub(super) fn subtract(&mut self, kind: Kind) {
        let count = &mut self.0[kind.index()];
        debug_assert!(*count > 0, "only counted events are subtracted");
        *count = count.saturating_sub(1);
    }

    /// The counts by status and severity.
    pub(super) fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for kind in Kind::all() {
            summary.add(kind.status(), kind.severity(), self.of(kind));
        }
        summary
    }

    /// The counts in the order of the numbers of the kinds.
    pub(super) const fn by_number(&self) -> &[u64; Kind::NUMBER] {
        &self.0
    }
}

impl From<[u64; Kind::NUMBER]> for KindCounts {
    fn from(by_number: [u64; Kind::NUMBER]) -> Self {
        Self(by_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_number_forever() {
        for (number, severity) in (0..).zip(Severity::ALL) {
            for (of_status, status) in [(0, Status::Unread), (1, Status::Read)] {
                let kind = Kind::of(severity, status);
                assert_eq!(kind.number(), 2 * number + of_status);
                assert_eq!((kind.severity(), kind.status()), (severity, status));
                assert_eq!(Kind::from_number(kind.number()), Some(kind));
            }
        }
        assert_eq!(Kind::from_number(16), None);
        assert_eq!(Kind::all().count(), Kind::NUMBER);
    }
}
