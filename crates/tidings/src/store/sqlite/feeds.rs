//! The feeds that a transaction touches. They are written back once at its end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{OptionalExtension as _, Transaction};
use tidings_event::OwnerId;

use super::feed::Feed;
use super::known_feeds::KnownFeeds;
use super::overlay_counts::OverlayCounts;
use super::settling::Settling;
use crate::store::Submission;

/// The feeds of a transaction. Their changes reach the database in [`Feeds::write_back`]; only the rows of
/// new feeds are inserted earlier.
#[derive(Debug)]
pub(super) struct Feeds {
    feeds: HashMap<OwnerId, Feed>,
    known: KnownFeeds,
    settling: Settling,
    pub(super) overlays: OverlayCounts,
    /// Whether there are tombstones, once that was read.
    any_deleted: Option<bool>,
    /// The highest key of an event, once it was read.
    last_key: Option<i64>,
}

impl Feeds {
    /// Begins a transaction, which takes feeds from those that are known.
    pub(super) fn new(settling: Settling, known: KnownFeeds) -> Self {
        Self {
            feeds: HashMap::new(),
            known,
            settling,
            overlays: OverlayCounts::default(),
            any_deleted: None,
            last_key: None,
        }
    }

    /// The feed of `owner`, which is created if there is none.
    pub(super) fn load(
        &mut self,
        transaction: &Transaction<'_>,
        owner: OwnerId,
    ) -> rusqlite::Result<&mut Feed> {
        match self.feeds.entry(owner) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let known = self.known.take(owner).map(Ok);
                let there = known.or_else(|| Feed::of_owner(transaction, owner).transpose());
                let feed = match there.transpose()? {
                    Some(feed) => feed,
                    None => Feed::create(transaction, owner)?,
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
        let feed = self.feeds.get(&owner).map(|feed| feed.key);
        match feed.or_else(|| self.known.key(owner)) {
            Some(key) => Ok(Some(key)),
            None => transaction
                .prepare_cached("SELECT key FROM feed WHERE owner = ?1")?
                .query_row([owner.as_uuid().as_bytes()], |row| row.get(0))
                .optional(),
        }
    }

    /// The key for the next row of an event. Keys rise, so that new events are neighbours.
    pub(super) fn next_key(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
        let last = match self.last_key {
            Some(last) => last,
            None => transaction
                .prepare_cached("SELECT coalesce(max(key), 0) FROM event")?
                .query_row([], |row| row.get(0))?,
        };
        let next = last + 1;
        self.last_key = Some(next);
        Ok(next)
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
        if let Some(feed) = self.feeds.get_mut(&owner) {
            feed.vacate(submission.stored_bytes());
            feed.take_back();
        }
    }

    pub(super) fn write_back(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        // In the order of their keys, as their rows lie in the database.
        let mut feeds: Vec<_> = self.feeds.iter_mut().collect();
        feeds.sort_unstable_by_key(|(_, feed)| feed.key);
        for (owner, feed) in feeds {
            feed.write_back(transaction, *owner, &self.settling)?;
        }
        self.overlays.write_back(transaction)
    }

    /// The known feeds after the commit.
    pub(super) fn committed(self) -> KnownFeeds {
        let mut known = self.known;
        for (owner, feed) in self.feeds {
            known.add(owner, feed.committed());
        }
        known
    }
}
