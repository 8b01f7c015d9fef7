//! A piece of a replay: created events and their changes, merged by rev.

use tidings_event::{Rev, Status};
use tokio_postgres::Row;

use super::query::Query;
use super::read_fault::ReadFault;
use super::read_transaction::ReadTransaction;
use super::row::{
    EVENT_COLUMN_COUNT, SEEN_COLUMNS, event_json, id, moment, overlay_join, rev, rev_to_sql,
    status, stored_bytes,
};
use super::viewer::{SeenFeed, Viewer};
use crate::store::replayed::{
    REPLAY_PAGE_BYTES, REPLAY_PAGE_CHANGES, ReplayRow, ReplayedEvent, page,
};
use crate::store::{ReplayPage, RevRange, Side};

/// The most created events of one statement.
pub(super) const CREATED_AT_A_TIME: i64 = 128;

/// The events of a feed that were created in a range: `$1` is its owner, `$2` and `$3` the range. At most 128, and
/// only as many as fill a page, so that large events are not read in vain. The column `number` is their number without
/// the limit of the page.
pub(super) fn created_sql(columns: &str, joins: &str) -> String {
    events_sql("created_rev", columns, joins)
}

/// The events of a feed whose content was replaced in a range, like [`created_sql`].
pub(super) fn updated_sql(columns: &str, joins: &str) -> String {
    events_sql("content_rev", columns, joins)
}

/// The events whose `rev` is in a range.
fn events_sql(rev: &str, columns: &str, joins: &str) -> String {
    let bytes = stored_bytes!();
    format!(
        "SELECT {columns}, event.number FROM (SELECT *, count(*) OVER () AS number, \
         sum(128 + {bytes}) \
         OVER (ORDER BY {rev} ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW) AS before \
         FROM (SELECT * FROM event WHERE owner = $1 AND {rev} > $2 AND {rev} <= $3 \
         ORDER BY {rev} LIMIT {CREATED_AT_A_TIME}) AS event) AS event {joins} \
         WHERE coalesce(event.before, 0) < {REPLAY_PAGE_BYTES} \
         ORDER BY event.{rev}"
    )
}

/// Whether the feed of `${feed}` has, or had, an event with the id in `column`. A deleted one counts, since a
/// reader that has not got that far still holds it.
fn has_twin(feed: usize, column: &str) -> String {
    format!(
        "(EXISTS (SELECT 1 FROM event AS twin WHERE twin.owner = ${feed} AND twin.id = {column}) \
         OR EXISTS (SELECT 1 FROM tombstone AS twin \
                    WHERE twin.owner = ${feed} AND twin.id = {column}))"
    )
}

/// The next piece of a replay of one of the feeds that the viewer sees.
pub(super) async fn replay(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    side: Side,
    mut range: RevRange,
) -> Result<ReplayPage, ReadFault> {
    let Some(feed) = viewer.feed(side) else {
        return Ok(page(Vec::new(), range.up_to, Rev::ZERO));
    };
    // Each part ends the page where it has read enough, so that the next parts read no further.
    let mut changes = Vec::new();
    range.up_to = created(reading, viewer, feed, range, &mut changes).await?;
    range.up_to = updated(reading, viewer, feed, range, &mut changes).await?;
    range.up_to = deleted(reading, viewer, (feed, side), range, &mut changes).await?;
    if side == Side::Own {
        range.up_to = status_changes(reading, feed, range, &mut changes).await?;
        range.up_to = overlays(reading, feed, range, &mut changes).await?;
    }
    Ok(page(changes, range.up_to, feed.bounds.floor))
}

/// The events as the viewer sees them now, without those of the system that the viewer deleted.
async fn created(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    feed: &SeenFeed,
    range: RevRange,
    changes: &mut Vec<(Rev, ReplayRow)>,
) -> Result<Rev, ReadFault> {
    // Events that the viewer deleted come along, because they count among those that were read.
    let columns = format!("{SEEN_COLUMNS}, coalesce(overlay.deleted, false)");
    let sql = created_sql(&columns, &overlay_join(4, 5));
    let (mut after, mut bytes) = (range.after, 0);
    loop {
        let query = in_range(&sql, feed, RevRange { after, ..range })
            .with(*viewer.owner.as_uuid())
            .with(*reading.system().as_uuid());
        let rows = reading.rows(query).await?;
        for row in &rows {
            after = rev(row, 0)?;
            if row.try_get(EVENT_COLUMN_COUNT)? {
                continue;
            }
            let json = event_json(row)?;
            bytes += json.len();
            changes.push((after, ReplayRow::Created(json)));
            if bytes >= REPLAY_PAGE_BYTES {
                return Ok(after);
            }
        }
        if is_all(&rows, EVENT_COLUMN_COUNT + 1)? {
            return Ok(range.up_to);
        }
    }
}

/// The events with new content, as the viewer sees them now, without those that come as created or that the viewer
/// deleted.
async fn updated(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    feed: &SeenFeed,
    range: RevRange,
    changes: &mut Vec<(Rev, ReplayRow)>,
) -> Result<Rev, ReadFault> {
    let columns = format!("{SEEN_COLUMNS}, coalesce(overlay.deleted, false), event.content_rev");
    let sql = updated_sql(&columns, &overlay_join(4, 5));
    let query = in_range(&sql, feed, range)
        .with(*viewer.owner.as_uuid())
        .with(*reading.system().as_uuid());
    let rows = reading.rows(query).await?;
    let mut last = range.after;
    for row in &rows {
        last = rev(row, EVENT_COLUMN_COUNT + 1)?;
        let is_created = rev(row, 0)? > range.after;
        if !is_created && !row.try_get::<_, bool>(EVENT_COLUMN_COUNT)? {
            changes.push((last, ReplayRow::Updated(event_json(row)?)));
        }
    }
    Ok(match is_all(&rows, EVENT_COLUMN_COUNT + 2)? {
        true => range.up_to,
        false => last,
    })
}

/// Whether these rows of [`events_sql`] are all in their range. The column `number` has this index.
pub(super) fn is_all(rows: &[Row], number: usize) -> Result<bool, ReadFault> {
    let there: i64 = match rows.last() {
        Some(last) => last.try_get(number)?,
        None => return Ok(true),
    };
    Ok(there < CREATED_AT_A_TIME && rows.len() as u64 == there.unsigned_abs())
}

async fn deleted(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    (feed, side): (&SeenFeed, Side),
    range: RevRange,
    changes: &mut Vec<(Rev, ReplayRow)>,
) -> Result<Rev, ReadFault> {
    let sql = format!(
        "SELECT deleted_rev, id, {} FROM tombstone \
         WHERE owner = $1 AND deleted_rev > $2 AND deleted_rev <= $3 \
         ORDER BY deleted_rev LIMIT {REPLAY_PAGE_CHANGES}",
        has_twin(4, "tombstone.id")
    );
    let other_feed = match side {
        Side::System => viewer.owner,
        Side::Own => reading.system(),
    };
    let query = in_range(&sql, feed, range).with(*other_feed.as_uuid());
    read_changes(reading, query, range, changes, |row| {
        // The system has no other feed.
        let has_twin = other_feed != feed.owner && row.try_get(2)?;
        Ok(ReplayRow::Deleted(changed(row, side, has_twin)?))
    })
    .await
}

/// A reader always has the event of such a change, so an id alone names it.
async fn status_changes(
    reading: &ReadTransaction<'_>,
    feed: &SeenFeed,
    range: RevRange,
    changes: &mut Vec<(Rev, ReplayRow)>,
) -> Result<Rev, ReadFault> {
    let sql = format!(
        "SELECT changed_rev, id, status, updated_at FROM event \
         WHERE owner = $1 AND changed_rev > $2 AND changed_rev <= $3 \
         ORDER BY changed_rev LIMIT {REPLAY_PAGE_CHANGES}"
    );
    let query = in_range(&sql, feed, range);
    read_changes(reading, query, range, changes, |row| {
        let event = changed(row, Side::Own, false)?;
        Ok(ReplayRow::Status(event, status(row, 2)?, moment(row, 3)?))
    })
    .await
}

/// The changes of the feed's owner to system events.
async fn overlays(
    reading: &ReadTransaction<'_>,
    feed: &SeenFeed,
    range: RevRange,
    changes: &mut Vec<(Rev, ReplayRow)>,
) -> Result<Rev, ReadFault> {
    let sql = format!(
        "SELECT overlay.changed_rev, event.id, overlay.status, greatest(overlay.updated_at, event.updated_at), \
         overlay.deleted, {} FROM overlay \
         JOIN event ON event.owner = $4 AND event.created_rev = overlay.system_rev \
         WHERE overlay.owner = $1 AND overlay.changed_rev > $2 AND overlay.changed_rev <= $3 \
         ORDER BY overlay.changed_rev LIMIT {REPLAY_PAGE_CHANGES}",
        has_twin(1, "event.id")
    );
    let query = in_range(&sql, feed, range).with(*reading.system().as_uuid());
    read_changes(reading, query, range, changes, |row| {
        let event = changed(row, Side::System, row.try_get(5)?)?;
        let is_deleted = row.try_get(4)?;
        let status: Status = status(row, 2)?;
        Ok(match is_deleted {
            true => ReplayRow::Deleted(event),
            false => ReplayRow::Status(event, status, moment(row, 3)?),
        })
    })
    .await
}

fn changed(row: &Row, side: Side, has_twin: bool) -> Result<ReplayedEvent, ReadFault> {
    Ok(ReplayedEvent {
        id: id(row, 1)?,
        side,
        has_twin,
    })
}

/// A statement whose first three parameters are the feed and the range.
pub(super) fn in_range(sql: &str, feed: &SeenFeed, range: RevRange) -> Query {
    Query::new(sql)
        .with(*feed.owner.as_uuid())
        .with(rev_to_sql(range.after))
        .with(rev_to_sql(range.up_to))
}

/// Reads rows that begin with their rev. Returns the rev up to which all rows were read.
async fn read_changes(
    reading: &ReadTransaction<'_>,
    query: Query,
    range: RevRange,
    changes: &mut Vec<(Rev, ReplayRow)>,
    change: impl Fn(&Row) -> Result<ReplayRow, ReadFault>,
) -> Result<Rev, ReadFault> {
    let rows = reading.rows(query).await?;
    let mut last = range.after;
    for row in &rows {
        last = rev(row, 0)?;
        changes.push((last, change(row)?));
    }
    let is_full = rows.len() as u64 == u64::from(REPLAY_PAGE_CHANGES);
    Ok(if is_full { last } else { range.up_to })
}
