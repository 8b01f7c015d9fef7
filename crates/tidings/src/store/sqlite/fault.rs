//! Classifies the errors of SQLite and of the file system as failures of the store.

use std::io;

use rusqlite::{ErrorCode, ffi};
use rusqlite_migration::MigrationDefinitionError;

use crate::store::StoreError;

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenFault {
    /// SQLite reported an error.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The schema could not be upgraded.
    #[error("could not bring the schema up to date")]
    Migration(#[source] rusqlite_migration::Error),
    /// A newer version wrote the schema.
    #[error("it was written by a newer Tidings; use that one")]
    Newer,
    /// A move into it has begun and not ended.
    #[error(
        "tidings move has not finished: run it again with the same --from and --to, or empty the directory"
    )]
    UnfinishedMove,
    /// The file of a new store could not be made.
    #[cfg(feature = "postgres")]
    #[error("could not create the store")]
    UnfinishedFile(#[source] io::Error),
    /// The file system cannot share memory between connections, which the write-ahead log needs
    /// (<https://www.sqlite.org/wal.html>).
    #[error("its file system does not support a write-ahead log; use a local file system")]
    NoLog,
    /// A thread could not be started.
    #[error("could not start the writer thread")]
    Thread(#[source] std::io::Error),
}

impl From<rusqlite_migration::Error> for OpenFault {
    fn from(error: rusqlite_migration::Error) -> Self {
        match error {
            rusqlite_migration::Error::MigrationDefinition(
                MigrationDefinitionError::DatabaseTooFarAhead,
            ) => Self::Newer,
            other => Self::Migration(other),
        }
    }
}

/// A value in the database that no version of Tidings has written.
#[derive(Debug, thiserror::Error)]
#[error("unreadable {column} in the database: {value}")]
pub(crate) struct UnreadableColumn {
    /// The column.
    pub(crate) column: &'static str,
    /// Its value, shortened.
    pub(crate) value: String,
}

/// Whether SQLite had no space for a write: in its files, or in the index of its log.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || matches!(
            code,
            Some(ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_SHMMAP | ffi::SQLITE_IOERR_WRITE)
        )
}

/// The only function that classifies SQLite's error codes.
pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    let code = match &error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => {
            return StoreError::Corrupt(error.into());
        }
        other => other.sqlite_error_code(),
    };
    match code {
        _ if is_full(&error) => StoreError::Full(error.into()),
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OutOfMemory,
        ) => StoreError::Unavailable(error.into()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt(error.into())
        }
        _ => StoreError::Internal(error.into()),
    }
}

/// Classifies an error of the file system.
pub(crate) fn io_error(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full(error.into()),
        _ => StoreError::Unavailable(error.into()),
    }
}
