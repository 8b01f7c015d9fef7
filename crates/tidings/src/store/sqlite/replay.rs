//! A piece of a replay: created events and their changes, merged by rev.

use bytes::Bytes;
use rusqlite::{CachedStatement, Row, params};
use tidings_event::{EventId, OwnerId, Rev, Status, StreamItem, Timestamp};

use super::counts::Viewer;
use super::read_pool::ReadConnection;
use super::row::{SEEN_COLUMNS, event_json, moment, overlay_join, rev, rev_to_sql, uuid, word};
use crate::store::{FeedBounds, ReplayItem, ReplayPage, RevRange, Side};

/// A piece of a replay ends with the event that exceeds this size.
const REPLAY_PAGE_BYTES: usize = 64 * 1024;

/// The most changes of status, and the most deletions, in a piece of a replay.
const REPLAY_PAGE_CHANGES: u32 = 1024;

/// One change of one event.
enum ReplayRow {
    /// The event's JSON.
    Created(Bytes),
    Status(Changed, Status, Timestamp),
    Deleted(Changed),
}

/// The event of a change.
struct Changed {
    id: EventId,
    side: Side,
    /// Whether the other feed that the viewer sees has, or had, an event with the same id.
    has_twin: bool,
}

/// The events of neighbouring changes that say the same.
#[derive(Default)]
struct Run {
    ids: Vec<EventId>,
    system_ids: Vec<EventId>,
    has_twins: bool,
}

impl Run {
    fn of(event: &Changed) -> Self {
        let mut run = Self::default();
        run.push(event);
        run
    }

    fn push(&mut self, event: &Changed) {
        self.ids.push(event.id);
        if event.side == Side::System {
            self.system_ids.push(event.id);
        }
        self.has_twins |= event.has_twin;
    }

    fn is_full(&self) -> bool {
        self.ids.len() >= StreamItem::MAX_IDS
    }

    /// The ids, and which of them are the system's if that has to be told.
    fn into_ids(self) -> (Vec<EventId>, Option<Vec<EventId>>) {
        (self.ids, self.has_twins.then_some(self.system_ids))
    }
}

/// A change of one or more events.
enum Joined {
    Created(Bytes),
    Status(Run, Status, Timestamp),
    Deleted(Run),
}

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
        // Each part ends the page where it has read enough, so that the next parts read no further.
        let mut changes = Vec::new();
        range.up_to = self.created(viewer, feed, range, &mut changes)?;
        range.up_to = self.deleted(viewer, (feed, side), range, &mut changes)?;
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

    /// The events as the viewer sees them now, without those of the system that the viewer deleted.
    fn created(
        &self,
        viewer: &Viewer,
        feed: i64,
        range: RevRange,
        changes: &mut Vec<(Rev, ReplayRow)>,
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
            changes.push((rev, ReplayRow::Created(json)));
            if bytes >= REPLAY_PAGE_BYTES {
                return Ok(rev);
            }
        }
        Ok(range.up_to)
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
            Ok(ReplayRow::Deleted(Changed {
                id: uuid(row, 1)?.into(),
                side,
                has_twin: row.get(2)?,
            }))
        })
    }

    /// A reader always has the event of such a change, so an id alone names it.
    fn status_changes(
        &self,
        feed: i64,
        range: RevRange,
        changes: &mut Vec<(Rev, ReplayRow)>,
    ) -> rusqlite::Result<Rev> {
        let statement = self.connection.prepare_cached(
            "SELECT changed_rev, id, status, updated_at FROM event \
             WHERE feed = ?1 AND changed_rev > ?2 AND changed_rev <= ?3 \
             ORDER BY changed_rev LIMIT ?4",
        )?;
        read_changes(statement, feed, range, changes, |row| {
            let event = Changed {
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
            "SELECT overlay.changed_rev, event.id, overlay.status, overlay.updated_at, \
             overlay.deleted, {} FROM overlay \
             JOIN event ON event.feed = ?5 AND event.created_rev = overlay.system_rev \
             WHERE overlay.feed = ?1 AND overlay.changed_rev > ?2 AND overlay.changed_rev <= ?3 \
             ORDER BY overlay.changed_rev LIMIT ?4",
            has_twin(1, "event.id")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.raw_bind_parameter(5, viewer.system_feed())?;
        read_changes(statement, feed, range, changes, |row| {
            let event = Changed {
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

/// Joins neighbours that say the same about different events.
fn join(changes: Vec<(Rev, ReplayRow)>) -> Vec<(Rev, ReplayItem)> {
    let mut joined: Vec<(Rev, Joined)> = Vec::with_capacity(changes.len());
    for (rev, change) in changes {
        let next = match (joined.last_mut(), change) {
            (
                Some((last, Joined::Status(run, status, at))),
                ReplayRow::Status(event, same, since),
            ) if *status == same && *at == since && !run.is_full() => {
                run.push(&event);
                *last = rev;
                continue;
            }
            (Some((last, Joined::Deleted(run))), ReplayRow::Deleted(event)) if !run.is_full() => {
                run.push(&event);
                *last = rev;
                continue;
            }
            (_, ReplayRow::Created(json)) => Joined::Created(json),
            (_, ReplayRow::Status(event, status, at)) => {
                Joined::Status(Run::of(&event), status, at)
            }
            (_, ReplayRow::Deleted(event)) => Joined::Deleted(Run::of(&event)),
        };
        joined.push((rev, next));
    }
    let replayed = joined.into_iter().map(|(rev, joined)| (rev, joined.into()));
    replayed.collect()
}

impl From<Joined> for ReplayItem {
    fn from(joined: Joined) -> Self {
        match joined {
            Joined::Created(json) => Self::Created(json),
            Joined::Status(run, status, at) => {
                let (ids, system_ids) = run.into_ids();
                Self::Status {
                    ids,
                    system_ids,
                    status,
                    at,
                }
            }
            Joined::Deleted(run) => {
                let (ids, system_ids) = run.into_ids();
                Self::Deleted { ids, system_ids }
            }
        }
    }
}
