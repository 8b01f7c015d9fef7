//! Opens connections to the database: one that writes, several that read.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use rusqlite_migration::M;
use tidings_event::SystemId;
use tidings_event::wire::Epoch;
use uuid::Uuid;

use super::fault::OpenFault;
use super::functions;
use super::upgrade::upgrade;
use crate::store::Identity;

/// In the order they are applied; SQLite's `user_version` counts them.
pub(super) const MIGRATIONS: &[M<'_>] = &[
    M::up(include_str!("../../../migrations/sqlite/0001_events.sql")),
    M::up(include_str!("../../../migrations/sqlite/0002_inbox.sql")),
    M::up(include_str!(
        "../../../migrations/sqlite/0003_search_again.sql"
    )),
    M::up(include_str!("../../../migrations/sqlite/0004_time.sql")),
    M::up(include_str!("../../../migrations/sqlite/0005_quota.sql")),
    M::up(include_str!(
        "../../../migrations/sqlite/0006_ids_by_owner.sql"
    )),
];

/// What `user_version` says of a database that is up to date.
pub(crate) const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// Only a person with a SQLite shell can make us wait: the directory is locked.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// More statements than there are in the code, so that none is parsed twice.
const CACHED_STATEMENTS: usize = 128;

/// Opens the one connection that writes, migrates the schema and reads who we are. The connection empties
/// its log when that has so many pages, and cuts the log's file back to so many bytes.
pub(crate) fn open_writer(
    database: &Path,
    log_pages: u32,
    log_bytes: u64,
) -> Result<(Connection, Identity), OpenFault> {
    let mut connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenFault::NoLog);
    }
    // Every commit is on disk before it is acknowledged. `NORMAL` would lose the last ones with
    // the power.
    connection.pragma_update(None, "synchronous", "full")?;
    let log_bytes = i64::try_from(log_bytes).unwrap_or(i64::MAX);
    connection.pragma_update(None, "journal_size_limit", log_bytes)?;
    connection.pragma_update(None, "wal_autocheckpoint", log_pages)?;
    upgrade(&mut connection)?;
    let identity = identity(&connection)?;
    Ok((connection, identity))
}

/// Opens a connection that cannot write.
pub(crate) fn open_reader(database: &Path) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    functions::register(&connection)?;
    Ok(connection)
}

fn open(database: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(database, flags)?;
    distrust(&connection)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // A sort must not need room on a disk that may be full.
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

/// Lets nothing run that a database brings along: our schema has no triggers, no views, and no
/// functions in expressions of its own (<https://www.sqlite.org/security.html>).
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

/// Reads the installation's ids, minting them the first time.
fn identity(connection: &Connection) -> rusqlite::Result<Identity> {
    let known = connection
        .query_row("SELECT system_id, epoch FROM installation", [], |row| {
            Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, [u8; 16]>(1)?))
        })
        .optional()?;
    if let Some((system, epoch)) = known {
        return Ok(Identity {
            system: SystemId::from_uuid(Uuid::from_bytes(system)),
            epoch: Epoch::from_uuid(Uuid::from_bytes(epoch)),
        });
    }
    let identity = Identity {
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
