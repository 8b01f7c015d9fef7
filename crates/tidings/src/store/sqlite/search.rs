//! Searching descriptions: block by block of consecutive events, passing over the blocks that cannot
//! contain the text, the ones with the first events of the list first.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use tidings_event::{PageToken, SortKey, SortOrder};

use super::row::rev;
use super::select;
use super::viewer::Viewer;
use crate::search::GramFilter;
use crate::store::list_position::ListPosition;
use crate::store::moment::nanoseconds;
use crate::store::wanted::{Region, Wanted, sides};

/// How long a search may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Budget {
    /// About this long, but at least as long as it takes to advance in the list.
    Within(Duration),
    /// Until it is done.
    Unlimited,
}

impl Budget {
    /// For a caller that can continue with the next page.
    pub(super) const OF_PAGE: Self = Self::Within(Duration::from_millis(50));

    fn is_spent(self, since: Instant) -> bool {
        match self {
            Self::Within(time) => since.elapsed() >= time,
            Self::Unlimited => false,
        }
    }
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) positions: Vec<ListPosition>,
    /// Where the next page begins, if the time was up.
    pub(super) stopped: Option<PageToken>,
}

/// A region with bounds for the times at which its events were created.
#[derive(Debug)]
struct Candidate {
    region: Region,
    oldest: i64,
    newest: i64,
}

/// The events that are wanted and contain `needle`, in the order of the list.
pub(super) fn find(
    connection: &Connection,
    viewer: &Viewer,
    needle: &str,
    wanted: Wanted<'_>,
    (skip, limit): (u64, u64),
    budget: Budget,
) -> rusqlite::Result<Found> {
    let began = Instant::now();
    let mut candidates = candidates(connection, viewer, needle, wanted)?;
    let order = wanted.sort.order;
    // The first position in the list that an event of the region can have. The blocks do not know when
    // events were changed: a list sorted by that reads all regions.
    let bound = |candidate: &Candidate| match (wanted.sort.key, order) {
        (SortKey::CreatedAt, SortOrder::Descending) => candidate.newest,
        (SortKey::CreatedAt, SortOrder::Ascending) => candidate.oldest,
        (SortKey::UpdatedAt, SortOrder::Descending) => i64::MAX,
        (SortKey::UpdatedAt, SortOrder::Ascending) => i64::MIN,
    };
    let is_before = |left: i64, right: i64| match order {
        SortOrder::Descending => left > right,
        SortOrder::Ascending => left < right,
    };
    candidates.sort_unstable_by_key(bound);
    if order == SortOrder::Descending {
        candidates.reverse();
    }
    let needed = skip.saturating_add(limit);
    let enough = usize::try_from(needed).unwrap_or(usize::MAX);
    let start = wanted.after.map(|token| nanoseconds(token.at));
    let mut positions: Vec<ListPosition> = Vec::new();
    let mut previous: Option<i64> = None;
    for candidate in candidates {
        let bound = bound(&candidate);
        if positions.len() >= enough && is_before(positions[enough - 1].at, bound) {
            break;
        }
        // Only if the list has advanced since it began, or the next page would begin here, too.
        let has_advanced = previous.is_some_and(|previous| {
            is_before(start.unwrap_or(previous), bound) && is_before(previous, bound)
        });
        if has_advanced && budget.is_spent(began) {
            positions.retain(|position| is_before(position.at, bound));
            return Ok(Found {
                positions,
                stopped: Some(wanted.before(bound)),
            });
        }
        previous = Some(previous.map_or(bound, |previous| match order {
            SortOrder::Descending => previous.min(bound),
            SortOrder::Ascending => previous.max(bound),
        }));
        let region = Some(candidate.region);
        let found = select::positions(connection, viewer, wanted, region, (0, needed))?;
        merge(&mut positions, found, order);
        positions.truncate(enough);
    }
    let skip = usize::try_from(skip).unwrap_or(usize::MAX);
    positions.drain(..skip.min(positions.len()));
    Ok(Found {
        positions,
        stopped: None,
    })
}

/// Merges the positions of another region with those before; most come after all of them.
fn merge(positions: &mut Vec<ListPosition>, found: Vec<ListPosition>, order: SortOrder) {
    let compare = |one: &ListPosition, other: &ListPosition| one.compare(other, order);
    let Some(first) = found.first() else { return };
    let overlap = positions.partition_point(|position| compare(position, first).is_lt());
    positions.extend(found);
    positions[overlap..].sort_by(compare);
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

/// The blocks that may contain `needle`, and of each feed what is in no block yet.
fn candidates(
    connection: &Connection,
    viewer: &Viewer,
    needle: &str,
    wanted: Wanted<'_>,
) -> rusqlite::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    let filter = wanted.filter;
    // The bounds that the filter and the page set for the time of creation.
    let mut earliest = filter.from.map_or(i64::MIN, nanoseconds);
    let mut latest = filter.to.map_or(i64::MAX, nanoseconds);
    if let (Some(token), SortKey::CreatedAt) = (wanted.after, wanted.sort.key) {
        match wanted.sort.order {
            SortOrder::Descending => latest = latest.min(nanoseconds(token.at)),
            SortOrder::Ascending => earliest = earliest.max(nanoseconds(token.at)),
        }
    }
    for side in sides(filter) {
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
            candidates.push(Candidate {
                region: Region {
                    side,
                    first: feed.searched_rev.next(),
                    last: feed.bounds.head,
                },
                oldest: i64::MIN,
                newest: i64::MAX,
            });
        }
    }
    Ok(candidates)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tidings_event::{Event, EventFilter, OwnerId, Severity, Sort, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::search::fold;
    use crate::store::sqlite::connection::{open_read_connection, open_writer};
    use crate::store::sqlite::read_pool::ReadConnection;
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
                let limits = (0, 10_000);
                find(
                    &connection.connection,
                    &viewer,
                    &needle,
                    wanted,
                    limits,
                    budget,
                )
                .unwrap()
            };
            let whole = find(wanted, Budget::Unlimited);
            assert_eq!((whole.positions.len(), whole.stopped), (500, None));
            let (mut positions, mut stops) = (Vec::new(), 0);
            loop {
                let found = find(wanted, Budget::Within(Duration::ZERO));
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
