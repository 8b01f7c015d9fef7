//! The trusted time at which the store was last used.

use rusqlite::{OptionalExtension as _, Transaction};
use tidings_event::Timestamp;

use super::read_connection::ReadConnection;
use super::row::moment;
use crate::store::moment::nanoseconds;

impl ReadConnection {
    /// The trusted time of the store's last use.
    pub(crate) fn last_use(&self) -> rusqlite::Result<Option<Timestamp>> {
        self.connection
            .prepare_cached("SELECT at FROM last_use")?
            .query_row([], |row| moment(row, 0))
            .optional()
    }
}

/// Stores the trusted time for the next start.
pub(super) fn note_use(transaction: &Transaction<'_>, at: Timestamp) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO last_use (only_row, at) VALUES (1, ?1) \
             ON CONFLICT (only_row) DO UPDATE SET at = excluded.at",
        )?
        .execute([nanoseconds(at)])?;
    Ok(())
}
