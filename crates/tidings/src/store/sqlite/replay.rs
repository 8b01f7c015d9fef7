//! A piece of a replay: what was created, and what became of it, merged by rev.

use bytes::Bytes;
use rusqlite::{CachedStatement, Row, params};
use tidings_event::{EventId, OwnerId, Rev, Status, StreamItem, Timestamp};

use super::counts::Viewer;
use super::readers::Reader;
use super::row::{SEEN_COLUMNS, event_json, moment, overlay_join, rev, rev_to_sql, uuid, word};
use crate::store::{FeedBounds, ReplayPage, Replayed, RevRange, Side};

/// A piece of a replay ends with the event that passes this size.
const REPLAY_PAGE_BYTES: usize = 64 * 1024;

/// The most changes of status, and the most deletions, in a piece of a replay.
const REPLAY_PAGE_CHANGES: u32 = 1024;

/// One change of one event.
enum Change {
    /// The event's JSON.
    Created(Bytes),
    Status(EventId, Status, Timestamp),
    Deleted(EventId),
}

impl Reader {
    /// The next piece of a replay of one of the feeds that `owner` sees, from one snapshot.
    pub(crate) fn replay(
        &self,
        owner: OwnerId,
        side: Side,
        range: RevRange,
    ) -> rusqlite::Result<ReplayPage> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let feed = match side {
            Side::System => viewer.system,
            Side::Own => viewer.own,
        };
        let page = match feed {
            Some((feed, bounds)) => self.replay_feed(&viewer, (feed, bounds), side, range)?,
            None => ReplayPage {
                changes: Vec::new(),
                reached: range.up_to,
                floor: Rev::ZERO,
            },
        };
        transaction.finish()?;
        Ok(page)
    }

    fn replay_feed(
        &self,
        viewer: &Viewer,
        (feed, bounds): (i64, FeedBounds),
        side: Side,
        mut range: RevRange,
    ) -> rusqlite::Result<ReplayPage> {
        // Each part ends the page where it has read enough, so that the next part reads no further.
        let mut changes = Vec::new();
        range.up_to = self.created(viewer, feed, range, &mut changes)?;
        range.up_to = self.deleted(feed, range, &mut changes)?;
        if side == Side::Own {
            range.up_to = self.status_changes(feed, range, &mut changes)?;
            range.up_to = self.overlays(viewer, feed, range, &mut changes)?;
        }
        changes.retain(|(rev, _)| *rev <= range.up_to);
        changes.sort_unstable_by_key(|(rev, _)| *rev);
        Ok(ReplayPage {
            changes: join(changes),
            reached: range.up_to,
            floor: bounds.floor,
        })
    }

    /// The events as the viewer sees them now. Who has deleted one of the system's does not see it.
    fn created(
        &self,
        viewer: &Viewer,
        feed: i64,
        range: RevRange,
        changes: &mut Vec<(Rev, Change)>,
    ) -> rusqlite::Result<Rev> {
        let overlay = overlay_join(4, 5);
        let sql = format!(
            "SELECT {SEEN_COLUMNS} FROM event JOIN feed ON feed.key = event.feed {overlay} \
             WHERE event.feed = ?1 AND event.created_rev > ?2 AND event.created_rev <= ?3 \
             AND coalesce(overlay.deleted, 0) = 0 ORDER BY event.created_rev"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![
            feed,
            rev_to_sql(range.after)?,
            rev_to_sql(range.up_to)?,
            viewer.overlay_feed(),
            viewer.system_feed(),
        ])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let (rev, json) = (rev(row, 0)?, event_json(row)?);
            bytes += json.len();
            changes.push((rev, Change::Created(json)));
            if bytes >= REPLAY_PAGE_BYTES {
                return Ok(rev);
            }
        }
        Ok(range.up_to)
    }

    fn deleted(
        &self,
        feed: i64,
        range: RevRange,
        changes: &mut Vec<(Rev, Change)>,
    ) -> rusqlite::Result<Rev> {
        let statement = self.connection.prepare_cached(
            "SELECT deleted_rev, id FROM tombstone \
             WHERE feed = ?1 AND deleted_rev > ?2 AND deleted_rev <= ?3 \
             ORDER BY deleted_rev LIMIT ?4",
        )?;
        read_changes(statement, feed, range, changes, |row| {
            Ok(Change::Deleted(uuid(row, 1)?.into()))
        })
    }

    fn status_changes(
        &self,
        feed: i64,
        range: RevRange,
        changes: &mut Vec<(Rev, Change)>,
    ) -> rusqlite::Result<Rev> {
        let statement = self.connection.prepare_cached(
            "SELECT changed_rev, id, status, updated_at FROM event \
             WHERE feed = ?1 AND changed_rev > ?2 AND changed_rev <= ?3 \
             ORDER BY changed_rev LIMIT ?4",
        )?;
        read_changes(statement, feed, range, changes, |row| {
            let (id, status) = (uuid(row, 1)?.into(), word(row, 2, "status")?);
            Ok(Change::Status(id, status, moment(row, 3)?))
        })
    }

    /// What the owner of the feed did to the system's events.
    fn overlays(
        &self,
        viewer: &Viewer,
        feed: i64,
        range: RevRange,
        changes: &mut Vec<(Rev, Change)>,
    ) -> rusqlite::Result<Rev> {
        let mut statement = self.connection.prepare_cached(
            "SELECT overlay.changed_rev, event.id, overlay.status, overlay.updated_at, \
             overlay.deleted FROM overlay \
             JOIN event ON event.feed = ?5 AND event.created_rev = overlay.system_rev \
             WHERE overlay.feed = ?1 AND overlay.changed_rev > ?2 AND overlay.changed_rev <= ?3 \
             ORDER BY overlay.changed_rev LIMIT ?4",
        )?;
        statement.raw_bind_parameter(5, viewer.system_feed())?;
        read_changes(statement, feed, range, changes, |row| {
            let id = uuid(row, 1)?.into();
            Ok(if row.get(4)? {
                Change::Deleted(id)
            } else {
                Change::Status(id, word(row, 2, "status")?, moment(row, 3)?)
            })
        })
    }
}

/// Reads rows that begin with their rev, from a statement whose first four parameters are the feed, the
/// range and the most rows; how far all of them were read.
fn read_changes(
    mut statement: CachedStatement<'_>,
    feed: i64,
    range: RevRange,
    changes: &mut Vec<(Rev, Change)>,
    change: impl Fn(&Row<'_>) -> rusqlite::Result<Change>,
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

/// Makes one of neighbours that say the same of different events.
fn join(changes: Vec<(Rev, Change)>) -> Vec<(Rev, Replayed)> {
    let mut joined: Vec<(Rev, Replayed)> = Vec::with_capacity(changes.len());
    for (rev, change) in changes {
        let last = joined.last_mut();
        let replayed = match (last, change) {
            (
                Some((last_rev, Replayed::Status { ids, status, at })),
                Change::Status(id, same, since),
            ) if *status == same && *at == since && ids.len() < StreamItem::MAX_IDS => {
                ids.push(id);
                *last_rev = rev;
                continue;
            }
            (Some((last_rev, Replayed::Deleted { ids })), Change::Deleted(id))
                if ids.len() < StreamItem::MAX_IDS =>
            {
                ids.push(id);
                *last_rev = rev;
                continue;
            }
            (_, Change::Created(json)) => Replayed::Created(json),
            (_, Change::Status(id, status, at)) => Replayed::Status {
                ids: vec![id],
                status,
                at,
            },
            (_, Change::Deleted(id)) => Replayed::Deleted { ids: vec![id] },
        };
        joined.push((rev, replayed));
    }
    joined
}
