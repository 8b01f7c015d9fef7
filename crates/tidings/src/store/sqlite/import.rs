//! Writes the rows of another store into a new one, which cannot be opened until it is complete.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Transaction, params};
use rusqlite_migration::Migrations;

use super::connection::{distrust, identity_of, is_unfinished, open};
use super::fault::OpenFault;
use super::migrations::{LISTING_VERSION, MIGRATIONS};
use super::recipients::OWN_CONTENT;
use super::row::uuid;
use super::unfinished_file::UnfinishedFile;
use super::upgrade::upgrade;
use super::volume::Volume;
use crate::store::kind::Kind;
use crate::store::moment::nanoseconds;
use crate::store::records::{
    AudienceRecord, ContentRecord, EndedRecord, EventRecord, FeedRecord, OverlayRecord, Record,
    RecordPosition, StoreHead, StoreState, TargetState, TombstoneRecord,
};

/// How far a move has got. The table is there until the move is complete.
const MARK: &str = "\
    CREATE TABLE unfinished_move (\
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), \
    feeds INTEGER NOT NULL, heads INTEGER NOT NULL, floors INTEGER NOT NULL, \
    deletions INTEGER NOT NULL, ended INTEGER NOT NULL, \
    part INTEGER NOT NULL, owner BLOB NOT NULL, rev INTEGER NOT NULL) STRICT";

/// The values of columns that later migrations add.
const KEPT: &str = "\
    CREATE TABLE IF NOT EXISTS kept_content (\
    event INTEGER PRIMARY KEY, content_rev INTEGER NOT NULL, sequence INTEGER) STRICT; \
    CREATE TABLE IF NOT EXISTS kept_expiry (\
    event INTEGER PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT; \
    CREATE TABLE IF NOT EXISTS kept_shared (\
    event INTEGER PRIMARY KEY, shared BLOB NOT NULL) STRICT";

/// The tables that a later migration adds, with its very texts.
fn recipients() -> &'static str {
    const MIGRATION: &str = include_str!("../../../migrations/sqlite/0011_recipients.sql");
    let after = MIGRATION.find("-- What the way down has kept");
    let tables = MIGRATION.find("-- `rows`:");
    match (tables, after) {
        (Some(first), Some(after)) => &MIGRATION[first..after],
        _ => unreachable!("the migration has these comments"),
    }
}

/// Creates a store at `database` that takes the rows of `source`. The file is there with all of this or not at
/// all. It has the schema of which the lists are filled later.
pub(super) fn create(
    volume: &Volume,
    database: &Path,
    source: &StoreHead,
) -> Result<(), OpenFault> {
    UnfinishedFile::remove_leftovers(database);
    let unfinished = UnfinishedFile::create(database).map_err(OpenFault::UnfinishedFile)?;
    {
        let mut connection =
            Connection::open_with_flags(unfinished.path(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        distrust(&connection)?;
        Migrations::from_slice(MIGRATIONS).to_version(&mut connection, LISTING_VERSION)?;
        let transaction = connection.transaction()?;
        transaction.execute_batch(MARK)?;
        let state = source.state;
        transaction.execute(
            "INSERT INTO unfinished_move VALUES (1, ?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)",
            params![
                state.feeds,
                state.heads,
                state.floors,
                state.deletions,
                state.ended,
                RecordPosition::BEGINNING.owner.as_bytes(),
                RecordPosition::BEGINNING.rev,
            ],
        )?;
        transaction.execute(
            "INSERT INTO installation (only_row, system_id, epoch) VALUES (1, ?1, ?2)",
            (
                source.identity.system.as_uuid().as_bytes(),
                source.identity.epoch.as_uuid().as_bytes(),
            ),
        )?;
        transaction.commit()?;
    }
    volume.adopt(unfinished.file());
    unfinished.replace().map_err(OpenFault::UnfinishedFile)
}

/// Opens such a store. Its commits need not be on disk each: a crash loses the last ones with their progress.
pub(super) fn open_unfinished(database: &Path) -> Result<Connection, OpenFault> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenFault::NoLog);
    }
    connection.pragma_update(None, "synchronous", "normal")?;
    // Later, the migrations have taken them in and dropped the tables.
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if usize::try_from(version) == Ok(LISTING_VERSION) {
        connection.execute_batch(KEPT)?;
        connection.execute_batch(recipients())?;
    }
    Ok(connection)
}

/// How far the move has got; `None` if no move has begun.
pub(super) fn progress(connection: &Connection) -> rusqlite::Result<Option<TargetState>> {
    if !is_unfinished(connection)? {
        return Ok(None);
    }
    let identity = identity_of(connection)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let state = connection.query_row(
        "SELECT feeds, heads, floors, deletions, ended, part, owner, rev FROM unfinished_move",
        [],
        |row| {
            Ok(TargetState::Unfinished {
                identity,
                state: StoreState {
                    feeds: row.get(0)?,
                    heads: row.get(1)?,
                    floors: row.get(2)?,
                    deletions: row.get(3)?,
                    ended: row.get(4)?,
                },
                part: row.get(5)?,
                place: RecordPosition {
                    owner: uuid(row, 6)?,
                    rev: row.get(7)?,
                },
            })
        },
    )?;
    Ok(Some(state))
}

/// Writes records of one part, and how far the move has got, in one transaction.
pub(super) fn write(
    connection: &mut Connection,
    records: &[Record],
    part: i16,
    place: RecordPosition,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for record in records {
        match record {
            Record::Feed(feed) => insert_feed(&transaction, feed)?,
            Record::Event(event) => insert_event(&transaction, event)?,
            Record::Tombstone(tombstone) => insert_tombstone(&transaction, tombstone)?,
            Record::Overlay(overlay) => insert_overlay(&transaction, overlay)?,
            Record::Ended(ended) => insert_ended(&transaction, ended)?,
            Record::Content(content) => insert_content(&transaction, content)?,
            Record::Audience(audience) => insert_audience(&transaction, audience)?,
        }
    }
    transaction
        .prepare_cached("UPDATE unfinished_move SET part = ?1, owner = ?2, rev = ?3")?
        .execute((part, place.owner.as_bytes(), place.rev))?;
    transaction.commit()
}

fn insert_feed(transaction: &Transaction<'_>, feed: &FeedRecord) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO feed (owner, head, floor, bytes, deletions, measured_rev, measure_to) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?2, ?2)",
        )?
        .execute((
            feed.owner.as_bytes(),
            feed.head,
            feed.floor,
            feed.bytes,
            feed.deletions,
        ))?;
    let key = transaction.last_insert_rowid();
    let mut count = transaction.prepare_cached(
        "INSERT INTO overlay_counter (feed, severity, read, deleted) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (number, (read, deleted)) in (0..).zip(feed.read.into_iter().zip(feed.deleted)) {
        if (read, deleted) != (0, 0) {
            count.execute((key, kind(2 * number).severity().as_str(), read, deleted))?;
        }
    }
    Ok(())
}

fn insert_event(transaction: &Transaction<'_>, event: &EventRecord) -> rusqlite::Result<()> {
    let kind = kind(event.kind);
    transaction
        .prepare_cached(
            "INSERT INTO event (feed, created_rev, changed_rev, id, digest, system_id, operation_id, \
             acted_upon, category, action, severity, status, created_at, updated_at, description, metadata) \
             SELECT key, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16 \
             FROM feed WHERE owner = ?1",
        )?
        .execute(params![
            event.owner.as_bytes(),
            event.created_rev,
            event.changed_rev,
            event.id.as_bytes(),
            event.digest,
            event.system_id.as_bytes(),
            event.operation_id.as_bytes(),
            event.acted_upon.as_bytes(),
            event.category,
            event.action,
            kind.severity().as_str(),
            kind.status().as_str(),
            event.created_at,
            event.updated_at,
            event.description,
            event.metadata,
        ])?;
    let key = transaction.last_insert_rowid();
    if let Some(content_rev) = event.content_rev {
        transaction
            .prepare_cached(
                "INSERT INTO kept_content (event, content_rev, sequence) VALUES (?1, ?2, ?3)",
            )?
            .execute((key, content_rev, event.sequence))?;
    }
    if let Some(expires_at) = event.expires_at {
        transaction
            .prepare_cached("INSERT INTO kept_expiry (event, expires_at) VALUES (?1, ?2)")?
            .execute((key, expires_at))?;
    }
    if let Some(shared) = event.shared {
        let key_of_shared = (!shared.is_nil()).then_some(shared.as_bytes());
        transaction
            .prepare_cached("INSERT INTO kept_shared (event, shared) VALUES (?1, ?2)")?
            .execute((key, key_of_shared.map_or(OWN_CONTENT, |key| &key[..])))?;
    }
    if let Some(aged_from) = event.aged_from {
        transaction
            .prepare_cached(
                "INSERT INTO misdated (id, feed, aged_from) SELECT ?2, key, ?3 FROM feed WHERE owner = ?1",
            )?
            .execute((event.owner.as_bytes(), event.id.as_bytes(), aged_from))?;
    }
    Ok(())
}

fn insert_tombstone(
    transaction: &Transaction<'_>,
    tombstone: &TombstoneRecord,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO tombstone (feed, id, created_rev, deleted_rev, digest, created_at, deleted_at) \
             SELECT key, ?2, ?3, ?4, ?5, ?6, ?7 FROM feed WHERE owner = ?1",
        )?
        .execute((
            tombstone.owner.as_bytes(),
            tombstone.id.as_bytes(),
            tombstone.created_rev,
            tombstone.deleted_rev,
            &tombstone.digest,
            tombstone.created_at,
            tombstone.deleted_at,
        ))?;
    Ok(())
}

fn insert_overlay(transaction: &Transaction<'_>, overlay: &OverlayRecord) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO overlay (feed, system_rev, changed_rev, status, deleted, updated_at) \
             SELECT key, ?2, ?3, ?4, ?5, ?6 FROM feed WHERE owner = ?1",
        )?
        .execute((
            overlay.owner.as_bytes(),
            overlay.system_rev,
            overlay.changed_rev,
            kind(overlay.kind).status().as_str(),
            overlay.deleted,
            overlay.updated_at,
        ))?;
    Ok(())
}

fn insert_ended(transaction: &Transaction<'_>, ended: &EndedRecord) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO ended (system_rev, severity) VALUES (?1, ?2)")?
        .execute((
            ended.system_rev,
            kind(2 * ended.severity).severity().as_str(),
        ))?;
    Ok(())
}

fn insert_content(transaction: &Transaction<'_>, content: &ContentRecord) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO shared_content (key, description, metadata, rows) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            content.key.as_bytes(),
            content.description,
            content.metadata,
            content.rows,
        ])?;
    Ok(())
}

fn insert_audience(
    transaction: &Transaction<'_>,
    audience: &AudienceRecord,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO audience (key, id, system_id, content, digest, created_at, severity, sequence, \
             retracted_at, members) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            audience.key.as_bytes(),
            audience.id.as_bytes(),
            audience.system_id.as_bytes(),
            audience.content.as_ref().map(|key| key.as_bytes()),
            audience.digest,
            audience.created_at,
            kind(2 * audience.severity).severity().as_str(),
            audience.sequence,
            audience.retracted_at,
            audience.members,
        ])?;
    Ok(())
}

fn kind(number: u8) -> Kind {
    Kind::from_number(number).expect("the reader has checked it")
}

/// Makes the lists and counts of all rows, in steps that a later call continues.
pub(super) fn settle(connection: &mut Connection) -> Result<(), OpenFault> {
    upgrade(connection)
}

/// Lets servers open the store, from now on or not at all.
pub(super) fn finish(connection: &mut Connection, source: &StoreHead) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "full")?;
    let transaction = connection.transaction()?;
    if let Some(at) = source.last_use {
        transaction.execute(
            "INSERT INTO last_use (only_row, at) VALUES (1, ?1)",
            [nanoseconds(at)],
        )?;
    }
    transaction.execute_batch("DROP TABLE unfinished_move")?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_that_goes_on_after_its_migrations_leaves_no_table_behind() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("moved.db");
        let mut created = Connection::open(&database).unwrap();
        let migrations = Migrations::from_slice(MIGRATIONS);
        migrations
            .to_version(&mut created, LISTING_VERSION)
            .unwrap();
        drop(created);
        let tables = |connection: &Connection| {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'kept_%'";
            connection
                .query_row(sql, [], |row| row.get::<_, u32>(0))
                .unwrap()
        };
        for expected in [3, 0] {
            let mut opened = open_unfinished(&database).unwrap();
            assert_eq!(tables(&opened), expected);
            settle(&mut opened).unwrap();
            assert_eq!(tables(&opened), 0);
        }
    }
}
