//! The changes of overlay counters in a transaction. They are written back once at its end.

use std::collections::HashMap;

use rusqlite::Transaction;
use tidings_event::Severity;

/// The changes, by the key of the user's feed.
#[derive(Debug, Default)]
pub(super) struct OverlayCounts(HashMap<(i64, Severity), OverlayDelta>);

#[derive(Debug, Default)]
struct OverlayDelta {
    read: i64,
    deleted: i64,
}

impl OverlayCounts {
    /// Counts a user's overlay of a system event. `feed` is the key of the user's feed.
    pub(super) fn add(&mut self, feed: i64, severity: Severity, read: i64, deleted: i64) {
        let delta = self.0.entry((feed, severity)).or_default();
        delta.read += read;
        delta.deleted += deleted;
    }

    pub(super) fn write_back(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut count = transaction.prepare_cached(
            "INSERT INTO overlay_counter (feed, severity, read, deleted) \
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (feed, severity) DO UPDATE SET \
             read = read + excluded.read, deleted = deleted + excluded.deleted",
        )?;
        for ((feed, severity), delta) in &self.0 {
            count.execute((feed, severity.as_str(), delta.read, delta.deleted))?;
        }
        Ok(())
    }
}
