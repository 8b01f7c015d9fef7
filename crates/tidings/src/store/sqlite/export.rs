//! Reads the rows of a store, for moving it.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tidings_event::{Rev, Severity, Status};
use uuid::Uuid;

use super::connection::identity_of;
use super::counts_blob;
use super::created_events::{CreatedEvents, EventSelect};
use super::lists::List;
use super::measure::measure;
use super::recipients::OWN_CONTENT;
use super::row::{moment, uuid, word};
use super::viewer::SeenFeed;
use crate::store::kind::Kind;
use crate::store::records::{
    AudienceRecord, ContentRecord, EndedRecord, EventRecord, FeedRecord, OverlayRecord, Part,
    RECORDS_AT_A_TIME, Record, RecordPosition, StoreHead, StoreState, TombstoneRecord,
};

/// Measures the events that an older version stored, so that each feed has its bytes.
pub(super) fn measure_all(connection: &mut Connection) -> rusqlite::Result<()> {
    loop {
        let transaction = connection.transaction()?;
        let is_measured: bool = transaction.query_row(
            "SELECT NOT EXISTS (SELECT 1 FROM feed WHERE measured_rev < measure_to)",
            [],
            |row| row.get(0),
        )?;
        if is_measured {
            return Ok(());
        }
        measure(&transaction)?;
        transaction.commit()?;
    }
}

/// The store's description of itself.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<StoreHead> {
    let identity = identity_of(connection)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let last_use = connection
        .query_row("SELECT at FROM last_use", [], |row| moment(row, 0))
        .optional()?;
    let state = connection.query_row(
        "SELECT count(*), coalesce(sum(head), 0), coalesce(sum(floor), 0), \
         coalesce(sum(deletions), 0), (SELECT count(*) FROM ended) FROM feed",
        [],
        |row| {
            Ok(StoreState {
                feeds: row.get(0)?,
                heads: row.get(1)?,
                floors: row.get(2)?,
                deletions: row.get(3)?,
                ended: row.get(4)?,
            })
        },
    )?;
    let events: i64 = connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
    Ok(StoreHead {
        identity,
        last_use,
        events: events.unsigned_abs(),
        state,
    })
}

/// The next records of a part; none after the last.
pub(super) fn page(
    connection: &Connection,
    part: Part,
    after: RecordPosition,
) -> rusqlite::Result<Vec<Record>> {
    match part {
        Part::Feeds => feeds(connection, after),
        Part::Ended => ended(connection, after),
        Part::Contents => contents(connection, after),
        Part::Audiences => audiences(connection, after),
        Part::Events | Part::Tombstones | Part::Overlays => {
            let mut records = Vec::new();
            let mut after = after;
            // The rest of the feed of the last record, and then the feeds after it.
            let mut next = feed_from(connection, after.owner)?;
            while let Some(feed) = next {
                if feed.owner != after.owner {
                    after = RecordPosition {
                        owner: feed.owner,
                        rev: -1,
                    };
                }
                let read = match part {
                    Part::Events => events,
                    Part::Tombstones => tombstones,
                    Part::Overlays => overlays,
                    Part::Feeds | Part::Ended | Part::Contents | Part::Audiences => {
                        unreachable!("they are read above")
                    }
                };
                read(connection, &feed, after.rev, &mut records)?;
                if records.len() >= RECORDS_AT_A_TIME {
                    break;
                }
                next = feed_after(connection, feed.owner)?;
            }
            Ok(records)
        }
    }
}

/// A feed, and the row that leads to its events.
struct OwnedFeed {
    owner: Uuid,
    feed: SeenFeed,
}

fn feed_from(connection: &Connection, owner: Uuid) -> rusqlite::Result<Option<OwnedFeed>> {
    one_feed(connection, ">=", owner)
}

fn feed_after(connection: &Connection, owner: Uuid) -> rusqlite::Result<Option<OwnedFeed>> {
    one_feed(connection, ">", owner)
}

fn one_feed(
    connection: &Connection,
    comparison: &str,
    owner: Uuid,
) -> rusqlite::Result<Option<OwnedFeed>> {
    let sql = format!(
        "SELECT {}, owner FROM feed WHERE owner {comparison} ?1 ORDER BY owner LIMIT 1",
        SeenFeed::COLUMNS
    );
    connection
        .prepare_cached(&sql)?
        .query_row([owner.as_bytes()], |row| {
            Ok(OwnedFeed {
                feed: SeenFeed::read(row)?,
                owner: uuid(row, SeenFeed::COLUMN_COUNT)?,
            })
        })
        .optional()
}

fn feeds(connection: &Connection, after: RecordPosition) -> rusqlite::Result<Vec<Record>> {
    let is_first = after == RecordPosition::BEGINNING;
    let comparison = if is_first { ">=" } else { ">" };
    let sql = format!(
        "SELECT owner, head, floor, bytes, deletions, counts, key FROM feed \
         WHERE owner {comparison} ?1 ORDER BY owner LIMIT ?2"
    );
    let mut counters = connection
        .prepare_cached("SELECT severity, read, deleted FROM overlay_counter WHERE feed = ?1")?;
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(params![
        after.owner.as_bytes(),
        i64::try_from(RECORDS_AT_A_TIME).unwrap_or(i64::MAX)
    ])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let mut feed = FeedRecord {
            owner: uuid(row, 0)?,
            head: row.get(1)?,
            floor: row.get(2)?,
            bytes: row.get(3)?,
            deletions: row.get(4)?,
            ..FeedRecord::default()
        };
        let counts = counts_blob::read(row, 5)?;
        for (to, count) in feed.counts.iter_mut().zip(counts.by_number()) {
            *to = i64::try_from(*count).unwrap_or(i64::MAX);
        }
        let mut counted = counters.query([row.get::<_, i64>(6)?])?;
        while let Some(row) = counted.next()? {
            let severity = usize::from(severity_number(word(row, 0, "severity")?));
            feed.read[severity] = row.get(1)?;
            feed.deleted[severity] = row.get(2)?;
        }
        records.push(Record::Feed(Box::new(feed)));
    }
    Ok(records)
}

const EVENT_COLUMNS: &str = "event.id, event.created_rev, event.changed_rev, event.severity, \
     event.status, event.created_at, event.updated_at, event.system_id, event.operation_id, \
     event.acted_upon, event.category, event.action, event.description, event.metadata, event.digest, \
     (SELECT aged_from FROM misdated WHERE misdated.id = event.id AND misdated.feed = event.feed), \
     event.content_rev, event.sequence, event.expires_at, event.shared";

fn events(
    connection: &Connection,
    feed: &OwnedFeed,
    after: i64,
    records: &mut Vec<Record>,
) -> rusqlite::Result<()> {
    let newest = feed.feed.newest()?;
    let events = CreatedEvents {
        feed: feed.feed.key,
        newest: &newest,
        after: Rev::new(after.max(0).unsigned_abs()),
        up_to: feed.feed.bounds.head,
    };
    let reading = EventSelect {
        columns: EVENT_COLUMNS,
        joins: "",
        conditions: "",
        values: &[],
    };
    events.read(connection, reading, |row| {
        records.push(Record::Event(Box::new(EventRecord {
            owner: feed.owner,
            id: uuid(row, 0)?,
            created_rev: row.get(1)?,
            changed_rev: row.get(2)?,
            kind: Kind::of(word(row, 3, "severity")?, word(row, 4, "status")?).number(),
            created_at: row.get(5)?,
            updated_at: row.get(6)?,
            system_id: uuid(row, 7)?,
            operation_id: uuid(row, 8)?,
            acted_upon: uuid(row, 9)?,
            category: row.get(10)?,
            action: row.get(11)?,
            description: row.get(12)?,
            metadata: row.get(13)?,
            digest: row.get(14)?,
            aged_from: row.get(15)?,
            content_rev: row.get(16)?,
            sequence: row.get(17)?,
            expires_at: row.get(18)?,
            shared: match row.get_ref(19)?.as_blob_or_null()? {
                None => None,
                Some(OWN_CONTENT) => Some(Uuid::nil()),
                Some(_) => Some(uuid(row, 19)?),
            },
        })));
        Ok(records.len() < RECORDS_AT_A_TIME)
    })
}

fn tombstones(
    connection: &Connection,
    feed: &OwnedFeed,
    after: i64,
    records: &mut Vec<Record>,
) -> rusqlite::Result<()> {
    let mut select = connection.prepare_cached(
        "SELECT id, created_rev, deleted_rev, digest, created_at, deleted_at \
         FROM tombstone INDEXED BY tombstone_by_rev \
         WHERE feed = ?1 AND deleted_rev > ?2 ORDER BY deleted_rev LIMIT ?3",
    )?;
    let mut rows = select.query((feed.feed.key, after, room(records)))?;
    while let Some(row) = rows.next()? {
        records.push(Record::Tombstone(TombstoneRecord {
            owner: feed.owner,
            id: uuid(row, 0)?,
            created_rev: row.get(1)?,
            deleted_rev: row.get(2)?,
            digest: row.get(3)?,
            created_at: row.get(4)?,
            deleted_at: row.get(5)?,
        }));
    }
    Ok(())
}

fn overlays(
    connection: &Connection,
    feed: &OwnedFeed,
    after: i64,
    records: &mut Vec<Record>,
) -> rusqlite::Result<()> {
    // All events of the system are listed. That of an overlay has a severity, here or among the ended.
    let sql = format!(
        "SELECT system_rev, changed_rev, status, deleted, updated_at, coalesce(\
         (SELECT event.severity FROM listed CROSS JOIN event ON event.key = listed.event \
          WHERE listed.feed = (SELECT key FROM feed WHERE owner = (SELECT system_id FROM installation)) \
          AND listed.list = {} AND listed.at = overlay.system_rev), \
         (SELECT severity FROM ended WHERE ended.system_rev = overlay.system_rev)) \
         FROM overlay WHERE feed = ?1 AND system_rev > ?2 ORDER BY system_rev LIMIT ?3",
        List::CREATED_REV.number()
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query((feed.feed.key, after, room(records)))?;
    while let Some(row) = rows.next()? {
        let status: Status = word(row, 2, "status")?;
        records.push(Record::Overlay(OverlayRecord {
            owner: feed.owner,
            system_rev: row.get(0)?,
            changed_rev: row.get(1)?,
            kind: Kind::of(word(row, 5, "severity")?, status).number(),
            deleted: row.get(3)?,
            updated_at: row.get(4)?,
        }));
    }
    Ok(())
}

fn ended(connection: &Connection, after: RecordPosition) -> rusqlite::Result<Vec<Record>> {
    let mut select = connection.prepare_cached(
        "SELECT system_rev, severity, (SELECT system_id FROM installation) FROM ended \
         WHERE system_rev > ?1 AND EXISTS (SELECT 1 FROM overlay INDEXED BY overlay_by_event \
         WHERE overlay.system_rev = ended.system_rev) ORDER BY system_rev LIMIT ?2",
    )?;
    let rows = select.query_map((after.rev, room(&[])), |row: &Row<'_>| {
        Ok(Record::Ended(EndedRecord {
            owner: uuid(row, 2)?,
            system_rev: row.get(0)?,
            severity: severity_number(word(row, 1, "severity")?),
        }))
    })?;
    rows.collect()
}

fn contents(connection: &Connection, after: RecordPosition) -> rusqlite::Result<Vec<Record>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT key, description, metadata, rows FROM shared_content \
         WHERE key {} ?1 ORDER BY key LIMIT ?2",
        after_key(after)
    ))?;
    let rows = select.query_map((after.owner.as_bytes(), room(&[])), |row: &Row<'_>| {
        Ok(Record::Content(Box::new(ContentRecord {
            key: uuid(row, 0)?,
            description: row.get(1)?,
            metadata: row.get(2)?,
            rows: row.get(3)?,
        })))
    })?;
    rows.collect()
}

fn audiences(connection: &Connection, after: RecordPosition) -> rusqlite::Result<Vec<Record>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT key, id, system_id, content, digest, created_at, severity, sequence, retracted_at, members \
         FROM audience WHERE key {} ?1 ORDER BY key LIMIT ?2",
        after_key(after)
    ))?;
    let rows = select.query_map((after.owner.as_bytes(), room(&[])), |row: &Row<'_>| {
        let content: Option<[u8; 16]> = row.get(3)?;
        Ok(Record::Audience(Box::new(AudienceRecord {
            key: uuid(row, 0)?,
            id: uuid(row, 1)?,
            system_id: uuid(row, 2)?,
            content: content.map(Uuid::from_bytes),
            digest: row.get(4)?,
            created_at: row.get(5)?,
            severity: severity_number(word(row, 6, "severity")?),
            sequence: row.get(7)?,
            retracted_at: row.get(8)?,
            members: row.get(9)?,
        })))
    })?;
    rows.collect()
}

fn after_key(after: RecordPosition) -> &'static str {
    match after == RecordPosition::BEGINNING {
        true => ">=",
        false => ">",
    }
}

fn room(records: &[Record]) -> i64 {
    i64::try_from(RECORDS_AT_A_TIME.saturating_sub(records.len())).unwrap_or(i64::MAX)
}

/// The number of a severity, which is a part of the number of a kind.
pub(super) fn severity_number(severity: Severity) -> u8 {
    Kind::of(severity, Status::Unread).number() / 2
}
