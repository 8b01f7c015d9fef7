//! The feeds that a transaction touches, with their counters. They are written back once at its end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{OptionalExtension as _, Transaction};
use tidings_event::{Action, Category, Event, OwnerId, Rev, Severity, Status};

use super::counts::number;
use super::row::{number_to_sql, rev, rev_to_sql};
use crate::store::Submission;

/// The feeds of a transaction. Their changes reach the database in [`Feeds::write_back`]; only the rows of
/// new feeds are inserted earlier.
#[derive(Default)]
pub(super) struct Feeds {
    feeds: HashMap<OwnerId, Feed>,
    /// The changes of overlay counters, by the key of the user's feed.
    overlays: HashMap<(i64, Severity), OverlayDelta>,
    /// Whether there are tombstones, once that was read.
    any_deleted: Option<bool>,
}

/// A feed and its changes.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) key: i64,
    pub(super) head: Rev,
    /// The bytes of its events, without those that are not measured yet.
    bytes: u64,
    unmeasured: Unmeasured,
    /// How many deletions are remembered.
    deletions: u64,
    changed: bool,
    counts: HashMap<(Severity, Status), i64>,
    types: HashMap<Category, HashMap<Action, i64>>,
}

/// The revs of the events that an older version stored and that are not measured yet.
#[derive(Clone, Copy, Debug, Default)]
struct Unmeasured {
    after: Rev,
    up_to: Rev,
}

#[derive(Default)]
struct OverlayDelta {
    read: i64,
    deleted: i64,
}

impl Feed {
    fn new(key: i64, head: Rev) -> Self {
        Self {
            key,
            head,
            bytes: 0,
            unmeasured: Unmeasured::default(),
            deletions: 0,
            changed: false,
            counts: HashMap::new(),
            types: HashMap::new(),
        }
    }

    /// Takes the next rev.
    pub(super) fn advance(&mut self) -> Rev {
        self.head = self.head.next();
        self.changed = true;
        self.head
    }

    /// Counts `by` more events of this kind.
    pub(super) fn count(&mut self, severity: Severity, status: Status, by: i64) {
        *self.counts.entry((severity, status)).or_default() += by;
    }

    /// Counts `by` more events of this category and action.
    pub(super) fn count_type(&mut self, category: &Category, action: &Action, by: i64) {
        // Most events of a group have one of a few types, whose names are copied once.
        let known = self.types.get_mut(category);
        if let Some(number) = known.and_then(|actions| actions.get_mut(action)) {
            *number += by;
            return;
        }
        let actions = self.types.entry(category.clone()).or_default();
        actions.insert(action.clone(), by);
    }

    /// Adds the bytes of an event, unless the feed would exceed `limit`. Returns whether it fits.
    pub(super) fn occupy(&mut self, bytes: u64, limit: Option<u64>) -> bool {
        let fits = limit.is_none_or(|limit| self.bytes.saturating_add(bytes) <= limit);
        if fits {
            self.bytes += bytes;
        }
        fits
    }

    /// Subtracts the bytes of an event that was not stored after all.
    pub(super) fn vacate(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// The bytes of its events.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Subtracts the bytes of a deleted event, and counts its deletion.
    pub(super) fn bury(&mut self, created_rev: Rev, bytes: u64) {
        let Unmeasured { after, up_to } = self.unmeasured;
        if created_rev <= after || created_rev > up_to {
            self.vacate(bytes);
        }
        self.deletions += 1;
    }

    /// Counts an event at the next rev. Its bytes are added already.
    pub(super) fn add(&mut self, event: &Event) -> Rev {
        self.count(event.severity, event.status, 1);
        self.count_type(&event.category, &event.action, 1);
        self.advance()
    }
}

impl Feeds {
    /// The feed of `owner`, which is created if there is none.
    pub(super) fn load(
        &mut self,
        transaction: &Transaction<'_>,
        owner: OwnerId,
    ) -> rusqlite::Result<&mut Feed> {
        match self.feeds.entry(owner) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let feed = match find(transaction, owner)? {
                    Some(feed) => feed,
                    None => Feed::new(create(transaction, owner)?, Rev::ZERO),
                };
                Ok(unknown.insert(feed))
            }
        }
    }

    /// The key of the feed of `owner`, if it has one.
    pub(super) fn key(
        &self,
        transaction: &Transaction<'_>,
        owner: OwnerId,
    ) -> rusqlite::Result<Option<i64>> {
        match self.feeds.get(&owner) {
            Some(feed) => Ok(Some(feed.key)),
            None => Ok(find(transaction, owner)?.map(|feed| feed.key)),
        }
    }

    /// Whether there is any tombstone. It is read once per group: within each insertion it would make SQLite
    /// keep a statement journal.
    pub(super) fn any_deleted(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<bool> {
        if let Some(known) = self.any_deleted {
            return Ok(known);
        }
        let any = transaction
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM tombstone)")?
            .query_row([], |row| row.get(0))?;
        self.any_deleted = Some(any);
        Ok(any)
    }

    /// Records that the group contains a deletion.
    pub(super) fn note_deletion(&mut self) {
        self.any_deleted = Some(true);
    }

    /// Removes the newest event of a feed, whose row is rolled back.
    pub(super) fn forget_newest(&mut self, owner: OwnerId, submission: &Submission) {
        let event = &submission.event;
        if let Some(feed) = self.feeds.get_mut(&owner) {
            feed.vacate(submission.stored_bytes());
            feed.head = Rev::new(feed.head.get() - 1);
            feed.count(event.severity, event.status, -1);
            feed.count_type(&event.category, &event.action, -1);
        }
    }

    /// Counts a user's overlay of a system event. `feed` is the key of the user's feed.
    pub(super) fn count_overlay(&mut self, feed: i64, severity: Severity, read: i64, deleted: i64) {
        let delta = self.overlays.entry((feed, severity)).or_default();
        delta.read += read;
        delta.deleted += deleted;
    }

    pub(super) fn write_back(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut set_head = transaction.prepare_cached(
            "UPDATE feed SET head = ?2, bytes = ?3, deletions = ?4 WHERE key = ?1",
        )?;
        let mut count = transaction.prepare_cached(
            "INSERT INTO counter (feed, severity, status, number) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (feed, severity, status) DO UPDATE SET number = number + excluded.number",
        )?;
        let mut count_type = transaction.prepare_cached(
            "INSERT INTO type_counter (feed, category, action, number) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (feed, category, action) DO UPDATE SET number = number + excluded.number",
        )?;
        for feed in self.feeds.values().filter(|feed| feed.changed) {
            set_head.execute((
                feed.key,
                rev_to_sql(feed.head)?,
                number_to_sql(feed.bytes),
                number_to_sql(feed.deletions),
            ))?;
            for ((severity, status), number) in feed.counts.iter().filter(|(_, n)| **n != 0) {
                count.execute((feed.key, severity.as_str(), status.as_str(), number))?;
            }
            let types = feed.types.iter().flat_map(|(category, actions)| {
                let numbers = actions.iter().filter(|(_, number)| **number != 0);
                numbers.map(move |(action, number)| (category, action, number))
            });
            for (category, action, number) in types {
                count_type.execute((feed.key, category.as_str(), action.as_str(), number))?;
                if *number < 0 {
                    drop_unused_type(transaction, feed.key, category, action)?;
                }
            }
        }
        if !self.overlays.is_empty() {
            let mut count_overlay = transaction.prepare_cached(
                "INSERT INTO overlay_counter (feed, severity, read, deleted) \
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (feed, severity) DO UPDATE SET \
                 read = read + excluded.read, deleted = deleted + excluded.deleted",
            )?;
            for ((feed, severity), delta) in &self.overlays {
                count_overlay.execute((feed, severity.as_str(), delta.read, delta.deleted))?;
            }
        }
        Ok(())
    }
}

/// Removes the counter of a type without events. A user who invents a category for each event must not
/// leave their counters behind.
fn drop_unused_type(
    transaction: &Transaction<'_>,
    feed: i64,
    category: &Category,
    action: &Action,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "DELETE FROM type_counter \
             WHERE feed = ?1 AND category = ?2 AND action = ?3 AND number = 0",
        )?
        .execute((feed, category.as_str(), action.as_str()))?;
    Ok(())
}

fn find(transaction: &Transaction<'_>, owner: OwnerId) -> rusqlite::Result<Option<Feed>> {
    transaction
        .prepare_cached(
            "SELECT key, head, bytes, deletions, measured_rev, measure_to FROM feed \
             WHERE owner = ?1",
        )?
        .query_row([owner.as_uuid().as_bytes()], |row| {
            Ok(Feed {
                bytes: number(row, 2)?,
                deletions: number(row, 3)?,
                unmeasured: Unmeasured {
                    after: rev(row, 4)?,
                    up_to: rev(row, 5)?,
                },
                ..Feed::new(row.get(0)?, rev(row, 1)?)
            })
        })
        .optional()
}

fn create(transaction: &Transaction<'_>, owner: OwnerId) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached("INSERT INTO feed (owner, head) VALUES (?1, 0)")?
        .execute([owner.as_uuid().as_bytes()])?;
    Ok(transaction.last_insert_rowid())
}
