//! Counts the events of one feed again, and compares them with what the store keeps of them.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};
use tidings_event::{EventType, OwnerId, Rev};

use super::created_events::{CreatedEvents, EventSelect};
use super::lists::{LISTED_COLUMN_COUNT, LISTED_COLUMNS, List, Listed, listed};
use super::newest::Newest;
use super::row::{STORED_BYTES, number, rev, uuid, word};
use super::viewer::SeenFeed;
use crate::store::kind::{Kind, KindCounts};

/// A number that the store keeps, and the same number as it was counted.
pub(super) type Compared = (&'static str, u64, u64);

/// The next feed of an audit, with what differs.
#[derive(Debug)]
pub(super) struct AuditedFeed {
    pub(super) key: i64,
    pub(super) owner: OwnerId,
    pub(super) compared: Vec<Compared>,
}

/// The numbers in the row of a feed.
struct Kept {
    bytes: u64,
    deletions: u64,
    measured: Rev,
    measure_to: Rev,
}

/// The counted events.
#[derive(Default)]
struct Counted {
    bytes: u64,
    counts: KindCounts,
    types: BTreeMap<EventType, u64>,
    /// The entries that the listed events should have in the lists, and those of them that are there.
    entries: u64,
    entries_there: u64,
    /// The newest events whose row is as the feed has it.
    newest: u64,
}

/// Compares the first feed after a key, from one snapshot.
pub(super) fn next_feed(
    connection: &Connection,
    after: i64,
) -> rusqlite::Result<Option<AuditedFeed>> {
    let transaction = connection.unchecked_transaction()?;
    let sql = format!(
        "SELECT {}, owner, bytes, deletions, measured_rev, measure_to FROM feed \
         WHERE key > ?1 ORDER BY key LIMIT 1",
        SeenFeed::COLUMNS
    );
    let next = transaction
        .prepare_cached(&sql)?
        .query_row([after], |row| {
            let first = SeenFeed::COLUMN_COUNT;
            let kept = Kept {
                bytes: number(row, first + 1)?,
                deletions: number(row, first + 2)?,
                measured: rev(row, first + 3)?,
                measure_to: rev(row, first + 4)?,
            };
            Ok((SeenFeed::read(row)?, OwnerId::from(uuid(row, first)?), kept))
        })
        .optional()?;
    let Some((feed, owner, kept)) = next else {
        return Ok(None);
    };
    let counted = count(connection, &feed, &kept)?;
    let mut compared = vec![
        ("bytes", kept.bytes, counted.bytes),
        (
            "remembered deletions",
            kept.deletions,
            count_rows(connection, "tombstone", feed.key)?,
        ),
        ("events", feed.counts.total(), counted.counts.total()),
    ];
    // Of each, the number for the first that differs says where to look.
    let kinds = Kind::all().map(|kind| (feed.counts.of(kind), counted.counts.of(kind)));
    compared.extend(first_difference("events of a severity and status", kinds));
    compared.push(("newest events", feed.newest()?.len() as u64, counted.newest));
    compared.push((
        "entries of lists",
        count_rows(connection, "listed", feed.key)?,
        counted.entries,
    ));
    compared.push((
        "entries of events in their lists",
        counted.entries_there,
        counted.entries,
    ));
    let types = compare_types(connection, feed.key, &counted.types)?;
    compared.extend(first_difference(
        "events of a category and action",
        types.into_iter(),
    ));
    transaction.finish()?;
    compared.retain(|(_, kept, found)| kept != found);
    Ok(Some(AuditedFeed {
        key: feed.key,
        owner,
        compared,
    }))
}

fn first_difference(
    what: &'static str,
    mut pairs: impl Iterator<Item = (u64, u64)>,
) -> Option<Compared> {
    let (kept, found) = pairs.find(|(kept, found)| kept != found)?;
    Some((what, kept, found))
}

/// Reads the events that the lists and the row of the feed lead to.
fn count(connection: &Connection, feed: &SeenFeed, kept: &Kept) -> rusqlite::Result<Counted> {
    let newest = feed.newest()?;
    let of_newest: BTreeMap<Rev, (&Listed, &EventType)> = newest
        .with_types()
        .map(|(event, of_type)| (event.created_rev, (event, of_type)))
        .collect();
    let columns = format!("{LISTED_COLUMNS}, category, action, event.feed, {STORED_BYTES}");
    let events = CreatedEvents {
        feed: feed.key,
        newest: &newest,
        after: Rev::ZERO,
        up_to: feed.bounds.head,
    };
    let reading = EventSelect {
        columns: &columns,
        joins: "",
        conditions: "",
        values: &[],
    };
    let mut counted = Counted::default();
    events.read(connection, reading, |row| {
        let event = listed(row)?;
        let of_type = EventType {
            category: word(row, LISTED_COLUMN_COUNT, "category")?,
            action: word(row, LISTED_COLUMN_COUNT + 1, "action")?,
        };
        if row.get::<_, i64>(LISTED_COLUMN_COUNT + 2)? != feed.key {
            return Ok(true);
        }
        counted.counts.add(event.kind);
        if event.created_rev <= kept.measured || event.created_rev > kept.measure_to {
            counted.bytes += number(row, LISTED_COLUMN_COUNT + 3)?;
        }
        if event.created_rev > feed.listed_rev {
            let known = of_newest.get(&event.created_rev);
            counted.newest += u64::from(known == Some(&(&event, &of_type)));
        } else {
            counted.entries += event.entries();
            counted.entries_there += event.count_entries(connection, feed.key)?;
            *counted.types.entry(of_type).or_default() += 1;
        }
        Ok(true)
    })?;
    Ok(counted)
}

fn count_rows(connection: &Connection, table: &str, feed: i64) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM {table} WHERE feed = ?1");
    connection
        .prepare_cached(&sql)?
        .query_row([feed], |row| number(row, 0))
}

/// The kept and the counted number of each type of listed events.
fn compare_types(
    connection: &Connection,
    feed: i64,
    counted: &BTreeMap<EventType, u64>,
) -> rusqlite::Result<Vec<(u64, u64)>> {
    let mut kept = connection
        .prepare_cached("SELECT category, action, number FROM type_counter WHERE feed = ?1")?;
    let kept = kept.query_map([feed], |row| {
        let of_type = EventType {
            category: word(row, 0, "category")?,
            action: word(row, 1, "action")?,
        };
        Ok((of_type, number(row, 2)?))
    })?;
    let kept: BTreeMap<_, _> = kept.collect::<rusqlite::Result<_>>()?;
    let only_counted = counted
        .iter()
        .filter(|(of_type, _)| !kept.contains_key(of_type));
    let pairs = kept
        .iter()
        .map(|(of_type, number)| (*number, counted.get(of_type).copied().unwrap_or(0)))
        .chain(only_counted.map(|(_, number)| (0, *number)));
    Ok(pairs.collect())
}

/// The number of events of each feed that neither its lists nor its row lead to, among those with keys after
/// `after`. Reads at most `most` events, and returns the last key if it stopped there.
pub(super) fn stray_events(
    connection: &Connection,
    after: i64,
    most: usize,
) -> rusqlite::Result<(Vec<OwnerId>, Option<i64>)> {
    let transaction = connection.unchecked_transaction()?;
    let sql = format!(
        "SELECT event.key, event.created_rev, feed.owner, feed.listed_rev, feed.newest, \
         EXISTS (SELECT 1 FROM listed WHERE listed.feed = event.feed AND listed.list = {} \
                 AND listed.at = event.created_rev AND listed.event = event.key) \
         FROM event JOIN feed ON feed.key = event.feed \
         WHERE event.key > ?1 ORDER BY event.key LIMIT ?2",
        List::CREATED_REV.number()
    );
    let mut events = transaction.prepare_cached(&sql)?;
    let most_sql = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = events.query((after, most_sql))?;
    let (mut strays, mut number, mut last) = (Vec::new(), 0, after);
    while let Some(row) = rows.next()? {
        number += 1;
        last = row.get(0)?;
        let created = rev(row, 1)?;
        let is_listed: bool = row.get(5)?;
        if is_listed && created <= rev(row, 3)? {
            continue;
        }
        let newest = Newest::read(row, 4)?;
        if !newest
            .iter()
            .any(|event| (event.key, event.created_rev) == (last, created))
        {
            strays.push(OwnerId::from(uuid(row, 2)?));
        }
    }
    drop(rows);
    drop(events);
    transaction.finish()?;
    Ok((strays, (number == most).then_some(last)))
}
