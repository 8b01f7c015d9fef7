//! The engine's changes of many events, made by SQLite alone in the same steps.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tidings::{Status, StreamItem};
use tidings_event::{OwnerId, Severity, Timestamp};

use crate::filling::find_feed;
use crate::raw;
use crate::raw_lists::{
    BY_CHANGED_REV, BY_CREATED_AT, BY_CREATED_REV, Entry, by_kind, by_kind_updated, count_type,
};
use crate::statistics::Samples;

/// The rows of a step, committed together.
pub(crate) const STEP: usize = StreamItem::MAX_IDS;

/// A store with the inbox that is changed.
#[derive(Debug)]
pub(crate) struct RawInbox {
    connection: Connection,
    feed: i64,
    head: i64,
}

/// The steps that were run.
#[derive(Debug, Default)]
pub(crate) struct RawSteps {
    pub(crate) rows: usize,
    /// The milliseconds of each step.
    pub(crate) times: Samples,
    pub(crate) rows_per_second: f64,
}

impl RawInbox {
    /// Opens the store in `directory`, which no engine has open.
    pub(crate) fn open(directory: &Path, owner: OwnerId) -> anyhow::Result<Self> {
        let connection = raw::open(directory)?;
        let (feed, head) = find_feed(&connection, owner)?;
        Ok(Self {
            connection,
            feed,
            head,
        })
    }

    /// Marks all unread events of a severity as read, the oldest first.
    pub(crate) fn mark_read(mut self, severity: Severity) -> anyhow::Result<RawSteps> {
        let now = i64::try_from(Timestamp::now().as_nanosecond())?;
        let kinds = [Status::Unread, Status::Read].map(|status| {
            let lists = (by_kind(severity, status), by_kind_updated(severity, status));
            (status, lists)
        });
        let [(_, unread), (status, read)] = kinds;
        self.steps(|transaction, feed, head| {
            let mut find = transaction.prepare_cached(
                "SELECT event, at, id FROM listed WHERE feed = ?1 AND list = ?2 \
                 ORDER BY at, id LIMIT ?3",
            )?;
            let step = i64::try_from(STEP)?;
            let found = find
                .query_map(params![feed, unread.0, step], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect::<rusqlite::Result<Vec<(i64, i64, [u8; 16])>>>()?;
            let mut mark = transaction.prepare_cached(
                "UPDATE event SET status = ?2, updated_at = ?3, changed_rev = ?4 WHERE key = ?1",
            )?;
            let mut changes = Vec::with_capacity(5 * found.len());
            for (key, at, id) in &found {
                *head += 1;
                mark.execute(params![key, status.as_str(), now, *head])?;
                let entry = |list, at| Entry { list, at, id };
                let rev = Entry {
                    list: BY_CHANGED_REV,
                    at: *head,
                    id: &[],
                };
                // An unread event was not changed before.
                changes.extend([
                    (entry(unread.0, *at), None),
                    (entry(unread.1, *at), None),
                    (entry(read.0, *at), Some(*key)),
                    (entry(read.1, now), Some(*key)),
                    (rev, Some(*key)),
                ]);
            }
            write(transaction, feed, changes)?;
            Ok(found.len())
        })
    }

    /// Deletes the oldest `events` events and leaves tombstones.
    pub(crate) fn delete_oldest(mut self, events: usize) -> anyhow::Result<RawSteps> {
        let now = i64::try_from(Timestamp::now().as_nanosecond())?;
        let mut left = events;
        self.steps(|transaction, feed, head| {
            let mut find = transaction.prepare_cached(
                "SELECT event, at, id FROM listed WHERE feed = ?1 AND list = ?2 \
                 ORDER BY at, id LIMIT ?3",
            )?;
            let step = i64::try_from(STEP.min(left))?;
            let found = find
                .query_map(params![feed, BY_CREATED_AT, step], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect::<rusqlite::Result<Vec<(i64, i64, [u8; 16])>>>()?;
            let mut bury = transaction.prepare_cached(
                "INSERT INTO tombstone \
                 (id, feed, created_rev, deleted_rev, digest, created_at, deleted_at) \
                 SELECT id, feed, created_rev, ?2, digest, created_at, ?3 \
                 FROM event WHERE key = ?1",
            )?;
            let mut delete = transaction.prepare_cached(
                "DELETE FROM event WHERE key = ?1 RETURNING severity, status, category, action, \
                 updated_at, created_rev, changed_rev",
            )?;
            let mut types: HashMap<[String; 2], i64> = HashMap::new();
            let mut changes = Vec::with_capacity(5 * found.len());
            for (key, at, id) in &found {
                *head += 1;
                bury.execute(params![key, *head, now])?;
                let gone = delete.query_row([key], |row| {
                    Ok(Gone {
                        severity: row.get(0)?,
                        status: row.get(1)?,
                        of_type: [row.get(2)?, row.get(3)?],
                        updated_at: row.get(4)?,
                        created_rev: row.get(5)?,
                        changed_rev: row.get(6)?,
                    })
                })?;
                let (severity, status) = (gone.severity.parse()?, gone.status.parse()?);
                let by_time = [
                    (BY_CREATED_AT, *at),
                    (by_kind(severity, status), *at),
                    (by_kind_updated(severity, status), gone.updated_at),
                ];
                let by_time = by_time.map(|(list, at)| Entry { list, at, id });
                let by_rev = [
                    (BY_CREATED_REV, Some(gone.created_rev)),
                    (BY_CHANGED_REV, gone.changed_rev),
                ];
                let by_rev = by_rev.into_iter().filter_map(|(list, rev)| {
                    let at = rev?;
                    Some(Entry { list, at, id: &[] })
                });
                changes.extend(by_time.into_iter().chain(by_rev).map(|entry| (entry, None)));
                *types.entry(gone.of_type).or_default() += 1;
            }
            write(transaction, feed, changes)?;
            for ([category, action], number) in &types {
                count_type(transaction, feed, (category, action), -number)?;
            }
            left -= found.len();
            Ok(found.len())
        })
    }

    /// Runs steps until none changes a row. A step receives the feed and its head and returns the number
    /// of changed rows.
    fn steps(
        &mut self,
        mut step: impl FnMut(&Transaction<'_>, i64, &mut i64) -> anyhow::Result<usize>,
    ) -> anyhow::Result<RawSteps> {
        let mut done = RawSteps::default();
        let begun = Instant::now();
        loop {
            let start = Instant::now();
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let rows = step(&transaction, self.feed, &mut self.head)?;
            raw::set_head(&transaction, self.feed, self.head)?;
            transaction.commit()?;
            if rows == 0 {
                break;
            }
            done.rows += rows;
            done.times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        done.rows_per_second = done.rows as f64 / begun.elapsed().as_secs_f64();
        Ok(done)
    }
}

/// The columns that a deletion reads of an event.
struct Gone {
    severity: String,
    status: String,
    of_type: [String; 2],
    updated_at: i64,
    created_rev: i64,
    changed_rev: Option<i64>,
}

/// Writes entries of lists in the order of the table: those of an event are inserted, the others deleted.
fn write(
    transaction: &Transaction<'_>,
    feed: i64,
    mut changes: Vec<(Entry<'_>, Option<i64>)>,
) -> anyhow::Result<()> {
    changes.sort_unstable();
    for (entry, event) in changes {
        match event {
            Some(event) => entry.insert(transaction, feed, event)?,
            None => entry.delete(transaction, feed)?,
        }
    }
    Ok(())
}
