//! The file of a store as it is found: whether it is one, and whether it is whole.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags, Row};
use tidings_event::SystemId;
use uuid::Uuid;

use super::audit;
use super::backup_error::{BackupError, not_a_store};
use super::connection::distrust;
use super::data_files::DATABASE;
use super::fault::is_full;
use super::migrations::SCHEMA_VERSION;
use super::schema;

/// The contents of a store in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreSummary {
    /// The installation.
    pub system: SystemId,
    /// How many events it holds.
    pub events: u64,
    /// How many owners have a feed, the system among them.
    pub feeds: u64,
}

/// Why a file is not a usable store.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("it is not an SQLite database")]
    NoDatabase,
    #[error("it does not have the schema of Tidings")]
    NoSchema,
    #[error("SQLite reports that it is damaged: {0}")]
    Damaged(String),
    #[error("its schema differs from that of Tidings: {0}")]
    ForeignSchema(String),
}

/// Lists how the schema of the store in `data_dir` differs from the one that Tidings makes, as sentences.
/// An intact store has no differences. A server can run there meanwhile. Blocks.
///
/// # Errors
///
/// If there is no store or it cannot be read.
pub fn schema_differences(data_dir: &Path) -> Result<Vec<String>, BackupError> {
    let database = data_dir.join(DATABASE);
    if !fs::metadata(&database).is_ok_and(|file| file.len() > 0) {
        return Err(BackupError::NoStore(data_dir.to_owned()));
    }
    let connection = open_to_look(&database).map_err(|error| not_a_store(&database, error))?;
    let version = check_version(&connection, &database)?;
    let differences =
        schema::differences(&connection, version).map_err(|error| not_a_store(&database, error))?;
    Ok(differences.iter().map(ToString::to_string).collect())
}

pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open_shared(path)?;
    // Other faults appear when it is read.
    match probe(&connection) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            // On a read-only file system, SQLite cannot create a log.
            Ok(audit::open(path).unwrap_or(connection))
        }
        Err(error) if is_full(&error) => {
            let connection = open_shared(path)?;
            // No server has it open, and there is no space for the file by which connections share the
            // log's index. A connection that is alone keeps the index in memory.
            connection.pragma_update(None, "locking_mode", "exclusive")?;
            Ok(connection)
        }
        _ => Ok(connection),
    }
}

/// As [`open`], but leaves all files unchanged if possible: the last connection that may write would move
/// the rest of a log into the database.
fn open_to_look(path: &Path) -> rusqlite::Result<Connection> {
    match audit::open(path) {
        Ok(connection) if probe(&connection).is_ok() => Ok(connection),
        _ => open(path),
    }
}

/// Whether the database can be read.
fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_query_value(None, "schema_version", |_| Ok(()))
}

fn open_shared(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    distrust(&connection)?;
    Ok(connection)
}

/// The version of the schema, if it is a schema of Tidings.
pub(super) fn check_version(connection: &Connection, path: &Path) -> Result<usize, BackupError> {
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| not_a_store(path, error))?;
    match usize::try_from(version).unwrap_or(usize::MAX) {
        0 => Err(not_a_store(path, Unfit::NoSchema)),
        version @ 1..=SCHEMA_VERSION => Ok(version),
        _ => Err(BackupError::Newer(path.to_owned())),
    }
}

/// Reads and checks a whole store.
pub(super) fn judge(path: &Path) -> Result<StoreSummary, BackupError> {
    let unfit = |error| not_a_store(path, error);
    let connection = open(path).map_err(|error| not_a_store(path, error))?;
    let version = check_version(&connection, path)?;
    // First, so that the other checks use nothing of a foreign schema.
    let differences =
        schema::differences(&connection, version).map_err(|error| not_a_store(path, error))?;
    if !differences.is_empty() {
        let texts: Vec<_> = differences.iter().map(ToString::to_string).collect();
        return Err(unfit(Unfit::ForeignSchema(texts.join(", "))));
    }
    // An index that does not fit its table would show events under other owners than a scan does.
    let verdict: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .map_err(|error| not_a_store(path, error))?;
    if verdict != "ok" {
        return Err(unfit(Unfit::Damaged(verdict)));
    }
    connection
        .query_row(
            "SELECT system_id, (SELECT count(*) FROM event), (SELECT count(*) FROM feed) \
             FROM installation",
            [],
            |row| {
                Ok(StoreSummary {
                    system: SystemId::from_uuid(Uuid::from_bytes(row.get(0)?)),
                    events: count(row, 1)?,
                    feeds: count(row, 2)?,
                })
            },
        )
        .map_err(|error| not_a_store(path, error))
}

fn count(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(index)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number))
}
