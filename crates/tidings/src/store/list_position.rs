//! The positions of events in a list.

use std::cmp::Ordering;

use tidings_event::{EventId, OwnerKind, PageToken, SortOrder};

use super::Side;
use super::moment::{moment, nanoseconds};
use super::wanted::Wanted;

/// The position of an event in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListPosition {
    /// The key of its row, as the store names it.
    pub(super) key: i64,
    pub(super) at: i64,
    pub(super) id: EventId,
    pub(super) side: Side,
}

impl ListPosition {
    /// The key of positions in ascending order. Only the side tells apart an event of the owner and
    /// one of the system that share their time and their id.
    fn rank(&self) -> (i64, EventId, bool) {
        (self.at, self.id, self.side == Side::System)
    }

    /// Compares positions in the order of a list.
    pub(super) fn compare(&self, other: &Self, order: SortOrder) -> Ordering {
        directed(self.rank().cmp(&other.rank()), order)
    }

    /// Whether it comes after the page of a token.
    pub(super) fn is_after(&self, token: &PageToken, order: SortOrder) -> bool {
        let is_system = token.owner_kind == OwnerKind::System;
        let last = (nanoseconds(token.at), token.id, is_system);
        directed(self.rank().cmp(&last), order).is_gt()
    }

    /// The token of the page after this position.
    pub(super) fn token(&self, wanted: Wanted<'_>) -> PageToken {
        let token = PageToken::after(moment(self.at), self.id, wanted.filter, wanted.sort);
        token.with_owner_kind(match self.side {
            Side::Own => OwnerKind::User,
            Side::System => OwnerKind::System,
        })
    }
}

fn directed(ascending: Ordering, order: SortOrder) -> Ordering {
    match order {
        SortOrder::Ascending => ascending,
        SortOrder::Descending => ascending.reverse(),
    }
}
