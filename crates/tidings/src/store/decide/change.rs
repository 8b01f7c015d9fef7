//! Decides what a step of a change does to an event, and sums up its outcome.

use tidings_event::{Change, CountDelta, EventId, OwnerId, Rev, Severity, Status, SystemId};

use crate::ended_overlay::EndedOverlay;
use crate::store::{ChangeStep, RevRange, StepOutcome, Target};

/// The most overlays that a step reports, in some milliseconds and 1 MiB. Beyond them each subscriber
/// reads its counts from the store.
pub(crate) const MAX_ENDED: usize = 16_384;

/// The effect on one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It is now different, and was an event of this kind of feed.
    Changed {
        /// Whether it is the system's, and changed for a user.
        of_system: bool,
    },
    /// It exists, or was deleted before, and stays as it is.
    Unchanged,
    /// It stays, since it was published by this system, which is none of the step's.
    Foreign(SystemId),
    /// The owner does not see it.
    Unseen,
}

/// The effect of a step on an event of the owner's own feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnChange {
    /// Nothing.
    Nothing,
    /// It gets this status.
    Mark(Status),
    /// It becomes a tombstone.
    Bury,
}

/// The state of a system event for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UsersState {
    /// The status for the user.
    pub(crate) status: Status,
    /// Whether the user has deleted it.
    pub(crate) deleted: bool,
}

/// The effect of a step on a system event for one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsersChange {
    /// The user does not see the event.
    Unseen,
    /// Nothing.
    Nothing,
    /// The user's state changes.
    To {
        /// The status before.
        before: Status,
        /// The state after it.
        state: UsersState,
        /// The difference in the number of system events that the user has read and kept.
        read: i64,
        /// The difference in the number of those that the user has deleted.
        deleted: i64,
    },
}

/// Whether a step is about events with another status only.
fn excludes(step: &ChangeStep, status: Status) -> bool {
    step.only.is_some_and(|only| only != status)
}

/// The effect of `step` on an event of its owner's feed.
pub(crate) fn own_change(step: &ChangeStep, system: OwnerId, before: Status) -> OwnChange {
    match step.change {
        _ if excludes(step, before) => OwnChange::Nothing,
        Change::Delete => OwnChange::Bury,
        // Each user has their own status for a system event.
        Change::Status(_) if step.owner == system => OwnChange::Nothing,
        Change::Status(status) if status == before => OwnChange::Nothing,
        Change::Status(status) => OwnChange::Mark(status),
    }
}

/// The effect of `step` on a system event for a user with this state, if they have changed it before.
pub(crate) fn users_change(step: &ChangeStep, state: Option<UsersState>) -> UsersChange {
    let before = match state {
        None => Status::Unread,
        Some(state) if !state.deleted => state.status,
        Some(_) => {
            return match step.change {
                Change::Delete => UsersChange::Nothing,
                Change::Status(_) => UsersChange::Unseen,
            };
        }
    };
    if excludes(step, before) || step.change == Change::Status(before) {
        return UsersChange::Nothing;
    }
    let was_read = i64::from(before == Status::Read);
    let (status, deleted, read) = match step.change {
        Change::Status(status) => (status, false, i64::from(status == Status::Read) - was_read),
        Change::Delete => (before, true, -was_read),
    };
    UsersChange::To {
        before,
        state: UsersState { status, deleted },
        read,
        deleted: i64::from(deleted),
    }
}

/// The outcome of a step while it is applied.
#[derive(Debug)]
pub(crate) struct Tally {
    ids: Vec<EventId>,
    system_ids: Vec<EventId>,
    unchanged: usize,
    foreign: Option<SystemId>,
    /// The newest of the system's events among those changed.
    pub(crate) newest_system: Rev,
    counts: CountDelta,
    /// The overlays of system events that end, while there is room for them.
    ended: Option<Vec<EndedOverlay>>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            ids: Vec::new(),
            system_ids: Vec::new(),
            unchanged: 0,
            foreign: None,
            newest_system: Rev::ZERO,
            counts: CountDelta::default(),
            ended: Some(Vec::new()),
        }
    }
}

impl Tally {
    /// Counts the effect on an event.
    pub(crate) fn add(&mut self, named: Target, effect: Effect) {
        match effect {
            Effect::Changed { of_system } => {
                self.ids.push(named.id);
                if of_system {
                    self.system_ids.push(named.id);
                }
            }
            Effect::Unchanged => self.unchanged += 1,
            Effect::Foreign(system) => self.foreign = Some(system),
            Effect::Unseen => {}
        }
    }

    /// Whether nothing changed.
    pub(crate) const fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Counts that an event has another status, or none after a deletion.
    pub(crate) fn count(&mut self, severity: Severity, before: Status, after: Option<Status>) {
        if let Some(after) = after {
            self.counts.add(after, severity, 1);
        }
        self.counts.add(before, severity, -1);
    }

    /// How many more overlays have room; `None` if there were too many.
    pub(crate) fn room_for_ended(&self) -> Option<usize> {
        self.ended.as_ref().map(|ended| MAX_ENDED - ended.len())
    }

    /// Adds the overlays of a system event that ends; `None` if they are too many.
    pub(crate) fn end(&mut self, overlays: Option<Vec<EndedOverlay>>) {
        let Some(ended) = &mut self.ended else {
            return;
        };
        match overlays {
            Some(overlays) if ended.len() + overlays.len() <= MAX_ENDED => ended.extend(overlays),
            Some(_) | None => self.ended = None,
        }
    }

    /// The outcome. `head` is that of the owner's feed, in which each change took the next rev.
    pub(crate) fn finish(self, step: &ChangeStep, system: OwnerId, head: Rev) -> StepOutcome {
        let head = match self.is_empty() {
            true => Rev::ZERO,
            false => head,
        };
        let system_ids = match step.owner == system {
            // Even if only one feed has the event: a user may get one with its id in the other feed before
            // they read this change.
            true => self.ids.clone(),
            false => self.system_ids,
        };
        StepOutcome {
            owner: step.owner,
            change: step.change,
            at: step.at,
            revs: RevRange {
                after: Rev::new(head.get() - self.ids.len() as u64),
                up_to: head,
            },
            ids: self.ids,
            system_ids,
            unchanged: self.unchanged,
            foreign: self.foreign,
            system: self.newest_system,
            counts: self.counts,
            ended: self.ended,
        }
    }
}
