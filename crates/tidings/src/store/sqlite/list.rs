//! A page of what an owner sees, with its counts, and the events a bulk change is about.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tidings_event::{
    Event, EventFilter, OwnerId, PageRequest, PageToken, Paging, Sort, SortKey, SortOrder,
    Timestamp, Total,
};

use super::counts::{Counts, Viewer, count_kinds, snapshot_of};
use super::readers::Reader;
use super::row::{SEEN_COLUMNS, overlay_join, read_event};
use super::search::{self, Budget, Found};
use super::select::{self, Place, Query, Wanted};
use crate::search::fold;
use crate::store::{ListPage, MatchPage, Matching, Side};

/// The most events that a bulk change is told of at a time.
const MATCH_PAGE: u64 = 4096;

impl Reader {
    /// A page of what `owner` sees, with its counts, from one snapshot.
    pub(crate) fn list(
        &self,
        owner: OwnerId,
        filter: &EventFilter,
        page: PageRequest,
    ) -> rusqlite::Result<ListPage> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let counts = self.counts(&viewer)?;
        let needle = filter.search.as_deref().map(fold);
        let (skip, after) = match page.paging {
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
        // Who wants a page by its number wants that page, however long it takes.
        let budget = match page.total {
            Total::Left if skip == 0 => Budget::OF_PAGE,
            _ => Budget::Unlimited,
        };
        // One event more than the page, to know whether there is another page.
        let limit = page.size.saturating_add(1);
        let Found {
            mut places,
            stopped,
        } = find(&self.connection, &viewer, wanted, (skip, limit), budget)?;
        let total = match page.total {
            Total::Counted => Some(total(&self.connection, &viewer, &counts, wanted)?),
            Total::Left => None,
        };
        let has_more = places.len() as u64 > page.size;
        places.truncate(usize::try_from(page.size).unwrap_or(usize::MAX));
        let next = match (has_more, places.last()) {
            (true, Some(last)) => Some(token(last, wanted)?),
            _ => stopped,
        };
        let events = self.events(&viewer, &places, page.sort)?;
        transaction.finish()?;
        Ok(ListPage {
            events,
            next,
            total,
            snapshot: snapshot_of(&viewer, &counts),
        })
    }

    /// A piece of what `owner` sees and `matching` means, the oldest first.
    pub(crate) fn matching(
        &self,
        owner: OwnerId,
        matching: &Matching,
        after: Option<PageToken>,
    ) -> rusqlite::Result<MatchPage> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
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
        let found = find(&self.connection, &viewer, wanted, limits, Budget::Unlimited)?;
        transaction.finish()?;
        let next = match found.places.last() {
            Some(last) if found.places.len() as u64 == MATCH_PAGE => Some(token(last, wanted)?),
            _ => None,
        };
        Ok(MatchPage {
            ids: found.places.iter().map(|place| place.id).collect(),
            next,
        })
    }

    /// Reads the events at these places, in their order.
    fn events(
        &self,
        viewer: &Viewer,
        places: &[Place],
        sort: Sort,
    ) -> rusqlite::Result<Vec<Event>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = Query::default();
        let overlay_feed = query.bind(viewer.overlay_feed().into());
        let system_feed = query.bind(viewer.system_feed().into());
        let keys = serde_json::to_string(&places.iter().map(|place| place.key).collect::<Vec<_>>())
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let keys = query.bind(Value::from(keys));
        let overlay = overlay_join(overlay_feed, system_feed);
        query.sql = format!(
            "SELECT {SEEN_COLUMNS} FROM event JOIN feed ON feed.key = event.feed {overlay} \
             WHERE event.key IN (SELECT value FROM json_each(?{keys}))"
        );
        let mut statement = self.connection.prepare_cached(&query.sql)?;
        let rows = statement.query_map(params_from_iter(query.values), read_event)?;
        let mut events = rows
            .map(|row| row.map(|(_, event)| event))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let moment = |event: &Event| match sort.key {
            SortKey::CreatedAt => event.created_at,
            SortKey::UpdatedAt => event.updated_at,
        };
        events.sort_unstable_by_key(|event| (moment(event), event.id));
        if sort.order == SortOrder::Descending {
            events.reverse();
        }
        Ok(events)
    }
}

/// The events that are wanted, by the indexes or, for a text, by the index for searching.
fn find(
    connection: &Connection,
    viewer: &Viewer,
    wanted: Wanted<'_>,
    limits: (u64, u64),
    budget: Budget,
) -> rusqlite::Result<Found> {
    match wanted.needle {
        Some(needle) => search::find(connection, viewer, needle, wanted, limits, budget),
        None => Ok(Found {
            places: select::places(connection, viewer, wanted, None, limits)?,
            stopped: None,
        }),
    }
}

/// The token of the page after `last`.
fn token(last: &Place, wanted: Wanted<'_>) -> rusqlite::Result<PageToken> {
    let at = Timestamp::from_nanosecond(last.at.into())
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(1, last.at))?;
    Ok(PageToken::after(at, last.id, wanted.filter, wanted.sort))
}

/// How many events match, whatever the page: from the counters where the filter asks for nothing they
/// do not know, else counted.
fn total(
    connection: &Connection,
    viewer: &Viewer,
    counts: &Counts,
    wanted: Wanted<'_>,
) -> rusqlite::Result<u64> {
    let filter = wanted.filter;
    let counted = EventFilter {
        status: filter.status,
        severity: filter.severity.clone(),
        owner_kind: filter.owner_kind,
        ..EventFilter::default()
    };
    if *filter == counted {
        return Ok(select::sides(filter)
            .map(|side| match side {
                Side::Own => &counts.own,
                Side::System => &counts.system,
            })
            .map(|summary| count_kinds(summary, filter.status, &filter.severity))
            .sum());
    }
    let wanted = Wanted {
        after: None,
        ..wanted
    };
    match wanted.needle {
        Some(needle) => search::count(connection, viewer, needle, wanted),
        None => select::count(connection, viewer, wanted, None),
    }
}
