//! Removes the users' overlays of deleted system events.

use rusqlite::{OptionalExtension as _, Transaction};
use tidings_event::{Severity, Status};

use super::overlay_counts::OverlayCounts;
use super::read_connection::ReadConnection;
use super::row::word;

/// The most overlays that are removed at a time: a commit of a few milliseconds.
const OVERLAYS_AT_A_TIME: u32 = 512;

impl ReadConnection {
    /// Whether there are overlays of deleted system events.
    pub(crate) fn has_ended_events(&self) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM ended)")?
            .query_row([], |row| row.get(0))
    }
}

/// Removes some overlays of deleted system events, and their counts.
pub(super) fn drop_overlays(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut counts = OverlayCounts::default();
    let mut room = OVERLAYS_AT_A_TIME;
    while room > 0 {
        let ended = transaction
            .prepare_cached("SELECT system_rev, severity FROM ended LIMIT 1")?
            .query_row([], |row| {
                Ok((row.get(0)?, word::<Severity>(row, 1, "severity")?))
            })
            .optional()?;
        let Some((system_rev, severity)) = ended else {
            break;
        };
        let dropped = drop_overlays_of(transaction, &mut counts, (system_rev, severity), room)?;
        if dropped < room {
            transaction
                .prepare_cached("DELETE FROM ended WHERE system_rev = ?1")?
                .execute([system_rev])?;
        }
        // An event without overlays costs something, too.
        room = room.saturating_sub(dropped.max(1));
    }
    counts.write_back(transaction)
}

/// Removes at most `room` overlays of one event, and returns how many.
fn drop_overlays_of(
    transaction: &Transaction<'_>,
    counts: &mut OverlayCounts,
    (system_rev, severity): (i64, Severity),
    room: u32,
) -> rusqlite::Result<u32> {
    let mut drop_some = transaction.prepare_cached(
        "DELETE FROM overlay WHERE system_rev = ?1 AND feed IN \
         (SELECT feed FROM overlay INDEXED BY overlay_by_event WHERE system_rev = ?1 LIMIT ?2) \
         RETURNING feed, status, deleted",
    )?;
    let mut rows = drop_some.query((system_rev, room))?;
    let mut dropped = 0;
    while let Some(row) = rows.next()? {
        let status: Status = word(row, 1, "status")?;
        let deleted: bool = row.get(2)?;
        let read = !deleted && status == Status::Read;
        counts.add(row.get(0)?, severity, -i64::from(read), -i64::from(deleted));
        dropped += 1;
    }
    Ok(dropped)
}
