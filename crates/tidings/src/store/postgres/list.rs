//! Pages of an owner's list, with their counts, and the events that a bulk change matches.

use tidings_event::{EventFilter, PageRequest, PageToken, Total};

use super::page_events::append;
use super::read_fault::ReadFault;
use super::read_transaction::ReadTransaction;
use super::viewer::Viewer;
use super::{search, select};
use crate::search::fold;
use crate::store::list_plan::{ListPlan, PageEnd, total_of_counts};
use crate::store::search_walk::FoundEvents;
use crate::store::wanted::Wanted;
use crate::store::{EncodedEvents, ListPage, MatchPage, Matching, Unread};

/// A page of the viewer's list, with its counts, from one snapshot.
pub(super) async fn list(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    filter: &EventFilter,
    page: PageRequest,
    bytes: usize,
) -> Result<ListPage, ReadFault> {
    let needle = filter.search.as_deref().map(fold);
    let plan = ListPlan::of_page(filter, needle.as_deref(), page);
    let found = find(reading, viewer, plan).await?;
    let total = match page.total {
        Total::Counted => Some(total(reading, viewer, plan.wanted).await?),
        Total::Left => None,
    };
    let end = PageEnd::of(found, plan.wanted, page);
    let mut events = EncodedEvents::default();
    let keys: Vec<_> = end.positions.iter().map(|one| (one.key, one.id)).collect();
    let read = append(reading, viewer, &keys, bytes, &mut events).await?;
    let (unread, next) = end.after_reading(read, plan.wanted, page);
    Ok(ListPage {
        events,
        unread,
        next,
        total,
        snapshot: viewer.snapshot(),
    })
}

/// Reads the next events of a page.
pub(super) async fn list_rest(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    Unread(mut unread): Unread,
    bytes: usize,
) -> Result<(EncodedEvents, Unread), ReadFault> {
    let mut events = EncodedEvents::default();
    let read = append(reading, viewer, &unread, bytes, &mut events).await?;
    Ok((events, Unread(unread.split_off(read))))
}

/// Some of the viewer's events that `matching` matches, the oldest first.
pub(super) async fn matching(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    matching: &Matching,
    after: Option<PageToken>,
) -> Result<MatchPage, ReadFault> {
    let needle = matching.filter.search.as_deref().map(fold);
    let plan = ListPlan::of_matching(matching, needle.as_deref(), after);
    let found = find(reading, viewer, plan).await?;
    Ok(plan.match_page(&found))
}

/// The wanted events: by an index that has their order or, for a text, by the search index.
async fn find(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    plan: ListPlan<'_>,
) -> Result<FoundEvents, ReadFault> {
    match plan.wanted.needle {
        Some(needle) => search::find(reading, viewer, needle, plan).await,
        None => Ok(FoundEvents {
            positions: select::positions(reading, viewer, plan.wanted, None, plan.limits).await?,
            stopped: None,
        }),
    }
}

/// How many events match on all pages: from the counters if they know all that the filter asks for, else
/// counted one by one.
async fn total(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    wanted: Wanted<'_>,
) -> Result<u64, ReadFault> {
    if let Some(total) = total_of_counts(wanted.filter, |side| viewer.counts(side)) {
        return Ok(total);
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
