//! Whether an event that breaks a rule is rejected or repaired.

/// How to treat an event that breaks a rule.
///
/// The two policies are the whole choice: an event is either rejected or repaired. So the enum is
/// exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Rejects faults that a programmer can fix, such as a missing category or an error without its
    /// cause, and repairs faults that come with the data, such as a text that is too long.
    Reject,
    /// Repairs every fault and warns, because rejecting would lose the event. Rejects the event only
    /// if its owner, its resource or the whole content is unknown.
    Repair,
}
