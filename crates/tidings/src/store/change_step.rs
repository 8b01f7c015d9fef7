//! A step of a change, and its outcome.

use tidings_event::{
    Change, ChangeOutcome, CountDelta, EventId, EventRef, OwnerId, OwnerKind, Rev, Status,
    SystemId, Timestamp,
};

use super::feeds::{RevRange, Side};
use crate::ended_overlay::EndedOverlay;

/// An event that is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its id, which an event of the owner and one of the system can share.
    pub(crate) id: EventId,
    /// The feed it is in. If it was named by its id alone: the owner's feed if the id is there, else the
    /// system's.
    pub(crate) side: Option<Side>,
}

impl From<EventRef> for Target {
    fn from(event: EventRef) -> Self {
        Self {
            id: event.id,
            side: event.owner_kind.map(|kind| match kind {
                OwnerKind::User => Side::Own,
                OwnerKind::System => Side::System,
            }),
        }
    }
}

/// A bounded part of a change, by the events' owner or, if it deletes, by their publisher.
#[derive(Clone, Debug)]
pub(crate) struct ChangeStep {
    /// The owner whose view of the events changes; events that this owner does not see stay as they are.
    /// The system changes its own events for all users, and a user changes them for themselves only.
    pub(crate) owner: OwnerId,
    /// Which events; at most [`StreamItem::MAX_IDS`](tidings_event::StreamItem::MAX_IDS).
    pub(crate) targets: Vec<Target>,
    /// The change.
    pub(crate) change: Change,
    /// Only events that have this status.
    pub(crate) only: Option<Status>,
    /// The systems whose events can be changed, if a publisher takes their own back; `None` if all.
    pub(crate) systems: Option<Vec<SystemId>>,
    /// The time of the change.
    pub(crate) at: Timestamp,
}

impl StepOutcome {
    /// The outcome of a step with one target.
    pub(crate) const fn outcome(&self) -> ChangeOutcome {
        match (self.ids.is_empty(), self.unchanged) {
            (true, 0) => ChangeOutcome::NotFound,
            (false, _) | (true, 1..) => ChangeOutcome::Done,
        }
    }
}

/// The outcome of a step.
#[derive(Clone, Debug)]
pub(crate) struct StepOutcome {
    /// The owner of the feed that has the changes.
    pub(crate) owner: OwnerId,
    /// The change.
    pub(crate) change: Change,
    /// The time of the change.
    pub(crate) at: Timestamp,
    /// The events that are now different, in the order of their revs.
    pub(crate) ids: Vec<EventId>,
    /// Those of `ids` that are the system's.
    pub(crate) system_ids: Vec<EventId>,
    /// How many other events exist, or were deleted before if this is a deletion.
    pub(crate) unchanged: usize,
    /// The system of an event that stays because it is none of the step's systems.
    pub(crate) foreign: Option<SystemId>,
    /// The revs of the changes in the owner's feed; empty if nothing changed.
    pub(crate) revs: RevRange,
    /// The rev of the newest changed event of the system in the system's feed.
    pub(crate) system: Rev,
    /// The difference that it makes to the owner's counts. If system events end, to those of a user without an
    /// overlay.
    pub(crate) counts: CountDelta,
    /// The overlays of system events that end; `None` if they are too many to be told.
    pub(crate) ended: Option<Vec<EndedOverlay>>,
}
