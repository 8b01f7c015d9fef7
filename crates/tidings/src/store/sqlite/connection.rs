//! Opens the connections to the database: one that writes, several that read.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use tidings_event::SystemId;
use tidings_event::wire::Epoch;
use uuid::Uuid;

use super::fault::OpenFault;
use super::functions;
use super::upgrade::upgrade;
use crate::store::StoreIdentity;

/// The directory is locked, so only a person with a SQLite shell can cause a wait.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// More than the code has statements, so that each is parsed once per connection.
const CACHED_STATEMENTS: usize = 128;

/// Opens the connection that writes, upgrades the schema and reads the identity of the store. The connection
/// makes a checkpoint when its log has `log_pages`, and truncates the log's file to `log_bytes`.
pub(crate) fn open_writer(
    database: &Path,
    log_pages: u32,
    log_bytes: u64,
) -> Result<(Connection, StoreIdentity), OpenFault> {
    let mut connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenFault::NoLog);
    }
    // Every commit is on disk before it is acknowledged. `NORMAL` would lose the last commits in a loss
    // of power.
    connection.pragma_update(None, "synchronous", "full")?;
    let log_bytes = i64::try_from(log_bytes).unwrap_or(i64::MAX);
    connection.pragma_update(None, "journal_size_limit", log_bytes)?;
    connection.pragma_update(None, "wal_autocheckpoint", log_pages)?;
    if is_unfinished(&connection)? {
        return Err(OpenFault::UnfinishedMove);
    }
    upgrade(&mut connection)?;
    let identity = identity(&connection)?;
    Ok((connection, identity))
}

/// Whether a move into the store of `connection` has begun and not ended.
pub(super) fn is_unfinished(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'unfinished_move')",
        [],
        |row| row.get(0),
    )
}

/// Opens a connection that cannot write.
pub(crate) fn open_read_connection(database: &Path) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    functions::register(&connection)?;
    Ok(connection)
}

/// Opens a connection to a database that exists.
pub(super) fn open(database: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(database, flags)?;
    distrust(&connection)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // A sort must not need space on a disk that may be full.
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

/// Disables triggers, views and functions that a database brings along. The schema of Tidings has none
/// (<https://www.sqlite.org/security.html>).
pub(super) fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
    ] {
        connection.set_db_config(setting, on)?;
    }
    Ok(())
}

/// Reads the ids of the installation, if the store is not new.
pub(super) fn identity_of(connection: &Connection) -> rusqlite::Result<Option<StoreIdentity>> {
    connection
        .query_row("SELECT system_id, epoch FROM installation", [], |row| {
            Ok(StoreIdentity {
                system: SystemId::from_uuid(Uuid::from_bytes(row.get(0)?)),
                epoch: Epoch::from_uuid(Uuid::from_bytes(row.get(1)?)),
            })
        })
        .optional()
}

/// Reads the ids of the installation, or mints them for a new store.
fn identity(connection: &Connection) -> rusqlite::Result<StoreIdentity> {
    if let Some(known) = identity_of(connection)? {
        return Ok(known);
    }
    let identity = StoreIdentity {
        system: SystemId::mint(),
        epoch: Epoch::mint(),
    };
    connection.execute(
        "INSERT INTO installation (only_row, system_id, epoch) VALUES (1, ?1, ?2)",
        (
            identity.system.as_uuid().as_bytes(),
            identity.epoch.as_uuid().as_bytes(),
        ),
    )?;
    Ok(identity)
}
