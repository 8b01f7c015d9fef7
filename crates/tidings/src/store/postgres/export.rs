//! Reads the rows of a store, for moving it.

use tokio_postgres::types::FromSql;
use tokio_postgres::{Client, Row};

use super::pool::Connection;
use super::read_fault::ReadFault;
use crate::store::records::{
    AudienceRecord, ContentRecord, EndedRecord, EventRecord, FeedRecord, OverlayRecord, Part,
    RECORDS_AT_A_TIME, Record, RecordPosition, TombstoneRecord,
};

const FEEDS: &str = "\
    SELECT owner, head, floor, bytes, deletions, counts, overlay_read, overlay_deleted FROM feed \
    WHERE (owner, 0::bigint) > ($1, $2) AND owner >= $1 ORDER BY owner LIMIT $3";

const EVENTS: &str = "\
    SELECT owner, id, created_rev, changed_rev, (severity * 2 + status)::smallint, created_at, updated_at, \
    aged_from, system_id, operation_id, acted_upon, category, action, description, metadata, digest, \
    content_rev, sequence, expires_at, shared FROM event WHERE (owner, created_rev) > ($1, $2) ORDER BY owner, created_rev LIMIT $3";

const TOMBSTONES: &str = "\
    SELECT owner, id, created_rev, deleted_rev, digest, created_at, deleted_at FROM tombstone \
    WHERE (owner, deleted_rev) > ($1, $2) ORDER BY owner, deleted_rev LIMIT $3";

const OVERLAYS: &str = "\
    SELECT owner, system_rev, changed_rev, (severity * 2 + status)::smallint, deleted, updated_at \
    FROM overlay WHERE (owner, system_rev) > ($1, $2) ORDER BY owner, system_rev LIMIT $3";

/// Only those that have overlays: the others are kept for a minute for other nodes.
const ENDED: &str = "\
    SELECT owner, system_rev, severity FROM ended WHERE (owner, system_rev) > ($1, $2) \
    AND EXISTS (SELECT 1 FROM overlay WHERE overlay.system_rev = ended.system_rev) \
    ORDER BY owner, system_rev LIMIT $3";

const CONTENTS: &str = "\
    SELECT key, description, metadata, rows FROM shared_content \
    WHERE (key, 0::bigint) > ($1, $2) AND key >= $1 ORDER BY key LIMIT $3";

const AUDIENCES: &str = "\
    SELECT key, id, system_id, content, digest, created_at, severity, sequence, retracted_at, members \
    FROM audience WHERE (key, 0::bigint) > ($1, $2) AND key >= $1 ORDER BY key LIMIT $3";

/// Reads a row.
type RowParser = fn(&Row) -> Result<Record, ReadFault>;

/// The next records of a part; none after the last.
pub(super) async fn page(
    connection: &Connection,
    part: Part,
    after: RecordPosition,
) -> Result<Vec<Record>, ReadFault> {
    let (sql, read): (_, RowParser) = match part {
        Part::Feeds => (FEEDS, feed),
        Part::Events => (EVENTS, event),
        Part::Tombstones => (TOMBSTONES, tombstone),
        Part::Overlays => (OVERLAYS, overlay),
        Part::Ended => (ENDED, ended),
        Part::Contents => (CONTENTS, content),
        Part::Audiences => (AUDIENCES, audience),
    };
    let statement = connection.prepared(sql).await?;
    let limit = i64::try_from(RECORDS_AT_A_TIME).unwrap_or(i64::MAX);
    let client: &Client = connection;
    let rows = client
        .query(&statement, &[&after.owner, &after.rev, &limit])
        .await?;
    rows.iter().map(read).collect()
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, ReadFault> {
    Ok(row.try_get(index)?)
}

fn feed(row: &Row) -> Result<Record, ReadFault> {
    Ok(Record::Feed(Box::new(FeedRecord {
        owner: get(row, 0)?,
        head: get(row, 1)?,
        floor: get(row, 2)?,
        bytes: get(row, 3)?,
        deletions: get(row, 4)?,
        counts: counters(row, 5)?,
        read: counters(row, 6)?,
        deleted: counters(row, 7)?,
    })))
}

fn counters<const N: usize>(row: &Row, index: usize) -> Result<[i64; N], ReadFault> {
    let counters: Vec<i64> = get(row, index)?;
    let number = counters.len();
    let counters = counters.try_into();
    counters.map_err(|_| ReadFault::unreadable("counters", number))
}

/// A number below `end`.
fn small(row: &Row, index: usize, end: i16) -> Result<u8, ReadFault> {
    let number: i16 = get(row, index)?;
    let small = u8::try_from(number).ok().filter(|_| number < end);
    small.ok_or_else(|| ReadFault::unreadable("severity or status", number))
}

fn event(row: &Row) -> Result<Record, ReadFault> {
    Ok(Record::Event(Box::new(EventRecord {
        owner: get(row, 0)?,
        id: get(row, 1)?,
        created_rev: get(row, 2)?,
        changed_rev: get(row, 3)?,
        kind: small(row, 4, 16)?,
        created_at: get(row, 5)?,
        updated_at: get(row, 6)?,
        aged_from: get(row, 7)?,
        system_id: get(row, 8)?,
        operation_id: get(row, 9)?,
        acted_upon: get(row, 10)?,
        category: get(row, 11)?,
        action: get(row, 12)?,
        description: get(row, 13)?,
        metadata: get(row, 14)?,
        digest: get(row, 15)?,
        content_rev: get(row, 16)?,
        sequence: get(row, 17)?,
        expires_at: get(row, 18)?,
        shared: get(row, 19)?,
    })))
}

fn tombstone(row: &Row) -> Result<Record, ReadFault> {
    Ok(Record::Tombstone(TombstoneRecord {
        owner: get(row, 0)?,
        id: get(row, 1)?,
        created_rev: get(row, 2)?,
        deleted_rev: get(row, 3)?,
        digest: get(row, 4)?,
        created_at: get(row, 5)?,
        deleted_at: get(row, 6)?,
    }))
}

fn overlay(row: &Row) -> Result<Record, ReadFault> {
    Ok(Record::Overlay(OverlayRecord {
        owner: get(row, 0)?,
        system_rev: get(row, 1)?,
        changed_rev: get(row, 2)?,
        kind: small(row, 3, 16)?,
        deleted: get(row, 4)?,
        updated_at: get(row, 5)?,
    }))
}

fn ended(row: &Row) -> Result<Record, ReadFault> {
    Ok(Record::Ended(EndedRecord {
        owner: get(row, 0)?,
        system_rev: get(row, 1)?,
        severity: small(row, 2, 8)?,
    }))
}

fn content(row: &Row) -> Result<Record, ReadFault> {
    Ok(Record::Content(Box::new(ContentRecord {
        key: get(row, 0)?,
        description: get(row, 1)?,
        metadata: get(row, 2)?,
        rows: get(row, 3)?,
    })))
}

fn audience(row: &Row) -> Result<Record, ReadFault> {
    Ok(Record::Audience(Box::new(AudienceRecord {
        key: get(row, 0)?,
        id: get(row, 1)?,
        system_id: get(row, 2)?,
        content: get(row, 3)?,
        digest: get(row, 4)?,
        created_at: get(row, 5)?,
        severity: small(row, 6, 8)?,
        sequence: get(row, 7)?,
        retracted_at: get(row, 8)?,
        members: get(row, 9)?,
    })))
}
