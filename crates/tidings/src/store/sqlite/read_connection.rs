//! A connection that reads.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _};
use tidings_event::{OwnerId, SystemId};

use super::row::{SEEN_COLUMNS, event_json, overlay_join};
use crate::store::{Side, Target};

/// A connection that cannot write, and the installation whose events every owner sees.
#[derive(Debug)]
pub(crate) struct ReadConnection {
    pub(super) connection: Connection,
    pub(super) system: SystemId,
}

impl ReadConnection {
    /// The JSON of an event that `owner` sees. An id alone means their own event before the system's.
    pub(crate) fn event(&self, owner: OwnerId, target: Target) -> rusqlite::Result<Option<Bytes>> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let overlay = overlay_join(2, 3);
        let sql = format!(
            "SELECT {SEEN_COLUMNS} FROM event JOIN feed ON feed.key = event.feed {overlay} \
             WHERE event.id = ?1 AND event.feed IN (?4, ?5) AND coalesce(overlay.deleted, 0) = 0 \
             ORDER BY event.feed = ?3 LIMIT 1"
        );
        let (own, of_system) = (viewer.overlay_feed(), viewer.system_feed());
        let [first, second] = match target.side {
            Some(Side::Own) => [own; 2],
            Some(Side::System) => [of_system; 2],
            None => [own, of_system],
        };
        let id = target.id.as_uuid().as_bytes();
        let event = self
            .connection
            .prepare_cached(&sql)?
            .query_row((id, own, of_system, first, second), event_json)
            .optional()?;
        transaction.finish()?;
        Ok(event)
    }

    /// Whether the database answers.
    pub(crate) fn check(&self) -> rusqlite::Result<()> {
        self.connection
            .query_row("SELECT 1 FROM installation", [], |_| Ok(()))
    }
}
