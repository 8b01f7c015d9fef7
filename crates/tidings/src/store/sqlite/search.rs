//! Searching descriptions: block by block of consecutive events, passing over the blocks that cannot
//! contain the text, the ones with the first events of the list first.

use std::time::Instant;

use rusqlite::Connection;

use super::row::rev;
use super::select;
use super::viewer::Viewer;
use crate::search::GramFilter;
use crate::store::list_plan::ListPlan;
use crate::store::search_walk::{Candidate, FoundEvents, SearchWalk};
use crate::store::wanted::{Region, Wanted, sides};

/// The events that are wanted and contain `needle`, in the order of the list.
pub(super) fn find(
    connection: &Connection,
    viewer: &Viewer,
    needle: &str,
    plan: ListPlan<'_>,
) -> rusqlite::Result<FoundEvents> {
    let (wanted, began) = (plan.wanted, Instant::now());
    let candidates = candidates(connection, viewer, needle, wanted)?;
    let mut walk = SearchWalk::new(candidates, wanted, plan.limits, (plan.budget, began));
    while let Some(regions) = walk.next(1) {
        let limits = (0, walk.needed());
        for region in regions {
            walk.add(select::positions(
                connection,
                viewer,
                wanted,
                Some(region),
                limits,
            )?);
        }
    }
    Ok(walk.finish())
}

/// How many events are wanted and contain `needle`.
pub(super) fn count(
    connection: &Connection,
    viewer: &Viewer,
    needle: &str,
    wanted: Wanted<'_>,
) -> rusqlite::Result<u64> {
    let mut total = 0;
    for candidate in candidates(connection, viewer, needle, wanted)? {
        total += select::count(connection, viewer, wanted, Some(candidate.region))?;
    }
    Ok(total)
}

/// The blocks that may contain `needle`, and the part of each feed that is in no block yet.
fn candidates(
    connection: &Connection,
    viewer: &Viewer,
    needle: &str,
    wanted: Wanted<'_>,
) -> rusqlite::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    let (earliest, latest) = wanted.created_within();
    for side in sides(wanted.filter) {
        let Some(feed) = viewer.feed(side) else {
            continue;
        };
        let mut blocks = connection.prepare_cached(
            "SELECT first_rev, last_rev, oldest, newest, grams FROM search_block \
             WHERE feed = ?1 ORDER BY last_rev",
        )?;
        let mut rows = blocks.query([feed.key])?;
        while let Some(row) = rows.next()? {
            let (oldest, newest): (i64, i64) = (row.get(2)?, row.get(3)?);
            if newest < earliest || oldest > latest {
                continue;
            }
            let grams = GramFilter::from_bytes(row.get_ref(4)?.as_blob()?);
            if grams.may_contain(needle) {
                candidates.push(Candidate {
                    region: Region {
                        side,
                        first: rev(row, 0)?,
                        last: rev(row, 1)?,
                    },
                    oldest,
                    newest,
                });
            }
        }
        if feed.searched_rev < feed.bounds.head {
            candidates.push(Candidate::of_any_time(Region {
                side,
                first: feed.searched_rev.next(),
                last: feed.bounds.head,
            }));
        }
    }
    Ok(candidates)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use tidings_event::{
        Event, EventFilter, OwnerId, Severity, Sort, SortKey, SortOrder, Timestamp,
    };
    use uuid::Uuid;

    use super::*;
    use crate::search::fold;
    use crate::store::search_walk::TimeBudget;
    use crate::store::sqlite::connection::{open_read_connection, open_writer};
    use crate::store::sqlite::read_connection::ReadConnection;
    use crate::store::sqlite::search_blocks::add_blocks;
    use crate::{Config, Tidings};

    /// A store with 5,000 events, all of them in blocks, whose times are out of order here and there.
    async fn read_connection(directory: &Path, owner: OwnerId) -> ReadConnection {
        let tidings = Tidings::open(Config::new(directory)).await.unwrap();
        for thousand in 0..5 {
            let events = (0..1000).map(|number| {
                let number = thousand * 1000 + number;
                let text = format!("Deployed {} of {number}", number % 10);
                let mut event = Event::builder()
                    .from_user(*owner.as_uuid())
                    .acted_upon(Uuid::from_u128(1))
                    .with_category("deployment")
                    .with_action("apply")
                    .with_severity(Severity::Success)
                    .with_description(text)
                    .build()
                    .unwrap()
                    .into_event();
                let seconds = 1_700_000_000 + number / 4 + number * 7919 % 100;
                event.created_at = Timestamp::from_second(seconds).unwrap();
                event
            });
            tidings.publish_batch(events.collect()).await.unwrap();
        }
        tidings.close().await;
        let database = directory.join("tidings.db");
        let (mut writer, identity) = open_writer(&database, 1000, 1 << 26).unwrap();
        let connection = ReadConnection {
            connection: open_read_connection(&database).unwrap(),
            system: identity.system,
        };
        while let Some(blocks) = connection.new_search_blocks(0).unwrap() {
            let transaction = writer.transaction().unwrap();
            add_blocks(&transaction, &blocks).unwrap();
            transaction.commit().unwrap();
        }
        connection
    }

    #[tokio::test]
    async fn a_search_that_ran_out_of_time_continues_where_it_stopped() {
        let directory = tempfile::tempdir().unwrap();
        let owner = OwnerId::mint();
        let connection = read_connection(directory.path(), owner).await;
        let viewer = connection.viewer(owner).unwrap();
        let filter = EventFilter::default();
        let needle = fold("DEPLOYED 7");
        for order in [SortOrder::Descending, SortOrder::Ascending] {
            let mut wanted = Wanted {
                filter: &filter,
                needle: Some(&needle),
                sort: Sort {
                    key: SortKey::CreatedAt,
                    order,
                },
                after: None,
                up_to: None,
            };
            let find = |wanted, budget| {
                let plan = ListPlan {
                    wanted,
                    limits: (0, 10_000),
                    budget,
                };
                find(&connection.connection, &viewer, &needle, plan).unwrap()
            };
            let whole = find(wanted, TimeBudget::Unlimited);
            assert_eq!((whole.positions.len(), whole.stopped), (500, None));
            let (mut positions, mut stops) = (Vec::new(), 0);
            loop {
                let found = find(wanted, TimeBudget::Within(Duration::ZERO));
                positions.extend(found.positions);
                if found.stopped.is_none() {
                    break;
                }
                wanted.after = found.stopped;
                stops += 1;
            }
            assert_eq!(positions, whole.positions);
            assert!(stops > 5, "it stopped {stops} times");
        }
    }
}
