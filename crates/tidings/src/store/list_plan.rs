//! The reads of a page of a list, and where it ends.

use tidings_event::{
    EventFilter, PageRequest, PageToken, Paging, Sort, SortKey, SortOrder, Status, Summary, Total,
};

use super::list_position::ListPosition;
use super::search_walk::{FoundEvents, TimeBudget};
use super::wanted::{Wanted, sides};
use super::{MatchPage, Matching, Side, Target, Unread};

/// The most events that a bulk change reads at a time.
const MATCH_PAGE: u64 = 4096;

/// The events that a page reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListPlan<'a> {
    pub(super) wanted: Wanted<'a>,
    /// How many events are skipped, and how many are read after them.
    pub(super) limits: (u64, u64),
    pub(super) budget: TimeBudget,
}

impl<'a> ListPlan<'a> {
    /// Plans a page of a list. `needle` is the text of the filter, folded.
    pub(super) fn of_page(
        filter: &'a EventFilter,
        needle: Option<&'a str>,
        page: PageRequest,
    ) -> Self {
        let (skip, after) = match page.paging {
            Paging::First => (0, None),
            Paging::Number(number) => (number.saturating_mul(page.size), None),
            Paging::After(token) => (0, Some(token)),
        };
        Self {
            wanted: Wanted {
                filter,
                needle,
                sort: page.sort,
                after,
                up_to: None,
            },
            // One event more than the page, to know whether there is another page.
            limits: (skip, page.size.saturating_add(1)),
            // A page by its number is read whole, however long that takes.
            budget: match page.total {
                Total::Left if page.may_end_early() => TimeBudget::OF_PAGE,
                _ => TimeBudget::Unlimited,
            },
        }
    }

    /// Plans a read of events that a bulk change matches, the oldest first.
    pub(super) const fn of_matching(
        matching: &'a Matching,
        needle: Option<&'a str>,
        after: Option<PageToken>,
    ) -> Self {
        Self {
            wanted: Wanted {
                filter: &matching.filter,
                needle,
                sort: Sort {
                    key: SortKey::CreatedAt,
                    order: SortOrder::Ascending,
                },
                after,
                up_to: Some((matching.own_up_to, matching.system_up_to)),
            },
            limits: (0, MATCH_PAGE),
            budget: TimeBudget::OF_PAGE,
        }
    }

    /// The piece of a bulk change that was found.
    pub(super) fn match_page(&self, found: &FoundEvents) -> MatchPage {
        let next = match found.positions.last() {
            Some(last) if found.positions.len() as u64 == MATCH_PAGE => {
                Some(last.token(self.wanted))
            }
            _ => found.stopped,
        };
        let targets = found.positions.iter().map(|position| Target {
            id: position.id,
            side: Some(position.side),
        });
        MatchPage {
            targets: targets.collect(),
            next,
        }
    }
}

/// The positions of a page, and where the next one begins.
#[derive(Debug)]
pub(super) struct PageEnd {
    pub(super) positions: Vec<ListPosition>,
    pub(super) next: Option<PageToken>,
}

impl PageEnd {
    /// Cuts what was found to the page.
    pub(super) fn of(found: FoundEvents, wanted: Wanted<'_>, page: PageRequest) -> Self {
        let FoundEvents {
            mut positions,
            stopped,
        } = found;
        let has_more = positions.len() as u64 > page.size;
        positions.truncate(usize::try_from(page.size).unwrap_or(usize::MAX));
        let next = match (has_more, positions.last()) {
            (true, Some(last)) => Some(last.token(wanted)),
            _ => stopped,
        };
        Self { positions, next }
    }

    /// The rest of the page after its first `read` events were read, and where the next page begins. A page
    /// that may end early ends there.
    pub(super) fn after_reading(
        mut self,
        read: usize,
        wanted: Wanted<'_>,
        page: PageRequest,
    ) -> (Unread, Option<PageToken>) {
        let unread = self.positions.split_off(read);
        if let (true, Some(_), Some(last)) =
            (page.may_end_early(), unread.first(), self.positions.last())
        {
            return (Unread::default(), Some(last.token(wanted)));
        }
        let unread = unread.iter().map(|position| (position.key, position.id));
        (Unread(unread.collect()), self.next)
    }
}

/// How many events match on all pages, if the counts by status and severity tell it. `counts` are those of a side.
pub(super) fn total_of_counts(
    filter: &EventFilter,
    counts: impl Fn(Side) -> Summary,
) -> Option<u64> {
    let mut counted = EventFilter::default();
    counted.status = filter.status;
    counted.severity.clone_from(&filter.severity);
    counted.owner_kind = filter.owner_kind;
    (*filter == counted).then(|| {
        sides(filter)
            .map(|side| count_kinds(&counts(side), filter))
            .sum()
    })
}

/// How many events of a summary the filter's statuses and severities let through.
fn count_kinds(summary: &Summary, filter: &EventFilter) -> u64 {
    let severities = &filter.severity;
    [Status::Unread, Status::Read]
        .into_iter()
        .filter(|one| filter.status.is_none_or(|wanted| wanted == *one))
        .flat_map(|status| summary.of(status))
        .filter(|(severity, _)| severities.is_empty() || severities.contains(severity))
        .map(|(_, number)| number)
        .sum()
}
