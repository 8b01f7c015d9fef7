//! The order in which a search reads the regions of a list, and where it ends.

use std::time::{Duration, Instant};

use tidings_event::{PageToken, SortKey, SortOrder};

use super::list_position::ListPosition;
use super::moment::nanoseconds;
use super::wanted::{Region, Wanted};

/// How long a search may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeBudget {
    /// About this long, but at least as long as it takes to advance in the list.
    Within(Duration),
    /// Until it is done.
    Unlimited,
}

impl TimeBudget {
    /// For a caller that can continue with the next page.
    pub(super) const OF_PAGE: Self = Self::Within(Duration::from_millis(50));

    fn is_spent(self, since: Instant) -> bool {
        match self {
            Self::Within(time) => since.elapsed() >= time,
            Self::Unlimited => false,
        }
    }
}

/// The events that were found.
#[derive(Debug)]
pub(super) struct FoundEvents {
    pub(super) positions: Vec<ListPosition>,
    /// Where the next page begins, if the time was up.
    pub(super) stopped: Option<PageToken>,
}

/// A region with bounds for the times at which its events were created.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) region: Region,
    pub(super) oldest: i64,
    pub(super) newest: i64,
}

impl Candidate {
    /// A region whose events can have any time.
    pub(super) const fn of_any_time(region: Region) -> Self {
        Self {
            region,
            oldest: i64::MIN,
            newest: i64::MAX,
        }
    }

    /// The first position in the list that an event of the region can have. The blocks do not know when events
    /// were changed: a list sorted by that reads all regions.
    const fn bound(&self, key: SortKey, order: SortOrder) -> i64 {
        match (key, order) {
            (SortKey::CreatedAt, SortOrder::Descending) => self.newest,
            (SortKey::CreatedAt, SortOrder::Ascending) => self.oldest,
            (SortKey::UpdatedAt, SortOrder::Descending) => i64::MAX,
            (SortKey::UpdatedAt, SortOrder::Ascending) => i64::MIN,
        }
    }
}

/// A search under way. The store reads the regions that [`next`](Self::next) names and
/// [adds](Self::add) what it finds there, until none is left.
#[derive(Debug)]
pub(super) struct SearchWalk<'a> {
    wanted: Wanted<'a>,
    budget: TimeBudget,
    began: Instant,
    /// The regions with the first events of the list first.
    candidates: Vec<Candidate>,
    /// How many of them have been read.
    read: usize,
    skip: usize,
    /// How many positions the page ends with.
    enough: usize,
    positions: Vec<ListPosition>,
    /// The bound of the last region that was read.
    previous: Option<i64>,
    stopped: Option<PageToken>,
}

impl<'a> SearchWalk<'a> {
    /// Begins a search for `limit` events after `skip` others. Its time counts from `began`.
    pub(super) fn new(
        mut candidates: Vec<Candidate>,
        wanted: Wanted<'a>,
        (skip, limit): (u64, u64),
        (budget, began): (TimeBudget, Instant),
    ) -> Self {
        let (key, order) = (wanted.sort.key, wanted.sort.order);
        candidates.sort_unstable_by_key(|candidate| candidate.bound(key, order));
        if order == SortOrder::Descending {
            candidates.reverse();
        }
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            wanted,
            budget,
            began,
            candidates,
            read: 0,
            skip: size(skip),
            enough: size(skip.saturating_add(limit)),
            positions: Vec::new(),
            previous: None,
            stopped: None,
        }
    }

    /// How many events of a region can be on the page.
    pub(super) const fn needed(&self) -> u64 {
        self.enough as u64
    }

    /// The next regions to read: at least one and at most `most`. `None` if the page is complete or the time is up.
    pub(super) fn next(&mut self, most: usize) -> Option<Vec<Region>> {
        let bound = self.bound(self.candidates.get(self.read)?);
        if let Some(last) = self
            .enough
            .checked_sub(1)
            .and_then(|last| self.positions.get(last))
            && self.is_before(last.at, bound)
        {
            return None;
        }
        // Only if the list has advanced since it began, or the next page would begin here, too.
        let start = self.wanted.after.map(|token| nanoseconds(token.at));
        let has_advanced = self.previous.is_some_and(|previous| {
            self.is_before(start.unwrap_or(previous), bound) && self.is_before(previous, bound)
        });
        if has_advanced && self.budget.is_spent(self.began) {
            let mut positions = std::mem::take(&mut self.positions);
            positions.retain(|position| self.is_before(position.at, bound));
            self.positions = positions;
            self.stopped = Some(self.wanted.before(bound));
            return None;
        }
        let end = self.candidates.len().min(self.read + most.max(1));
        let now = &self.candidates[self.read..end];
        // They are sorted by it, so that the last one has advanced the furthest.
        self.previous = now.last().map(|candidate| self.bound(candidate));
        self.read = end;
        Some(now.iter().map(|candidate| candidate.region).collect())
    }

    /// Merges the positions of other regions with those before; most come after all of them.
    pub(super) fn add(&mut self, found: Vec<ListPosition>) {
        let order = self.wanted.sort.order;
        let compare = |one: &ListPosition, other: &ListPosition| one.compare(other, order);
        let Some(first) = found.first() else { return };
        let overlap = self
            .positions
            .partition_point(|position| compare(position, first).is_lt());
        self.positions.extend(found);
        self.positions[overlap..].sort_by(compare);
        self.positions.truncate(self.enough);
    }

    /// The events that were found. After a search that stopped, nothing is skipped: only pages that begin at a token can stop.
    pub(super) fn finish(mut self) -> FoundEvents {
        if self.stopped.is_none() {
            self.positions.drain(..self.skip.min(self.positions.len()));
        }
        FoundEvents {
            positions: self.positions,
            stopped: self.stopped,
        }
    }

    const fn bound(&self, candidate: &Candidate) -> i64 {
        candidate.bound(self.wanted.sort.key, self.wanted.sort.order)
    }

    /// Whether a moment comes before another in the list.
    const fn is_before(&self, one: i64, other: i64) -> bool {
        match self.wanted.sort.order {
            SortOrder::Descending => one > other,
            SortOrder::Ascending => one < other,
        }
    }
}
