//! Checkpoints that the store asks for: they write the log into the database.

use std::time::Duration;

use rusqlite::Connection;

use super::connection::BUSY_TIMEOUT;

/// How long the writer waits for reads to release the log if there is little space.
const CHECKPOINT_WAIT: Duration = Duration::from_secs(2);

/// Writes the log into the database and restarts it within its file.
pub(super) const RESTART_LOG: &str = "PRAGMA wal_checkpoint(RESTART)";

/// Writes the log into the database and truncates it to nothing.
const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Empties the log, if reads let it.
pub(super) fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    checkpoint(connection, EMPTY_LOG, CHECKPOINT_WAIT).map(drop)
}

/// Restarts the log, if reads let it.
pub(super) fn restart_log(connection: &Connection) -> rusqlite::Result<()> {
    checkpoint(connection, RESTART_LOG, CHECKPOINT_WAIT).map(drop)
}

/// Returns whether it succeeded. If reads hold the log for longer than `wait`, it stays as it is.
pub(super) fn checkpoint(
    connection: &Connection,
    sql: &str,
    wait: Duration,
) -> rusqlite::Result<bool> {
    connection.busy_timeout(wait)?;
    let is_busy = connection.query_row(sql, [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(!is_busy?)
}
