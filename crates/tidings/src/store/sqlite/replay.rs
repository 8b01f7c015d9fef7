//! A piece of a replay: created events and their changes, merged by rev.

use rusqlite::{CachedStatement, Row};
use tidings_event::{OwnerId, Rev, Timestamp};

use super::created_events::{CreatedEvents, EventSelect};
use super::lists::{List, overlaid_events};
use super::newest::Newest;
use super::read_connection::ReadConnection;
use super::row::{SEEN_COLUMNS, event_json, moment, overlay_join, rev, rev_to_sql, uuid, word};
use super::viewer::{SeenFeed, Viewer};
use crate::store::replayed::{
    REPLAY_PAGE_BYTES, REPLAY_PAGE_CHANGES, ReplayRow, ReplayedEvent, page,
};
use crate::store::{ReplayPage, RevRange, Side};

/// Whether the feed with the key `?{feed}` has, or had, an event with the id in `column`. A deleted one
/// counts, since a reader that has not got that far still holds it.
fn has_twin(feed: usize, column: &str) -> String {
    format!(
        "(EXISTS (SELECT 1 FROM event AS twin WHERE twin.id = {column} AND twin.feed = ?{feed}) \
         OR EXISTS (SELECT 1 FROM tombstone AS twin \
                    WHERE twin.id = {column} AND twin.feed = ?{feed}))"
    )
}

impl ReadConnection {
    /// The next piece of a replay of one of the feeds that `owner` sees, from one snapshot.
    pub(crate) fn replay(
        &self,
        owner: OwnerId,
        side: Side,
        range: RevRange,
    ) -> rusqlite::Result<ReplayPage> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let page = match viewer.feed(side) {
            Some(feed) => self.replay_feed(&viewer, feed, side, range)?,
            None => page(Vec::new(), range.up_to, Rev::ZERO),
        };
        transaction.finish()?;
        Ok(page)
    }

    fn replay_feed(
        &self,
        viewer: &Viewer,
        feed: &SeenFeed,
        side: Side,
        mut range: RevRange,
    ) -> rusqlite::Result<ReplayPage> {
        // Each part ends the page where it has read enough, so that the next parts read no further.
        let mut changes = Vec::new();
        let newest = feed.newest()?;
        range.up_to = self.created(viewer, (feed.key, &newest), range, &mut changes)?;
        range.up_to = self.updated(viewer, (feed.key, &newest), range, &mut changes)?;
        range.up_to = self.deleted(viewer, (feed.key, side), range, &mut changes)?;
        if side == Side::Own {
            range.up_to = self.status_changes((feed.key, &newest), range, &mut changes)?;
            range.up_to = self.overlays(viewer, feed.key, range, &mut changes)?;
        }
        Ok(page(changes, range.up_to, feed.bounds.floor))
    }

    /// The events as the viewer sees them now, without those of the system that the viewer deleted.
    fn created(
        &self,
        viewer: &Viewer,
        (feed, newest): (i64, &Newest),
        range: RevRange,
        changes: &mut Vec<(Rev, ReplayRow)>,
    ) -> rusqlite::Result<Rev> {
        let joins = format!("JOIN feed ON feed.key = event.feed {}", overlay_join(4, 5));
        let events = CreatedEvents {
            feed,
            newest,
            after: range.after,
            up_to: range.up_to,
        };
        let reading = EventSelect {
            columns: SEEN_COLUMNS,
            joins: &joins,
            conditions: "AND coalesce(overlay.deleted, 0) = 0",
            values: &[viewer.overlay_feed(), viewer.system_feed()],
        };
        let (mut bytes, mut reached) = (0, range.up_to);
        events.read(&self.connection, reading, |row| {
            let (rev, json) = (rev(row, 0)?, event_json(row)?);
            bytes += json.len();
            changes.push((rev, ReplayRow::Created(json)));
            let is_full = bytes >= REPLAY_PAGE_BYTES;
            if is_full {
                reached = rev;
            }
            Ok(!is_full)
        })?;
        Ok(reached)
    }

    /// The events with new content, as the viewer sees them now, without those that come as created or that the
    /// viewer deleted.
    fn updated(
        &self,
        viewer: &Viewer,
        (feed, newest): (i64, &Newest),
        range: RevRange,
        changes: &mut Vec<(Rev, ReplayRow)>,
    ) -> rusqlite::Result<Rev> {
        let (mut updates, mut reached) = self.updates((feed, newest), range)?;
        updates.sort_unstable_by_key(|(rev, _)| *rev);
        let sql = format!(
            "SELECT {SEEN_COLUMNS} FROM event JOIN feed ON feed.key = event.feed {} \
             WHERE event.key = ?1 AND event.created_rev <= ?2 AND coalesce(overlay.deleted, 0) = 0",
            overlay_join(4, 5)
        );
        let mut read = self.connection.prepare_cached(&sql)?;
        let mut bytes = 0;
        for (rev, key) in updates.into_iter().filter(|(rev, _)| *rev <= reached) {
            read.raw_bind_parameter(1, key)?;
            read.raw_bind_parameter(2, rev_to_sql(range.after)?)?;
            read.raw_bind_parameter(4, viewer.overlay_feed())?;
            read.raw_bind_parameter(5, viewer.system_feed())?;
            let mut rows = read.raw_query();
            let Some(row) = rows.next()? else { continue };
            let json = event_json(row)?;
            bytes += json.len();
            changes.push((rev, ReplayRow::Updated(json)));
            if bytes >= REPLAY_PAGE_BYTES {
                reached = rev;
                break;
            }
        }
        Ok(reached)
    }

    /// The revs and keys of events that got new content, and up to which rev they are all.
    fn updates(
        &self,
        (feed, newest): (i64, &Newest),
        range: RevRange,
    ) -> rusqlite::Result<(Vec<(Rev, i64)>, Rev)> {
        let is_within = |rev: &Rev| *rev > range.after && *rev <= range.up_to;
        let of_newest = newest.iter().filter_map(|event| {
            let rev = event.content_rev.filter(is_within)?;
            Some((rev, event.key))
        });
        let mut updates: Vec<_> = of_newest.collect();
        let sql = format!(
            "SELECT at, event FROM listed \
             WHERE feed = ?1 AND list = {} AND at > ?2 AND at <= ?3 ORDER BY at LIMIT ?4",
            List::CONTENT_REV.number()
        );
        let mut listed = self.connection.prepare_cached(&sql)?;
        let (after, up_to) = (rev_to_sql(range.after)?, rev_to_sql(range.up_to)?);
        let mut rows = listed.query((feed, after, up_to, REPLAY_PAGE_CHANGES))?;
        let (mut number, mut last) = (0, range.after);
        while let Some(row) = rows.next()? {
            last = rev(row, 0)?;
            updates.push((last, row.get(1)?));
            number += 1;
        }
        let reached = match number {
            REPLAY_PAGE_CHANGES => last,
            _ => range.up_to,
        };
        Ok((updates, reached))
    }

    fn deleted(
        &self,
        viewer: &Viewer,
        (feed, side): (i64, Side),
        range: RevRange,
        changes: &mut Vec<(Rev, ReplayRow)>,
    ) -> rusqlite::Result<Rev> {
        let sql = format!(
            "SELECT deleted_rev, id, {} FROM tombstone \
             WHERE feed = ?1 AND deleted_rev > ?2 AND deleted_rev <= ?3 \
             ORDER BY deleted_rev LIMIT ?4",
            has_twin(5, "tombstone.id")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let other_feed = match side {
            Side::System => viewer.overlay_feed(),
            Side::Own => viewer.system_feed(),
        };
        statement.raw_bind_parameter(5, other_feed)?;
        read_changes(statement, feed, range, changes, |row| {
            Ok(ReplayRow::Deleted(ReplayedEvent {
                id: uuid(row, 1)?.into(),
                side,
                has_twin: row.get(2)?,
            }))
        })
    }

    /// A reader always has the event of such a change, so an id alone names it.
    fn status_changes(
        &self,
        (feed, newest): (i64, &Newest),
        range: RevRange,
        changes: &mut Vec<(Rev, ReplayRow)>,
    ) -> rusqlite::Result<Rev> {
        // The few newest events are not counted; what goes beyond the page is left out at its end.
        for event in newest.iter() {
            let is_within = |rev: &Rev| *rev > range.after && *rev <= range.up_to;
            if let Some(rev) = event.changed_rev.filter(is_within) {
                let at = Timestamp::from_nanosecond(event.updated_at.into())
                    .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, event.updated_at))?;
                let changed = ReplayedEvent {
                    id: event.id,
                    side: Side::Own,
                    has_twin: false,
                };
                changes.push((rev, ReplayRow::Status(changed, event.kind.status(), at)));
            }
        }
        let sql = format!(
            "SELECT listed.at, event.id, event.status, event.updated_at \
             FROM listed CROSS JOIN event ON event.key = listed.event \
             WHERE listed.feed = ?1 AND listed.list = {} AND listed.at > ?2 AND listed.at <= ?3 \
             ORDER BY listed.at LIMIT ?4",
            List::CHANGED_REV.number()
        );
        let statement = self.connection.prepare_cached(&sql)?;
        read_changes(statement, feed, range, changes, |row| {
            let event = ReplayedEvent {
                id: uuid(row, 1)?.into(),
                side: Side::Own,
                has_twin: false,
            };
            Ok(ReplayRow::Status(
                event,
                word(row, 2, "status")?,
                moment(row, 3)?,
            ))
        })
    }

    /// The changes of the feed's owner to system events.
    fn overlays(
        &self,
        viewer: &Viewer,
        feed: i64,
        range: RevRange,
        changes: &mut Vec<(Rev, ReplayRow)>,
    ) -> rusqlite::Result<Rev> {
        let sql = format!(
            "SELECT overlay.changed_rev, event.id, overlay.status, max(overlay.updated_at, event.updated_at), \
             overlay.deleted, {} FROM overlay{} \
             WHERE overlay.feed = ?1 AND overlay.changed_rev > ?2 AND overlay.changed_rev <= ?3 \
             ORDER BY overlay.changed_rev LIMIT ?4",
            has_twin(1, "event.id"),
            overlaid_events(5)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.raw_bind_parameter(5, viewer.system_feed())?;
        read_changes(statement, feed, range, changes, |row| {
            let event = ReplayedEvent {
                id: uuid(row, 1)?.into(),
                side: Side::System,
                has_twin: row.get(5)?,
            };
            Ok(if row.get(4)? {
                ReplayRow::Deleted(event)
            } else {
                ReplayRow::Status(event, word(row, 2, "status")?, moment(row, 3)?)
            })
        })
    }
}

/// Reads rows that begin with their rev, from a statement whose first four parameters are the feed, the
/// range and the most rows. Returns the rev up to which all rows were read.
fn read_changes(
    mut statement: CachedStatement<'_>,
    feed: i64,
    range: RevRange,
    changes: &mut Vec<(Rev, ReplayRow)>,
    change: impl Fn(&Row<'_>) -> rusqlite::Result<ReplayRow>,
) -> rusqlite::Result<Rev> {
    statement.raw_bind_parameter(1, feed)?;
    statement.raw_bind_parameter(2, rev_to_sql(range.after)?)?;
    statement.raw_bind_parameter(3, rev_to_sql(range.up_to)?)?;
    statement.raw_bind_parameter(4, REPLAY_PAGE_CHANGES)?;
    let mut rows = statement.raw_query();
    let (mut number, mut last) = (0, range.after);
    while let Some(row) = rows.next()? {
        last = rev(row, 0)?;
        changes.push((last, change(row)?));
        number += 1;
    }
    Ok(match number {
        REPLAY_PAGE_CHANGES => last,
        _ => range.up_to,
    })
}
