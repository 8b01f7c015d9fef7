//! Finds the events whose publishers' time for their deletion has come.

use tidings_event::{EventId, OwnerId, Timestamp};

use super::read_connection::ReadConnection;
use super::row::uuid;
use crate::store::due::{DueEvents, EVENTS_AT_A_TIME};
use crate::store::moment::nanoseconds;

impl ReadConnection {
    /// The first events that expire until `now`.
    pub(crate) fn due(&self, now: Timestamp) -> rusqlite::Result<DueEvents> {
        let mut select = self.connection.prepare_cached(
            "SELECT feed.owner, event.id FROM event INDEXED BY event_by_expiry \
             CROSS JOIN feed ON feed.key = event.feed \
             WHERE event.expires_at <= ?1 ORDER BY event.expires_at LIMIT ?2",
        )?;
        let limit = i64::try_from(EVENTS_AT_A_TIME).unwrap_or(i64::MAX);
        let mut rows = select.query((nanoseconds(now), limit))?;
        let mut events = DueEvents::default();
        while let Some(row) = rows.next()? {
            let owner = OwnerId::from(uuid(row, 0)?);
            events.add(owner, EventId::from(uuid(row, 1)?));
        }
        Ok(events)
    }
}
