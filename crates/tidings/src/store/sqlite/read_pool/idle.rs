//! The connections that serve no read.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::ErrorCode;
use tidings_event::SystemId;

use crate::store::sqlite::connection::open_read_connection;
use crate::store::sqlite::read_connection::ReadConnection;

/// How many of SQLite's virtual instructions a read runs before it checks whether it is still wanted: some
/// tens of microseconds.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 10_000;

/// The connections of a pool that serve no read.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) database: PathBuf,
    pub(super) system: SystemId,
    pub(super) connections: Mutex<Vec<ReadConnection>>,
}

impl Idle {
    pub(super) fn read<T>(
        &self,
        query: impl Fn(&ReadConnection) -> rusqlite::Result<T>,
        is_unwanted: impl FnMut() -> bool + Send + 'static,
    ) -> rusqlite::Result<T> {
        let idle = self.connections().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let sqlite = &connection.connection;
        sqlite.progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(is_unwanted))?;
        let read = query(&connection);
        // A connection that failed is closed, in case the fault lies in it.
        if read.as_ref().is_ok() || read.as_ref().is_err_and(is_interrupted) {
            sqlite.progress_handler(0, None::<fn() -> bool>)?;
            if sqlite.is_autocommit() {
                self.put(connection);
            }
        }
        read
    }

    pub(super) fn connect(&self) -> rusqlite::Result<ReadConnection> {
        Ok(ReadConnection {
            connection: open_read_connection(&self.database)?,
            system: self.system,
        })
    }

    pub(super) fn put(&self, connection: ReadConnection) {
        self.connections().push(connection);
    }

    pub(super) fn take_all(&self) {
        self.connections().clear();
    }

    pub(super) fn connections(&self) -> MutexGuard<'_, Vec<ReadConnection>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a read was ended because it was unwanted.
pub(super) fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}
