//! The lists and counters of types in the store, as the engine keeps them.

use rusqlite::Transaction;
use tidings::Status;
use tidings_event::Severity;

/// The list of all events by the time they were created.
pub(crate) const BY_CREATED_AT: i64 = 32;
/// The list of all events by the rev at which they were created.
pub(crate) const BY_CREATED_REV: i64 = 33;
/// The list of the changed events by the rev of their last change.
pub(crate) const BY_CHANGED_REV: i64 = 34;

/// The list of the events of a kind by the time they were created.
pub(crate) fn by_kind(severity: Severity, status: Status) -> i64 {
    let number = Severity::ALL.iter().position(|one| *one == severity);
    let number = i64::try_from(number.unwrap_or_default()).unwrap_or_default();
    2 * number + i64::from(status == Status::Read)
}

/// The list of the events of a kind by the time of their last change.
pub(crate) fn by_kind_updated(severity: Severity, status: Status) -> i64 {
    16 + by_kind(severity, status)
}

/// An entry of a list of a feed. Those of lists by rev have no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry<'a> {
    pub(crate) list: i64,
    pub(crate) at: i64,
    pub(crate) id: &'a [u8],
}

impl Entry<'_> {
    pub(crate) fn insert(
        self,
        transaction: &Transaction<'_>,
        feed: i64,
        event: i64,
    ) -> anyhow::Result<()> {
        transaction
            .prepare_cached(
                "INSERT INTO listed (feed, list, at, id, event) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((feed, self.list, self.at, self.id, event))?;
        Ok(())
    }

    pub(crate) fn delete(self, transaction: &Transaction<'_>, feed: i64) -> anyhow::Result<()> {
        let deleted = transaction
            .prepare_cached(
                "DELETE FROM listed WHERE feed = ?1 AND list = ?2 AND at = ?3 AND id = ?4",
            )?
            .execute((feed, self.list, self.at, self.id))?;
        anyhow::ensure!(deleted == 1, "an event is not listed");
        Ok(())
    }
}

/// Counts `by` more events of a category and action.
pub(crate) fn count_type(
    transaction: &Transaction<'_>,
    feed: i64,
    (category, action): (&str, &str),
    by: i64,
) -> anyhow::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO type_counter (feed, category, action, number) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (feed, category, action) DO UPDATE SET number = number + excluded.number",
        )?
        .execute((feed, category, action, by))?;
    Ok(())
}
