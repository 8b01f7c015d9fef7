//! The engine's changes of many events, made by SQLite alone in the same steps.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tidings::{Status, StreamItem};
use tidings_event::{OwnerId, Severity, Timestamp};

use crate::filling::find_feed;
use crate::raw;
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
        let (severity, unread) = (severity.as_str(), Status::Unread.as_str());
        self.steps(|transaction, feed, head| {
            let mut find = transaction.prepare_cached(
                "SELECT key FROM event INDEXED BY event_by_kind \
                 WHERE feed = ?1 AND status = ?2 AND severity = ?3 \
                 ORDER BY created_at, id LIMIT ?4",
            )?;
            let step = i64::try_from(STEP)?;
            let keys = find
                .query_map(params![feed, unread, severity, step], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<i64>>>()?;
            let mut mark = transaction.prepare_cached(
                "UPDATE event SET status = ?2, updated_at = ?3, changed_rev = ?4 WHERE key = ?1",
            )?;
            for key in &keys {
                *head += 1;
                mark.execute(params![key, Status::Read.as_str(), now, *head])?;
            }
            let number = i64::try_from(keys.len())?;
            raw::count(transaction, feed, (severity, unread), -number)?;
            raw::count(transaction, feed, (severity, Status::Read.as_str()), number)?;
            Ok(keys.len())
        })
    }

    /// Deletes the oldest `events` events and leaves tombstones.
    pub(crate) fn delete_oldest(mut self, events: usize) -> anyhow::Result<RawSteps> {
        let now = i64::try_from(Timestamp::now().as_nanosecond())?;
        let mut left = events;
        self.steps(|transaction, feed, head| {
            let mut find = transaction.prepare_cached(
                "SELECT key FROM event INDEXED BY event_by_created_at WHERE feed = ?1 \
                 ORDER BY created_at, id LIMIT ?2",
            )?;
            let step = i64::try_from(STEP.min(left))?;
            let keys = find
                .query_map(params![feed, step], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<i64>>>()?;
            let mut bury = transaction.prepare_cached(
                "INSERT INTO tombstone \
                 (id, feed, created_rev, deleted_rev, digest, created_at, deleted_at) \
                 SELECT id, feed, created_rev, ?2, digest, created_at, ?3 \
                 FROM event WHERE key = ?1",
            )?;
            let mut delete = transaction.prepare_cached(
                "DELETE FROM event WHERE key = ?1 RETURNING severity, status, category, action",
            )?;
            let mut counts: HashMap<[String; 2], i64> = HashMap::new();
            let mut types: HashMap<[String; 2], i64> = HashMap::new();
            for key in &keys {
                *head += 1;
                bury.execute(params![key, *head, now])?;
                let (kind, of_type) = delete.query_row([key], |row| {
                    Ok(([row.get(0)?, row.get(1)?], [row.get(2)?, row.get(3)?]))
                })?;
                *counts.entry(kind).or_default() += 1;
                *types.entry(of_type).or_default() += 1;
            }
            for ([severity, status], number) in &counts {
                raw::count(transaction, feed, (severity, status), -number)?;
            }
            for ([category, action], number) in &types {
                raw::count_type(transaction, feed, (category, action), -number)?;
            }
            left -= keys.len();
            Ok(keys.len())
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
