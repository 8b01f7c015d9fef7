//! How far a move is.

/// The progress of a move, for a report to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MoveProgress {
    /// It continues after it was interrupted.
    Continuing,
    /// It has copied this many rows of a kind since it was started.
    Copied {
        /// The kind.
        what: &'static str,
        /// How many.
        rows: u64,
        /// How many there are, if that is known.
        of: Option<u64>,
    },
    /// It makes the lists and counts of the new store.
    Settling,
    /// It has compared this many feeds of both stores.
    Compared {
        /// How many.
        feeds: u64,
        /// How many there are.
        of: u64,
    },
    /// It counts the rows of the new store again.
    Counting,
}
