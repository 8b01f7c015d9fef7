//! The overlay of a system event that ends: the store reports it, and the hub counts with it.

use tidings_event::{OwnerId, Rev, Severity, Status};

/// The overlay of one user on a system event that ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndedOverlay {
    /// The user.
    pub(crate) owner: OwnerId,
    /// Where the change stands in the user's feed.
    pub(crate) changed_rev: Rev,
    /// The event's severity.
    pub(crate) severity: Severity,
    /// The event's status for the user; `None` if the user had deleted it.
    pub(crate) status: Option<Status>,
}
