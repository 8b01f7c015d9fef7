//! Pages of what an owner sees, with their counts, and the events that a bulk change matches.

use rusqlite::{CachedStatement, Connection};
use tidings_event::{
    EventFilter, EventId, OwnerId, PageRequest, PageToken, Paging, Sort, SortKey, SortOrder, Total,
};

use super::counts::{Counts, count_kinds, snapshot_of};
use super::read_pool::ReadConnection;
use super::row::{SEEN_COLUMNS, overlay_join, with_event};
use super::search::{self, Budget, Found};
use super::select;
use super::viewer::Viewer;
use crate::search::fold;
use crate::store::wanted::{Wanted, sides};
use crate::store::{EncodedEvents, ListPage, MatchPage, Matching, Side, Target, Unread};

/// The most events of one piece of what a bulk change matches.
const MATCH_PAGE: u64 = 4096;

impl ReadConnection {
    /// A page of what `owner` sees, with its counts, from one snapshot.
    pub(crate) fn list(
        &self,
        owner: OwnerId,
        filter: &EventFilter,
        page: PageRequest,
        bytes: usize,
    ) -> rusqlite::Result<ListPage> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let counts = self.counts(&viewer)?;
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
        } = find(&self.connection, &viewer, wanted, (skip, limit), budget)?;
        let total = match page.total {
            Total::Counted => Some(total(&self.connection, &viewer, &counts, wanted)?),
            Total::Left => None,
        };
        let has_more = positions.len() as u64 > page.size;
        positions.truncate(usize::try_from(page.size).unwrap_or(usize::MAX));
        let mut next = match (has_more, positions.last()) {
            (true, Some(last)) => Some(last.token(wanted)),
            _ => stopped,
        };
        let mut events = EncodedEvents::default();
        let mut read = 0;
        let mut statement = self.seen_event(&viewer)?;
        for position in &positions {
            if !statement.encode(position.key, position.id, bytes, &mut events)? {
                break;
            }
            read += 1;
        }
        let mut unread = positions.split_off(read);
        if let (true, Some(_), Some(last)) =
            (page.may_end_early(), unread.first(), positions.last())
        {
            next = Some(last.token(wanted));
            unread.clear();
        }
        drop(statement);
        transaction.finish()?;
        Ok(ListPage {
            events,
            unread: Unread(
                unread
                    .iter()
                    .map(|position| (position.key, position.id))
                    .collect(),
            ),
            next,
            total,
            snapshot: snapshot_of(&viewer, &counts),
        })
    }

    /// A piece of what `owner` sees and `matching` matches, the oldest first.
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
        let found = find(&self.connection, &viewer, wanted, limits, Budget::OF_PAGE)?;
        transaction.finish()?;
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

    /// Reads the next events of a page, in a snapshot of its own.
    pub(crate) fn list_rest(
        &self,
        owner: OwnerId,
        Unread(mut unread): Unread,
        bytes: usize,
    ) -> rusqlite::Result<(EncodedEvents, Unread)> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let mut events = EncodedEvents::default();
        let mut read = 0;
        let mut statement = self.seen_event(&viewer)?;
        for (key, id) in &unread {
            if !statement.encode(*key, *id, bytes, &mut events)? {
                break;
            }
            read += 1;
        }
        drop(statement);
        transaction.finish()?;
        Ok((events, Unread(unread.split_off(read))))
    }

    /// The statement that reads the events of a page one by one, in the order of the page.
    fn seen_event(&self, viewer: &Viewer) -> rusqlite::Result<SeenEvent<'_>> {
        let overlay = overlay_join(1, 2);
        let sql = format!(
            "SELECT {SEEN_COLUMNS} FROM event JOIN feed ON feed.key = event.feed {overlay} \
             WHERE event.key = ?3 AND event.id = ?4 AND event.feed IN (?1, ?2) \
             AND coalesce(overlay.deleted, 0) = 0"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.raw_bind_parameter(1, viewer.overlay_feed())?;
        statement.raw_bind_parameter(2, viewer.system_feed())?;
        Ok(SeenEvent(statement))
    }
}

/// Reads events as a viewer sees them.
struct SeenEvent<'a>(CachedStatement<'a>);

impl SeenEvent<'_> {
    /// Appends the event with this key and id, if it exists. `false` if it does not fit in `bytes`.
    fn encode(
        &mut self,
        key: i64,
        id: EventId,
        bytes: usize,
        events: &mut EncodedEvents,
    ) -> rusqlite::Result<bool> {
        let Self(statement) = self;
        statement.raw_bind_parameter(3, key)?;
        statement.raw_bind_parameter(4, id.as_uuid().as_bytes())?;
        let mut rows = statement.raw_query();
        match rows.next()? {
            Some(row) => with_event(row, |event| events.add(event, bytes)),
            None => Ok(true),
        }
    }
}

/// The wanted events: by the lists or, for a text, by the search index.
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
            positions: select::positions(connection, viewer, wanted, None, limits)?,
            stopped: None,
        }),
    }
}

/// How many events match on all pages: from the counters if they know all that the filter asks for, else
/// counted one by one.
fn total(
    connection: &Connection,
    viewer: &Viewer,
    counts: &Counts,
    wanted: Wanted<'_>,
) -> rusqlite::Result<u64> {
    let filter = wanted.filter;
    let mut counted = EventFilter::default();
    counted.status = filter.status;
    counted.severity.clone_from(&filter.severity);
    counted.owner_kind = filter.owner_kind;
    if *filter == counted {
        return Ok(sides(filter)
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
