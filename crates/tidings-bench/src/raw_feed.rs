//! The row of a feed in a raw store, with its newest events.

use rusqlite::Transaction;
use tidings::Status;
use tidings_event::Severity;
use uuid::Uuid;

use crate::raw_lists::{self, Entry, by_kind, by_kind_updated, count_type};

/// The bytes that an event takes in the row of its feed.
const BYTES: usize = 28;

/// How many events the row holds before they go to the lists.
const NEWEST: usize = 48;

/// A feed, to which only new events of one kind and type are added.
#[derive(Debug)]
pub(crate) struct RawFeed {
    pub(crate) key: i64,
    pub(crate) head: i64,
    newest: Vec<RawEvent>,
}

#[derive(Debug)]
struct RawEvent {
    key: i64,
    id: Uuid,
    rev: i64,
    at: i64,
}

impl RawFeed {
    pub(crate) const fn new(key: i64) -> Self {
        Self {
            key,
            head: 0,
            newest: Vec::new(),
        }
    }

    /// Adds the event that is stored at the next rev.
    pub(crate) fn add(&mut self, key: i64, id: Uuid, at: i64) {
        self.newest.push(RawEvent {
            key,
            id,
            rev: self.head,
            at,
        });
    }

    /// Writes the row and, if it is full, the lists.
    pub(crate) fn write(
        &mut self,
        transaction: &Transaction<'_>,
        severity: Severity,
        of_type: (&str, &str),
    ) -> anyhow::Result<()> {
        if self.newest.len() >= NEWEST {
            self.settle(transaction, severity)?;
            count_type(
                transaction,
                self.key,
                of_type,
                i64::try_from(self.newest.len())?,
            )?;
            self.newest.clear();
        }
        let (counts, newest) = ([0_u8; 24], vec![0_u8; BYTES * self.newest.len()]);
        transaction
            .prepare_cached("UPDATE feed SET head = ?2, counts = ?3, newest = ?4 WHERE key = ?1")?
            .execute((self.key, self.head, counts, newest))?;
        Ok(())
    }

    fn settle(&self, transaction: &Transaction<'_>, severity: Severity) -> anyhow::Result<()> {
        let mut entries = Vec::with_capacity(4 * self.newest.len());
        for event in &self.newest {
            let id: &[u8] = event.id.as_bytes();
            let by_time = [
                raw_lists::BY_CREATED_AT,
                by_kind(severity, Status::Unread),
                by_kind_updated(severity, Status::Unread),
            ];
            let by_time = by_time.map(|list| Entry {
                list,
                at: event.at,
                id,
            });
            let by_rev = Entry {
                list: raw_lists::BY_CREATED_REV,
                at: event.rev,
                id: &[],
            };
            entries.extend(
                by_time
                    .into_iter()
                    .chain([by_rev])
                    .map(|one| (one, event.key)),
            );
        }
        entries.sort_unstable();
        for (entry, event) in entries {
            entry.insert(transaction, self.key, event)?;
        }
        Ok(())
    }
}
