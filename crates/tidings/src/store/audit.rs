//! The result of counting a store again.

use tidings_event::OwnerId;

/// The result of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// How many owners were checked.
    pub owners: u64,
    /// Whether these were all owners.
    pub complete: bool,
    /// The counters that are wrong.
    pub wrong: Vec<WrongCount>,
}

/// A counter of an owner that does not agree with the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrongCount {
    /// The owner.
    pub owner: OwnerId,
    /// The counted things.
    pub what: &'static str,
    /// The value of the counter.
    pub kept: u64,
    /// The value that was counted.
    pub found: u64,
}
