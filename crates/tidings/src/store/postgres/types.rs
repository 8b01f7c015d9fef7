//! The categories and actions of a viewer's events.
//!
//! The index by type is read from one pair to the next, however many events have it.

use std::collections::BTreeSet;

use tidings_event::{Action, Category, EventType, EventTypes};

use super::query::Query;
use super::read_fault::ReadFault;
use super::read_transaction::ReadTransaction;
use super::row::word;
use super::viewer::{SeenFeed, Viewer};
use crate::store::Side;

/// The most pairs of one statement.
const PAIRS_AT_A_TIME: usize = 4_096;

/// The pairs of the feed of `$1` after the pair `$2`, `$3`. The viewer `$4` can have deleted system events; a pair
/// without any other event is left out.
fn pairs_sql(side: Side) -> String {
    let is_seen = match side {
        Side::Own => "",
        Side::System => {
            "WHERE EXISTS (SELECT 1 FROM event \
             LEFT JOIN overlay ON overlay.owner = $4 AND overlay.deleted \
             AND overlay.system_rev = event.created_rev \
             WHERE event.owner = $1 AND event.category = pair.category \
             AND event.action = pair.action AND overlay.owner IS NULL)"
        }
    };
    format!(
        "WITH RECURSIVE pair AS (\
         (SELECT category, action FROM event WHERE owner = $1 AND (category, action) > ($2, $3) \
         ORDER BY category, action LIMIT 1) \
         UNION ALL SELECT next.category, next.action FROM pair CROSS JOIN LATERAL \
         (SELECT category, action FROM event \
         WHERE owner = $1 AND (event.category, event.action) > (pair.category, pair.action) \
         ORDER BY category, action LIMIT 1) AS next) \
         SELECT category, action FROM pair {is_seen} LIMIT {PAIRS_AT_A_TIME}"
    )
}

/// The next pairs of one feed, sorted. If they are fewer than a statement reads, they are the last.
async fn pairs(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    (side, feed): (Side, &SeenFeed),
    after: Option<&EventType>,
) -> Result<Vec<EventType>, ReadFault> {
    let (category, action) = after.map_or_else(Default::default, |pair| {
        (pair.category.to_string(), pair.action.to_string())
    });
    let mut query = Query::new(pairs_sql(side))
        .with(*feed.owner.as_uuid())
        .with(category)
        .with(action);
    if side == Side::System {
        query.bind(*viewer.owner.as_uuid());
    }
    let rows = reading.rows(query).await?;
    let pairs = rows.iter().map(|row| {
        Ok(EventType {
            category: word(row, 0, "category")?,
            action: word(row, 1, "action")?,
        })
    });
    pairs.collect()
}

fn feeds(viewer: &Viewer) -> impl Iterator<Item = (Side, &SeenFeed)> {
    let sides = [Side::Own, Side::System].into_iter();
    sides.filter_map(|side| Some((side, viewer.feed(side)?)))
}

/// The first [`EventType::MAX`] pairs of the viewer's events, sorted.
pub(super) async fn type_pairs(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
) -> Result<Vec<EventType>, ReadFault> {
    const { assert!(EventType::MAX <= PAIRS_AT_A_TIME) };
    let mut all = Vec::new();
    for feed in feeds(viewer) {
        all.extend(pairs(reading, viewer, feed, None).await?);
    }
    all.sort_unstable();
    all.dedup();
    all.truncate(EventType::MAX);
    Ok(all)
}

/// The first categories and actions of the viewer's events. Their pairs are never all in memory, since a user can
/// create a pair with each event.
pub(super) async fn types(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
) -> Result<EventTypes, ReadFault> {
    let (mut category, mut action) = (BTreeSet::<Category>::new(), BTreeSet::<Action>::new());
    for feed in feeds(viewer) {
        let mut after = None;
        loop {
            let found = pairs(reading, viewer, feed, after.as_ref()).await?;
            for pair in &found {
                keep_first(&mut category, &pair.category);
                keep_first(&mut action, &pair.action);
            }
            if found.len() < PAIRS_AT_A_TIME {
                break;
            }
            after = found.into_iter().next_back();
        }
    }
    Ok(EventTypes::new(
        category.into_iter().collect(),
        action.into_iter().collect(),
    ))
}

fn keep_first<T: Ord + Clone>(names: &mut BTreeSet<T>, name: &T) {
    if !names.contains(name) {
        names.insert(name.clone());
    }
    if names.len() > EventTypes::MAX_NAMES {
        names.pop_last();
    }
}
