//! Decides whether an event is another publisher's.

use tidings_event::SystemId;

/// Whether an event that `publisher` has published is none of the events of `systems`; `None` is all systems.
pub(crate) fn is_foreign(systems: Option<&[SystemId]>, publisher: SystemId) -> bool {
    systems.is_some_and(|systems| !systems.contains(&publisher))
}
