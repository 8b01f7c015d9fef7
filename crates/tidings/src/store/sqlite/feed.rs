//! A feed in a transaction: its row, and the events that go to its lists.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Row, ToSql, Transaction, params};
use tidings_event::{Event, EventType, OwnerId, Rev};

use super::counts_blob;
use super::lists::{ListEdits, Listed};
use super::newest::Newest;
use super::row::{number, number_to_sql, rev, rev_to_sql};
use super::settling::Settling;
use crate::quota::occupy;
use crate::store::kind::{Kind, KindCounts};
use crate::store::moment::nanoseconds;

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
    counts: KindCounts,
    /// The events that were created up to this rev are in the lists, the others are the newest.
    listed_rev: Rev,
    newest: Newest,
    lists: ListEdits,
    /// The changes of the numbers of listed events by type.
    types: BTreeMap<EventType, i64>,
}

/// The revs of the events that an older version stored and that are not measured yet.
#[derive(Clone, Copy, Debug, Default)]
struct Unmeasured {
    after: Rev,
    up_to: Rev,
}

/// Selects the columns of [`Feed::read`], in its order. A constant text, because each commit reads many feeds.
macro_rules! select_feed {
    ($condition:literal) => {
        concat!(
            "SELECT key, head, bytes, deletions, measured_rev, measure_to, listed_rev, counts, \
             newest FROM feed WHERE ",
            $condition
        )
    };
}

impl Feed {
    /// The feed of an owner, if there is one.
    pub(super) fn of_owner(
        transaction: &Transaction<'_>,
        owner: OwnerId,
    ) -> rusqlite::Result<Option<Self>> {
        let sql = select_feed!("owner = ?1");
        Self::find(transaction, sql, owner.as_uuid().as_bytes())
    }

    /// The first feed after a key.
    pub(super) fn after(transaction: &Transaction<'_>, key: i64) -> rusqlite::Result<Option<Self>> {
        let sql = select_feed!("key > ?1 ORDER BY key LIMIT 1");
        Self::find(transaction, sql, key)
    }

    fn find(
        transaction: &Transaction<'_>,
        sql: &str,
        value: impl ToSql,
    ) -> rusqlite::Result<Option<Self>> {
        let mut find = transaction.prepare_cached(sql)?;
        find.query_row([value], Self::read).optional()
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            head: rev(row, 1)?,
            bytes: number(row, 2)?,
            deletions: number(row, 3)?,
            unmeasured: Unmeasured {
                after: rev(row, 4)?,
                up_to: rev(row, 5)?,
            },
            changed: false,
            listed_rev: rev(row, 6)?,
            counts: counts_blob::read(row, 7)?,
            newest: Newest::read_to_change(row, 8)?,
            lists: ListEdits::default(),
            types: BTreeMap::new(),
        })
    }

    /// Inserts the feed of an owner that has none.
    pub(super) fn create(transaction: &Transaction<'_>, owner: OwnerId) -> rusqlite::Result<Self> {
        transaction
            .prepare_cached("INSERT INTO feed (owner, head) VALUES (?1, 0)")?
            .execute([owner.as_uuid().as_bytes()])?;
        Ok(Self::new(transaction.last_insert_rowid()))
    }

    /// A feed without events.
    pub(super) fn new(key: i64) -> Self {
        Self {
            key,
            head: Rev::ZERO,
            bytes: 0,
            unmeasured: Unmeasured::default(),
            deletions: 0,
            changed: false,
            counts: KindCounts::default(),
            listed_rev: Rev::ZERO,
            newest: Newest::default(),
            lists: ListEdits::default(),
            types: BTreeMap::new(),
        }
    }

    /// About how many bytes of memory it takes.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.newest.memory()
    }

    /// The feed as the database has it after a commit.
    pub(super) fn committed(self) -> Self {
        Self {
            changed: false,
            lists: ListEdits::default(),
            types: BTreeMap::new(),
            ..self
        }
    }

    /// Takes the next rev.
    pub(super) fn advance(&mut self) -> Rev {
        self.head = self.head.next();
        self.changed = true;
        self.head
    }

    /// Adds the bytes of an event, unless the feed would exceed `limit`. Returns whether it fits.
    pub(super) fn occupy(&mut self, bytes: u64, limit: Option<u64>) -> bool {
        occupy(&mut self.bytes, bytes, limit)
    }

    /// Subtracts the bytes of an event that was not stored after all.
    pub(super) fn vacate(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Counts other bytes for an event, unless the feed would exceed `limit` by growing. Returns whether it fits.
    pub(super) fn resize(
        &mut self,
        event: &Listed,
        before: u64,
        after: u64,
        limit: Option<u64>,
    ) -> bool {
        if !self.is_measured(event) {
            return true;
        }
        let others = self.bytes.saturating_sub(before);
        if after > before && limit.is_some_and(|limit| others + after > limit) {
            return false;
        }
        self.bytes = others + after;
        true
    }

    /// Whether the bytes of an event are counted.
    const fn is_measured(&self, event: &Listed) -> bool {
        let Unmeasured { after, up_to } = self.unmeasured;
        let rev = event.created_rev.get();
        rev <= after.get() || rev > up_to.get()
    }

    /// The bytes of its events.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) const fn listed_rev(&self) -> Rev {
        self.listed_rev
    }

    /// Adds an event at the next rev. Its bytes are added already. `key` is that of its row.
    pub(super) fn add(&mut self, key: i64, event: &Event) -> Rev {
        let listed = Listed {
            key,
            id: event.id,
            created_rev: self.advance(),
            changed_rev: None,
            content_rev: None,
            kind: Kind::of(event.severity, event.status),
            created_at: nanoseconds(event.created_at),
            updated_at: nanoseconds(event.updated_at),
        };
        self.counts.add(listed.kind);
        self.newest.push(listed, &event.category, &event.action);
        listed.created_rev
    }

    /// Takes back the event that was added last. Its bytes are subtracted already.
    pub(super) fn take_back(&mut self) {
        if let Some(event) = self.newest.pop() {
            self.counts.subtract(event.kind);
            self.head = Rev::new(self.head.get() - 1);
        }
    }

    /// Replaces an event of the feed after a change.
    pub(super) fn replace(&mut self, before: &Listed, after: Listed) -> rusqlite::Result<()> {
        self.counts.subtract(before.kind);
        self.counts.add(after.kind);
        if before.created_rev > self.listed_rev {
            if let Some(event) = self.newest.at_mut(before.created_rev) {
                *event = after;
            }
            return Ok(());
        }
        self.lists.remove(before)?;
        self.lists.add(&after)
    }

    /// Removes a deleted event, with its bytes, and counts its deletion.
    pub(super) fn bury(
        &mut self,
        event: &Listed,
        of_type: EventType,
        bytes: u64,
    ) -> rusqlite::Result<()> {
        if self.is_measured(event) {
            self.vacate(bytes);
        }
        self.deletions += 1;
        self.counts.subtract(event.kind);
        if event.created_rev > self.listed_rev {
            self.newest.remove(event.created_rev);
            return Ok(());
        }
        self.count_type(of_type, -1);
        self.lists.remove(event)
    }

    /// Lists an event that an older version stored. The feed has no newer ones.
    pub(super) fn list(&mut self, event: &Listed, of_type: EventType) -> rusqlite::Result<()> {
        self.changed = true;
        self.listed_rev = event.created_rev;
        self.counts.add(event.kind);
        self.count_type(of_type, 1);
        self.lists.add(event)
    }

    /// Records that all its events are listed.
    pub(super) const fn all_are_listed(&mut self) {
        self.changed = true;
        self.listed_rev = self.head;
    }

    fn count_type(&mut self, of_type: EventType, by: i64) {
        *self.types.entry(of_type).or_default() += by;
    }

    /// Moves the newest events to the lists.
    fn settle(&mut self) -> rusqlite::Result<()> {
        let newest = std::mem::take(&mut self.newest);
        for (event, of_type) in newest.with_types() {
            self.lists.add(event)?;
            self.count_type(of_type.clone(), 1);
        }
        self.all_are_listed();
        Ok(())
    }

    /// Settles if it is time, and writes what has changed.
    pub(super) fn write_back(
        &mut self,
        transaction: &Transaction<'_>,
        owner: OwnerId,
        settling: &Settling,
    ) -> rusqlite::Result<()> {
        if !self.changed {
            return Ok(());
        }
        let bytes = self.newest.encoded().len();
        if settling.is_due(owner, self.key, self.newest.len(), bytes) {
            self.settle()?;
        }
        self.write(transaction)
    }

    /// Writes what has changed.
    pub(super) fn write(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.write_lists(transaction)?;
        transaction
            .prepare_cached(
                "UPDATE feed SET head = ?2, bytes = ?3, deletions = ?4, listed_rev = ?5, \
                 counts = ?6, newest = ?7 WHERE key = ?1",
            )?
            .execute(params![
                self.key,
                rev_to_sql(self.head)?,
                number_to_sql(self.bytes),
                number_to_sql(self.deletions),
                rev_to_sql(self.listed_rev)?,
                counts_blob::to_blob(&self.counts),
                self.newest.encoded(),
            ])?;
        Ok(())
    }

    fn write_lists(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.lists.write(transaction, self.key)?;
        if self.types.is_empty() {
            return Ok(());
        }
        let mut count = transaction.prepare_cached(
            "INSERT INTO type_counter (feed, category, action, number) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (feed, category, action) DO UPDATE SET number = number + excluded.number",
        )?;
        // A user who invents a category for each event must not leave their counters behind.
        let mut drop_unused = transaction.prepare_cached(
            "DELETE FROM type_counter \
             WHERE feed = ?1 AND category = ?2 AND action = ?3 AND number = 0",
        )?;
        for (of_type, by) in self.types.iter().filter(|(_, by)| **by != 0) {
            let (category, action) = (of_type.category.as_str(), of_type.action.as_str());
            count.execute((self.key, category, action, by))?;
            if *by < 0 {
                drop_unused.execute((self.key, category, action))?;
            }
        }
        Ok(())
    }
}
