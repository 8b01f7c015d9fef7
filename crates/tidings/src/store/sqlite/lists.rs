//! The lists of a feed's events in the table `listed`: each in the order of a time or a rev, with the
//! entries of one feed side by side.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::LazyLock;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, Transaction};
use tidings_event::{EventId, Rev, SortKey};

use super::row::{rev, rev_to_sql, uuid, word};
use crate::store::kind::Kind;

/// A list. Its number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct List(u8);

impl List {
    /// All events by the time they were created.
    pub(super) const CREATED_AT: Self = Self(32);
    /// All events by the rev at which they were created. Its entries have no id.
    pub(super) const CREATED_REV: Self = Self(33);
    /// The changed events by the rev of their last change. Its entries have no id.
    pub(super) const CHANGED_REV: Self = Self(34);
    /// The events whose content was replaced by the rev of the last time. Its entries have no id.
    pub(super) const CONTENT_REV: Self = Self(35);

    /// The events of one kind by a time.
    pub(super) const fn of_kind(kind: Kind, key: SortKey) -> Self {
        match key {
            SortKey::CreatedAt => Self(kind.number()),
            SortKey::UpdatedAt => Self(16 + kind.number()),
        }
    }

    pub(super) const fn number(self) -> u8 {
        self.0
    }
}

/// Joins the system's events to overlays: `?{system}` is the key of the system's feed. In this order, since
/// without statistics SQLite might begin with all events.
pub(super) fn overlaid_events(system: usize) -> String {
    format!(
        " CROSS JOIN listed ON listed.feed = ?{system} AND listed.list = {} \
         AND listed.at = overlay.system_rev CROSS JOIN event ON event.key = listed.event",
        List::CREATED_REV.number()
    )
}

/// The fields of an event in the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// The key of its row.
    pub(super) key: i64,
    pub(super) id: EventId,
    pub(super) created_rev: Rev,
    /// The rev of its last change, if it was changed.
    pub(super) changed_rev: Option<Rev>,
    /// The rev at which its content was replaced last, if it was.
    pub(super) content_rev: Option<Rev>,
    pub(super) kind: Kind,
    /// Nanoseconds since 1970.
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
}

/// The columns that [`listed`] reads, in its order.
pub(super) const LISTED_COLUMNS: &str = "event.key, event.id, event.created_rev, \
     event.changed_rev, event.content_rev, event.severity, event.status, event.created_at, \
     event.updated_at";

/// How many these are. Others can follow them.
pub(super) const LISTED_COLUMN_COUNT: usize = 9;

/// Reads what the lists know of an event from a row that begins with [`LISTED_COLUMNS`].
pub(super) fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let optional_rev = |index| match row.get_ref(index)? {
        ValueRef::Null => Ok::<_, rusqlite::Error>(None),
        _ => Ok(Some(rev(row, index)?)),
    };
    Ok(Listed {
        key: row.get(0)?,
        id: uuid(row, 1)?.into(),
        created_rev: rev(row, 2)?,
        changed_rev: optional_rev(3)?,
        content_rev: optional_rev(4)?,
        kind: Kind::of(word(row, 5, "severity")?, word(row, 6, "status")?),
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
    })
}

/// An entry of a list without its feed, in the order of the table's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ListKey {
    list: List,
    at: i64,
    id: Option<EventId>,
}

impl Listed {
    /// How many entries it has.
    pub(super) fn entries(&self) -> u64 {
        4 + u64::from(self.changed_rev.is_some()) + u64::from(self.content_rev.is_some())
    }

    fn places(&self) -> rusqlite::Result<impl Iterator<Item = ListKey>> {
        let by_time = |list, at| ListKey {
            list,
            at,
            id: Some(self.id),
        };
        let by_rev = |list, rev| {
            Ok::<_, rusqlite::Error>(ListKey {
                list,
                at: rev_to_sql(rev)?,
                id: None,
            })
        };
        let always = [
            by_time(
                List::of_kind(self.kind, SortKey::CreatedAt),
                self.created_at,
            ),
            by_time(
                List::of_kind(self.kind, SortKey::UpdatedAt),
                self.updated_at,
            ),
            by_time(List::CREATED_AT, self.created_at),
            by_rev(List::CREATED_REV, self.created_rev)?,
        ];
        let changed = self.changed_rev.map(|rev| by_rev(List::CHANGED_REV, rev));
        let content = self.content_rev.map(|rev| by_rev(List::CONTENT_REV, rev));
        let changes = [changed.transpose()?, content.transpose()?];
        Ok(always.into_iter().chain(changes.into_iter().flatten()))
    }

    /// How many of its entries there are.
    pub(super) fn count_entries(
        &self,
        connection: &Connection,
        feed: i64,
    ) -> rusqlite::Result<u64> {
        let mut look = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM listed \
             WHERE feed = ?1 AND list = ?2 AND at = ?3 AND id = ?4 AND event = ?5)",
        )?;
        let mut number = 0;
        for place in self.places()? {
            let id = id_to_sql(place.id.as_ref());
            let key = (feed, place.list.number(), place.at, id, self.key);
            number += u64::from(look.query_row(key, |row| row.get::<_, bool>(0))?);
        }
        Ok(number)
    }
}

fn id_to_sql(id: Option<&EventId>) -> ToSqlOutput<'_> {
    let bytes: &[u8] = id.map_or(&[], |id| id.as_uuid().as_bytes());
    ToSqlOutput::Borrowed(ValueRef::Blob(bytes))
}

/// The entries that a transaction adds to the lists of a feed and removes from them. An entry that is added and
/// removed again, or the reverse, is none.
#[derive(Debug, Default)]
pub(super) struct ListEdits {
    /// The key of the event for an entry to be added; `None` for one to be removed.
    changes: BTreeMap<ListKey, Option<i64>>,
}

impl ListEdits {
    pub(super) fn add(&mut self, event: &Listed) -> rusqlite::Result<()> {
        for place in event.places()? {
            self.toggle(place, Some(event.key));
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, event: &Listed) -> rusqlite::Result<()> {
        for place in event.places()? {
            self.toggle(place, None);
        }
        Ok(())
    }

    fn toggle(&mut self, place: ListKey, to: Option<i64>) {
        match self.changes.entry(place) {
            Entry::Vacant(vacant) => {
                vacant.insert(to);
            }
            Entry::Occupied(occupied) => {
                debug_assert_ne!(occupied.get().is_some(), to.is_some());
                occupied.remove();
            }
        }
    }

    /// Writes the changes, in the order of the table.
    pub(super) fn write(&self, transaction: &Transaction<'_>, feed: i64) -> rusqlite::Result<()> {
        if self.changes.is_empty() {
            return Ok(());
        }
        let mut remove = transaction.prepare_cached(
            "DELETE FROM listed WHERE feed = ?1 AND list = ?2 AND at = ?3 AND id = ?4",
        )?;
        let mut added = Vec::new();
        for (place, change) in &self.changes {
            match change {
                Some(event) => added.push((place, *event)),
                None => {
                    let id = id_to_sql(place.id.as_ref());
                    remove.execute((feed, place.list.number(), place.at, id))?;
                }
            }
        }
        insert(transaction, feed, &added)
    }
}

/// How many entries one statement inserts: within one, SQLite finds the place of a rising key next to the
/// one before.
const STATEMENT_ENTRIES: [usize; 4] = [64, 16, 4, 1];

/// One statement for each size.
static INSERTS: LazyLock<[String; STATEMENT_ENTRIES.len()]> = LazyLock::new(|| {
    STATEMENT_ENTRIES.map(|entries| {
        let entries = vec!["(?,?,?,?,?)"; entries].join(",");
        format!("INSERT INTO listed (feed, list, at, id, event) VALUES {entries}")
    })
});

fn insert(
    transaction: &Transaction<'_>,
    feed: i64,
    mut entries: &[(&ListKey, i64)],
) -> rusqlite::Result<()> {
    for (number, sql) in STATEMENT_ENTRIES.into_iter().zip(&*INSERTS) {
        while let Some((now, later)) = entries.split_at_checked(number) {
            let mut statement = transaction.prepare_cached(sql)?;
            for (index, (place, event)) in now.iter().enumerate() {
                let first = 5 * index + 1;
                statement.raw_bind_parameter(first, feed)?;
                statement.raw_bind_parameter(first + 1, place.list.number())?;
                statement.raw_bind_parameter(first + 2, place.at)?;
                statement.raw_bind_parameter(first + 3, id_to_sql(place.id.as_ref()))?;
                statement.raw_bind_parameter(first + 4, event)?;
            }
            statement.raw_execute()?;
            entries = later;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tidings_event::{Severity, Status};

    use super::*;

    fn event() -> Listed {
        Listed {
            key: 7,
            id: EventId::mint(),
            created_rev: Rev::new(3),
            changed_rev: None,
            content_rev: None,
            kind: Kind::of(Severity::Error, Status::Unread),
            created_at: 5,
            updated_at: 5,
        }
    }

    #[test]
    fn a_change_and_its_reversal_are_none() {
        let before = event();
        let mut after = before;
        after.kind = before.kind.with_status(Status::Read);
        (after.changed_rev, after.updated_at) = (Some(Rev::new(4)), 9);
        let mut changes = ListEdits::default();
        changes.remove(&before).unwrap();
        changes.add(&after).unwrap();
        // Two lists of a kind, each with one entry removed and one added, and the list of changes.
        assert_eq!(changes.changes.len(), 5);
        changes.remove(&after).unwrap();
        changes.add(&before).unwrap();
        assert!(changes.changes.is_empty());
    }

    #[test]
    fn the_lists_of_kinds_do_not_meet_the_others() {
        let mut numbers: Vec<_> = Kind::all()
            .flat_map(|kind| {
                [SortKey::CreatedAt, SortKey::UpdatedAt].map(|key| List::of_kind(kind, key))
            })
            .chain([
                List::CREATED_AT,
                List::CREATED_REV,
                List::CHANGED_REV,
                List::CONTENT_REV,
            ])
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 36);
    }
}
