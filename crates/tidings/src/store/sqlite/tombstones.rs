//! Forgets deletions that are old, or of which an owner has too many.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use tidings_event::{Rev, Timestamp};
use uuid::Uuid;

use super::lists::{List, Listed};
use super::newest::Newest;
use super::read_connection::ReadConnection;
use super::recipients::forget_retractions;
use super::row::{number_to_sql, rev, rev_to_sql, uuid};
use crate::store::Progress;
use crate::store::moment::nanoseconds;

/// The most deletions that are forgotten at a time: a commit of a few milliseconds.
const TOMBSTONES_AT_A_TIME: u32 = 512;

/// The part of a tombstone that matters for forgetting it.
struct Tombstone {
    id: Uuid,
    feed: i64,
    deleted_rev: Rev,
    created_rev: i64,
}

impl Tombstone {
    /// Reads the columns `id, feed, deleted_rev, created_rev`.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: uuid(row, 0)?,
            feed: row.get(1)?,
            deleted_rev: rev(row, 2)?,
            created_rev: row.get(3)?,
        })
    }
}

impl ReadConnection {
    /// Whether there are deletions before a moment, or beyond the last `kept` of an owner.
    pub(crate) fn has_deletions_to_forget(
        &self,
        before: Timestamp,
        kept: u64,
    ) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM tombstone INDEXED BY tombstone_by_time \
                                WHERE deleted_at < ?1) \
                 OR EXISTS (SELECT 1 FROM feed INDEXED BY feed_to_forget \
                            WHERE deletions > 1000 AND deletions > ?2)",
            )?
            .query_row(params![nanoseconds(before), number_to_sql(kept)], |row| {
                row.get(0)
            })
    }
}

/// Forgets some deletions before a moment or, if there are none, some beyond the last `kept` of an owner.
pub(super) fn forget(
    transaction: &Transaction<'_>,
    before: Timestamp,
    kept: u64,
) -> rusqlite::Result<(u64, Progress)> {
    forget_retractions(transaction, before)?;
    let mut old = transaction.prepare_cached(
        "SELECT id, feed, deleted_rev, created_rev FROM tombstone INDEXED BY tombstone_by_time \
         WHERE deleted_at < ?1 ORDER BY deleted_at LIMIT ?2",
    )?;
    let old = old
        .query_map(
            params![nanoseconds(before), TOMBSTONES_AT_A_TIME],
            Tombstone::read,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let tombstones = if old.is_empty() {
        too_many(transaction, kept)?
    } else {
        old
    };
    let mut forget =
        transaction.prepare_cached("DELETE FROM tombstone WHERE feed = ?1 AND id = ?2")?;
    let mut raise = transaction.prepare_cached(
        "UPDATE feed SET floor = max(floor, ?2), deletions = deletions - 1 WHERE key = ?1",
    )?;
    let mut blocks = BTreeSet::new();
    for tombstone in &tombstones {
        forget.execute((tombstone.feed, tombstone.id.as_bytes()))?;
        raise.execute((tombstone.feed, rev_to_sql(tombstone.deleted_rev)?))?;
        blocks.extend(block_of(
            transaction,
            tombstone.feed,
            tombstone.created_rev,
        )?);
    }
    for block in blocks {
        drop_if_empty(transaction, block)?;
    }
    let progress = match tombstones.is_empty() {
        true => Progress::Done,
        false => Progress::More,
    };
    Ok((tombstones.len() as u64, progress))
}

/// The oldest deletions of an owner who has more than `kept`.
fn too_many(transaction: &Transaction<'_>, kept: u64) -> rusqlite::Result<Vec<Tombstone>> {
    let kept = number_to_sql(kept);
    let feed: Option<(i64, i64)> = transaction
        .prepare_cached(
            // The index's own condition; see `0005_quota.sql`.
            "SELECT key, deletions FROM feed INDEXED BY feed_to_forget \
             WHERE deletions > 1000 AND deletions > ?1 LIMIT 1",
        )?
        .query_row([kept], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((feed, deletions)) = feed else {
        return Ok(Vec::new());
    };
    let excess = (deletions - kept).min(TOMBSTONES_AT_A_TIME.into());
    transaction
        .prepare_cached(
            "SELECT id, feed, deleted_rev, created_rev FROM tombstone INDEXED BY tombstone_by_rev \
             WHERE feed = ?1 ORDER BY deleted_rev LIMIT ?2",
        )?
        .query_map((feed, excess), Tombstone::read)?
        .collect()
}

/// The search block that contained a deleted event.
fn block_of(
    transaction: &Transaction<'_>,
    feed: i64,
    created_rev: i64,
) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached(
            "SELECT key FROM search_block WHERE feed = ?1 AND last_rev >= ?2 \
             ORDER BY last_rev LIMIT 1",
        )?
        .query_row((feed, created_rev), |row| row.get(0))
        .optional()
}

/// Removes a search block without events.
fn drop_if_empty(transaction: &Transaction<'_>, block: i64) -> rusqlite::Result<()> {
    let (first, last, has_listed, newest) = transaction
        .prepare_cached(&format!(
            "SELECT first_rev, last_rev, EXISTS (SELECT 1 FROM listed \
             WHERE listed.feed = search_block.feed AND listed.list = {} \
             AND listed.at BETWEEN search_block.first_rev AND search_block.last_rev), feed.newest \
             FROM search_block JOIN feed ON feed.key = search_block.feed \
             WHERE search_block.key = ?1",
            List::CREATED_REV.number()
        ))?
        .query_row([block], |row| {
            let has_listed: bool = row.get(2)?;
            Ok((
                rev(row, 0)?,
                rev(row, 1)?,
                has_listed,
                Newest::read(row, 3)?,
            ))
        })?;
    let is_within = |event: &Listed| (first..=last).contains(&event.created_rev);
    if !has_listed && !newest.iter().any(is_within) {
        transaction
            .prepare_cached("DELETE FROM search_block WHERE key = ?1")?
            .execute([block])?;
    }
    Ok(())
}
