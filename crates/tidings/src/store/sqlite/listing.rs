//! Lists the events of a store that has none of them in its lists: that of an earlier schema, or one
//! whose lists are made again.

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tidings_event::{EventType, Rev};

use super::feed::Feed;
use super::lists::{LISTED_COLUMN_COUNT, LISTED_COLUMNS, Listed, listed};
use super::row::{rev_to_sql, word};
use crate::store::Progress;

/// The most events of a step, which is one transaction of some ten milliseconds.
const EVENTS_AT_A_TIME: usize = 2_048;

/// The most feeds of a step.
const FEEDS_AT_A_TIME: usize = 512;

/// The outcome of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListingStep {
    pub(super) progress: Progress,
    /// How many events it has listed.
    pub(super) events: usize,
    /// The last feed of which all are listed.
    pub(super) feed: i64,
}

/// Lists the next events. The position is committed with them, so that it can be interrupted after any step.
pub(super) fn list_some(connection: &mut Connection) -> rusqlite::Result<ListingStep> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut done: i64 = transaction.query_row("SELECT feed FROM listing", [], |row| row.get(0))?;
    let mut step = ListingStep {
        progress: Progress::More,
        events: 0,
        feed: done,
    };
    for _ in 0..FEEDS_AT_A_TIME {
        let room = EVENTS_AT_A_TIME - step.events;
        if room == 0 {
            break;
        }
        let Some(mut feed) = Feed::after(&transaction, done)? else {
            step.progress = Progress::Done;
            break;
        };
        let events = next_events(&transaction, &feed, room)?;
        step.events += events.len();
        let is_complete = events.len() < room;
        for (event, of_type) in events {
            feed.list(&event, of_type)?;
        }
        if is_complete {
            feed.all_are_listed();
            done = feed.key;
        }
        feed.write(&transaction)?;
    }
    transaction
        .prepare_cached("UPDATE listing SET feed = ?1")?
        .execute([done])?;
    transaction.commit()?;
    step.feed = done;
    Ok(step)
}

/// The next events of a feed that are not listed.
fn next_events(
    transaction: &Transaction<'_>,
    feed: &Feed,
    most: usize,
) -> rusqlite::Result<Vec<(Listed, EventType)>> {
    // The schema does not have the column yet; the migration that adds it lists what it has.
    let columns = LISTED_COLUMNS.replace("event.content_rev", "NULL");
    let sql = format!(
        "SELECT {columns}, category, action FROM event INDEXED BY event_by_created_rev \
         WHERE feed = ?1 AND created_rev > ?2 ORDER BY created_rev LIMIT ?3"
    );
    let after: Rev = feed.listed_rev();
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    transaction
        .prepare_cached(&sql)?
        .query_map((feed.key, rev_to_sql(after)?, most), |row| {
            let of_type = EventType {
                category: word(row, LISTED_COLUMN_COUNT, "category")?,
                action: word(row, LISTED_COLUMN_COUNT + 1, "action")?,
            };
            Ok((listed(row)?, of_type))
        })?
        .collect()
}
