//! The identity of a store.

use tidings_event::SystemId;
use tidings_event::wire::Epoch;

/// The identity of a store. Only the epoch ever changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreIdentity {
    /// The installation.
    pub(crate) system: SystemId,
    /// The epoch, which binds cursors to this store until a restore.
    pub(crate) epoch: Epoch,
}
