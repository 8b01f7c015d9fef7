//! Classifies the errors of PostgreSQL as failures of the store.

use std::io;
use std::path::PathBuf;

use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::WasNull;

use crate::store::StoreError;

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// No server could be reached, or it rejected.
    #[error("could not connect to PostgreSQL")]
    Server(#[from] tokio_postgres::Error),
    /// No server answered in time.
    #[error("PostgreSQL did not answer in time")]
    Silence,
    /// The file with the password cannot be read.
    #[error("could not read the password in {}", .path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// Commits would be acknowledged before they are on disk.
    #[error(
        "synchronous_commit is off, so that acknowledged events could be lost; set it to on for the \
         user or the database of Tidings"
    )]
    LossyCommit,
}

/// A value in the database that no version of Tidings has written.
#[derive(Debug, thiserror::Error)]
#[error("unreadable {column} in the database: {value}")]
pub(super) struct UnreadableColumn {
    /// The column.
    pub(super) column: &'static str,
    /// Its value, shortened.
    pub(super) value: String,
}

impl From<UnreadableColumn> for StoreError {
    fn from(error: UnreadableColumn) -> Self {
        Self::Corrupt(error.into())
    }
}

/// Whether the transaction of the failed statement can succeed if it is begun again.
pub(super) fn is_conflict(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        *code == SqlState::T_R_DEADLOCK_DETECTED || *code == SqlState::T_R_SERIALIZATION_FAILURE
    })
}

/// Whether the server answered at all, so that its transaction is certainly rolled back.
pub(super) fn is_response(error: &tokio_postgres::Error) -> bool {
    // An administrator's command, a crash or the end of the server ends the connection, too. A panic can come when the
    // commit is on disk already.
    error.as_db_error().is_some_and(|response| {
        let is_panic = response.parsed_severity() == Some(Severity::Panic);
        !is_panic && !response.code().code().starts_with("57P")
    })
}

/// The only function that classifies the errors of PostgreSQL.
pub(super) fn store_error(error: tokio_postgres::Error) -> StoreError {
    let Some(code) = error.code() else {
        let source = std::error::Error::source(&error);
        let is_unreadable = source.is_some_and(|source| source.is::<WasNull>());
        let is_connection =
            error.is_closed() || source.is_some_and(|source| source.is::<io::Error>());
        return match () {
            () if is_connection => StoreError::Unavailable(error.into()),
            () if is_unreadable => StoreError::Corrupt(error.into()),
            () => StoreError::Internal(error.into()),
        };
    };
    // The classes of https://www.postgresql.org/docs/current/errcodes-appendix.html.
    match (code.code().get(..2).unwrap_or_default(), code) {
        (_, code) if *code == SqlState::DISK_FULL => StoreError::Full(error.into()),
        // The server is a standby now.
        (_, code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
            StoreError::Unavailable(error.into())
        }
        // Connections, wrong credentials, conflicts, resources, locks, operators and the system.
        ("08" | "28" | "3D" | "40" | "53" | "55" | "57" | "58", _) => {
            StoreError::Unavailable(error.into())
        }
        ("XX", code) if *code != SqlState::INTERNAL_ERROR => StoreError::Corrupt(error.into()),
        _ => StoreError::Internal(error.into()),
    }
}

impl From<ConnectError> for StoreError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Server(error) => match store_error(error) {
                // Whatever the reason is, the next attempt can succeed.
                StoreError::Internal(source) => Self::Unavailable(source),
                other => other,
            },
            other @ (ConnectError::Silence
            | ConnectError::Password { .. }
            | ConnectError::LossyCommit) => Self::Unavailable(other.into()),
        }
    }
}
