//! A severity and a status as one number, and how many events of a feed have each.

use rusqlite::Row;
use tidings_event::{Severity, Status, Summary};

use super::blob::{BlobReader, put_number, unreadable};

/// A severity and a status. The store has it as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind(u8);

impl Kind {
    /// How many there are.
    pub(super) const NUMBER: usize = 2 * Severity::ALL.len();

    pub(super) const fn of(severity: Severity, status: Status) -> Self {
        // Numbers on the disk: they never change.
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
    /// The first byte of a blob.
    const VERSION: u8 = 1;

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

    /// As the column `feed.counts` has them. No events are an empty blob.
    pub(super) fn to_blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        if self.total() > 0 {
            blob.push(Self::VERSION);
            for count in self.0 {
                put_number(&mut blob, count);
            }
        }
        blob
    }

    /// Reads the column `index`.
    pub(super) fn read(row: &Row<'_>, index: usize) -> rusqlite::Result<Self> {
        let blob = row.get_ref(index)?.as_blob()?;
        Self::from_blob(blob).ok_or_else(|| unreadable("counts", index, blob))
    }

    fn from_blob(blob: &[u8]) -> Option<Self> {
        let mut counts = Self::default();
        if blob.is_empty() {
            return Some(counts);
        }
        let mut reader = BlobReader::new(blob);
        if reader.byte()? != Self::VERSION {
            return None;
        }
        let mut total = 0_u64;
        for count in &mut counts.0 {
            *count = reader.number()?;
            total = total.checked_add(*count)?;
        }
        reader.is_at_end().then_some(counts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn no_counts_are_an_empty_blob() {
        assert!(KindCounts::default().to_blob().is_empty());
    }

    proptest! {
        #[test]
        fn counts_come_back(counts: [u32; 16]) {
            let counts = KindCounts(counts.map(u64::from));
            let blob = counts.to_blob();
            prop_assert_eq!(KindCounts::from_blob(&blob), Some(counts));
            for end in 1..blob.len() {
                prop_assert_eq!(KindCounts::from_blob(&blob[..end]), None);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(mut blob: Vec<u8>, version in 0_u8..3) {
            if let Some(first) = blob.first_mut() {
                *first = version;
            }
            if let Some(counts) = KindCounts::from_blob(&blob) {
                prop_assert!(blob.is_empty() || version == 1);
                prop_assert_eq!(KindCounts::from_blob(&counts.to_blob()), Some(counts));
            }
        }
    }
}
