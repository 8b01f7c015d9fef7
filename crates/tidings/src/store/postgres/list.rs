//! Pages of what an owner sees, with their counts, and the events that a bulk change matches.

use tidings_event::{EventFilter, PageRequest, PageToken, Paging, Sort, SortKey, SortOrder, Total};

use super::page_events::append;
use super::read_fault::ReadFault;
use super::reading::Reading;
use super::search::{self, Budget, Found};
use super::select;
use super::viewer::Viewer;
use crate::search::fold;
use crate::store::kind::Kind;
use crate::store::wanted::{Wanted, sides};
use crate::store::{EncodedEvents, ListPage, MatchPage, Matching, Target, Unread};

/// The most events of one piece of what a bulk change matches.
const MATCH_PAGE: u64 = 4096;

/// A page of what the viewer sees, with its counts, from one snapshot.
pub(super) async fn list(
    reading: &Reading<'_>,
    viewer: &Viewer,
    filter: &EventFilter,
    page: PageRequest,
    bytes: usize,
) -> Result<ListPage, ReadFault> {
    let needle = filter.search.as_deref().map(fold);
    let (skip, after) = match page.paging {
        Paging::First => (0, None),
        Paging::Number(number) => (number.saturating_mul(page.size), None),
        Paging::After(token) => (0, Some(token)),
    };
    let wanted = Wanted {
        filter,
        needle: needle.as_deref(),
        sort: page.sort,
        after,
        up_to: None,
    };
    // A page by its number is read whole, however long that takes.
    let budget = match page.total {
        Total::Left if page.may_end_early() => Budget::OF_PAGE,
        _ => Budget::Unlimited,
    };
    // One event more than the page, to know whether there is another page.
    let limit = page.size.saturating_add(1);
    let Found {
        mut positions,
        stopped,
    } = find(reading, viewer, wanted, (skip, limit), budget).await?;
    let total = match page.total {
        Total::Counted => Some(total(reading, viewer, wanted).await?),
        Total::Left => None,
    };
    let has_more = positions.len() as u64 > page.size;
    positions.truncate(usize::try_from(page.size).unwrap_or(usize::MAX));
    let mut next = match (has_more, positions.last()) {
        (true, Some(last)) => Some(last.token(wanted)),
        _ => stopped,
    };
    let mut events = EncodedEvents::default();
    let keys: Vec<_> = positions.iter().map(|one| (one.key, one.id)).collect();
    let read = append(reading, viewer, &keys, bytes, &mut events).await?;
    let mut unread = positions.split_off(read);
    if let (true, Some(_), Some(last)) = (page.may_end_early(), unread.first(), positions.last()) {
        next = Some(last.token(wanted));
        unread.clear();
    }
    Ok(ListPage {
        events,
        unread: Unread(unread.iter().map(|one| (one.key, one.id)).collect()),
        next,
        total,
        snapshot: viewer.snapshot(),
    })
}

/// Reads the next events of a page.
pub(super) async fn list_rest(
    reading: &Reading<'_>,
    viewer: &Viewer,
    Unread(mut unread): Unread,
    bytes: usize,
) -> Result<(EncodedEvents, Unread), ReadFault> {
    let mut events = EncodedEvents::default();
    let read = append(reading, viewer, &unread, bytes, &mut events).await?;
    Ok((events, Unread(unread.split_off(read))))
}

/// A piece of what the viewer sees and `matching` matches, the oldest first.
pub(super) async fn matching(
    reading: &Reading<'_>,
    viewer: &Viewer,
    matching: &Matching,
    after: Option<PageToken>,
) -> Result<MatchPage, ReadFault> {
    let needle = matching.filter.search.as_deref().map(fold);
    let wanted = Wanted {
        filter: &matching.filter,
        needle: needle.as_deref(),
        sort: Sort {
            key: SortKey::CreatedAt,
            order: SortOrder::Ascending,
        },
        after,
        up_to: Some((matching.own_up_to, matching.system_up_to)),
    };
    let limits = (0, MATCH_PAGE);
    let found = find(reading, viewer, wanted, limits, Budget::OF_PAGE).await?;
    let next = match found.positions.last() {
        Some(last) if found.positions.len() as u64 == MATCH_PAGE => Some(last.token(wanted)),
        _ => found.stopped,
    };
    let targets = found.positions.iter().map(|position| Target {
        id: position.id,
        side: Some(position.side),
    });
    Ok(MatchPage {
        targets: targets.collect(),
        next,
    })
}

/// The wanted events: by an index that has their order or, for a text, by the search index.
async fn find(
    reading: &Reading<'_>,
    viewer: &Viewer,
    wanted: Wanted<'_>,
    limits: (u64, u64),
    budget: Budget,
) -> Result<Found, ReadFault> {
    match wanted.needle {
        Some(needle) => search::find(reading, viewer, needle, wanted, limits, budget).await,
        None => Ok(Found {
            positions: select::positions(reading, viewer, wanted, None, limits).await?,
            stopped: None,
        }),
    }
}

/// How many events match on all pages: from the counters if they know all that the filter asks for, else
/// counted one by one.
async fn total(
    reading: &Reading<'_>,
    viewer: &Viewer,
    wanted: Wanted<'_>,
) -> Result<u64, ReadFault> {
    let filter = wanted.filter;
    let mut counted = EventFilter::default();
    counted.status = filter.status;
    counted.severity.clone_from(&filter.severity);
    counted.owner_kind = filter.owner_kind;
    if *filter == counted {
        let feeds = sides(filter).filter_map(|side| viewer.feed(side));
        return Ok(feeds
            .flat_map(|feed| {
                let kinds = Kind::all().filter(|kind| wanted.wants(*kind));
                kinds.map(|kind| feed.counts.of(kind))
            })
            .sum());
    }
    let wanted = Wanted {
        after: None,
        ..wanted
    };
    match wanted.needle {
        Some(needle) => search::count(reading, viewer, needle, wanted).await,
        None => select::count(reading, viewer, wanted, None).await,
    }
}
