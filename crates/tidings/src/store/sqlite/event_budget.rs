//! The space that a group has for events.

use rusqlite::Connection;

/// An event takes up to three times its bytes: in the log, in the database, and in the indexes.
const ROOM_PER_BYTE: u64 = 3;

/// The space of a request beside its events: the pages of the counters, and the paths to all changed pages.
const REQUEST_BYTES: u64 = 64 * 1024;

/// How many bytes of events there is space for.
#[derive(Debug)]
pub(crate) struct EventBudget(u64);

impl EventBudget {
    /// Of a disk that is not looked at.
    pub(super) const UNLIMITED: Self = Self(u64::MAX);

    /// The budget of a disk with this many bytes to spare.
    pub(super) const fn of_disk(spare: u64) -> Self {
        Self(spare / ROOM_PER_BYTE)
    }

    /// The budget of a disk that is nearly full: half of the free bytes in the database.
    pub(super) const fn of_pages(free_pages: u64) -> Self {
        Self(free_pages / 2)
    }

    /// Takes the space for the events of a request, and returns whether there is enough.
    pub(crate) fn take(&mut self, bytes: u64) -> bool {
        let taken = bytes.saturating_add(REQUEST_BYTES / ROOM_PER_BYTE);
        let left = self.0.checked_sub(taken);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// The bytes of the pages that deleted events have left in the database.
pub(crate) fn free_pages(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    Ok(u64::from(number("freelist_count")?) * u64::from(number("page_size")?))
}
