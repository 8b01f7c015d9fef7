//! The order of the items of a stream.

use tidings_event::{Cursor, StreamItem};

use crate::caller::{User, owner};

/// Numbers of revs of a user's own feed and of the system's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Revs {
    pub(super) own: u64,
    pub(super) system: u64,
}

impl Revs {
    pub(super) fn add(&mut self, others: Self) {
        self.own += others.own;
        self.system += others.system;
    }

    const fn sum(self) -> u64 {
        self.own + self.system
    }

    /// The revs of updates of an item, which must continue where the last one ended. Live frames repeat no rev, and
    /// leave out none except those of updates that a later update of the same event replaces. A replay tells events
    /// as they are now, so its revs are not counted.
    pub(super) fn of_updates(
        before: Cursor,
        item: &StreamItem,
        is_live: bool,
        user: User,
    ) -> Result<Self, String> {
        let now = item.cursor();
        let (own, system) = (
            now.own.get().checked_sub(before.own.get()),
            now.system.get().checked_sub(before.system.get()),
        );
        let (Some(own), Some(system)) = (own, system) else {
            return Err(format!("{item:?} goes back from {before}"));
        };
        let moved = Self { own, system };
        // The revs that the item stands for, except updates.
        let revs = match item {
            StreamItem::Created { .. } => 1,
            StreamItem::Updated { .. } => 0,
            StreamItem::Status { change, .. } => change.ids.len() as u64,
            StreamItem::Deleted { deletion, .. } => deletion.ids.len() as u64,
            // The end of a replay can lie behind events that were deleted since.
            StreamItem::Live { .. } => return Ok(Self::default()),
            _ if moved.sum() == 0 => return Ok(Self::default()),
            _ => return Err(format!("{item:?} moves from {before}")),
        };
        let is_own = match item {
            StreamItem::Created { event, .. } => Some(event.owner == Some(owner(user))),
            StreamItem::Updated { change, .. } => Some(change.event.owner == Some(owner(user))),
            _ => None,
        };
        // An item is of one feed. A replay leaves out events that were deleted since, also at the end of the other
        // feed.
        let is_of_its_feed = match is_own {
            Some(true) => own > 0 && (system == 0 || !is_live),
            Some(false) => system > 0 && (own == 0 || !is_live),
            None => moved.sum() > 0 && (own == 0 || system == 0 || !is_live),
        };
        if !is_of_its_feed || (is_live && moved.sum() < revs) {
            return Err(format!("after {before} comes {item:?}"));
        }
        Ok(match (is_live, own > 0) {
            (false, _) => Self::default(),
            (true, true) => Self {
                own: own - revs,
                system: 0,
            },
            (true, false) => Self {
                own: 0,
                system: system - revs,
            },
        })
    }
}
