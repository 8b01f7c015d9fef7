//! Pages of an owner's list, with their counts, and the events that a bulk change matches.

use rusqlite::{CachedStatement, Connection};
use tidings_event::{EventFilter, EventId, OwnerId, PageRequest, PageToken, Total};

use super::counts::{Counts, snapshot_of};
use super::read_connection::ReadConnection;
use super::row::{SEEN_COLUMNS, overlay_join, with_event};
use super::viewer::Viewer;
use super::{search, select};
use crate::search::fold;
use crate::store::list_plan::{ListPlan, PageEnd, total_of_counts};
use crate::store::search_walk::FoundEvents;
use crate::store::wanted::Wanted;
use crate::store::{EncodedEvents, ListPage, MatchPage, Matching, Unread};

impl ReadConnection {
    /// A page of the list of `owner`, with its counts, from one snapshot.
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
        let plan = ListPlan::of_page(filter, needle.as_deref(), page);
        let found = find(&self.connection, &viewer, plan)?;
        let total = match page.total {
            Total::Counted => Some(total(&self.connection, &viewer, &counts, plan.wanted)?),
            Total::Left => None,
        };
        let end = PageEnd::of(found, plan.wanted, page);
        let mut events = EncodedEvents::default();
        let mut read = 0;
        let mut statement = self.seen_event(&viewer)?;
        for position in &end.positions {
            if !statement.encode(position.key, position.id, bytes, &mut events)? {
                break;
            }
            read += 1;
        }
        drop(statement);
        transaction.finish()?;
        let (unread, next) = end.after_reading(read, plan.wanted, page);
        Ok(ListPage {
            events,
            unread,
            next,
            total,
            snapshot: snapshot_of(&viewer, &counts),
        })
    }

    /// Some of the events that `owner` sees and `matching` matches, the oldest first.
    pub(crate) fn matching(
        &self,
        owner: OwnerId,
        matching: &Matching,
        after: Option<PageToken>,
    ) -> rusqlite::Result<MatchPage> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let needle = matching.filter.search.as_deref().map(fold);
        let plan = ListPlan::of_matching(matching, needle.as_deref(), after);
        let found = find(&self.connection, &viewer, plan)?;
        transaction.finish()?;
        Ok(plan.match_page(&found))
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
    plan: ListPlan<'_>,
) -> rusqlite::Result<FoundEvents> {
    match plan.wanted.needle {
        Some(needle) => search::find(connection, viewer, needle, plan),
        None => Ok(FoundEvents {
            positions: select::positions(connection, viewer, plan.wanted, None, plan.limits)?,
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
    if let Some(total) = total_of_counts(wanted.filter, |side| counts.of(side).clone()) {
        return Ok(total);
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
