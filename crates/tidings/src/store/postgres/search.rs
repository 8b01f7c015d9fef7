//! Searches descriptions. A search goes through blocks of consecutive events in the order of the list, and skips
//! the blocks that cannot contain the text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Instant;

use tidings_event::Rev;

use super::query::Query;
use super::read_fault::ReadFault;
use super::read_transaction::ReadTransaction;
use super::row::rev;
use super::select;
use super::viewer::Viewer;
use crate::search::bits_of;
use crate::store::Side;
use crate::store::list_plan::ListPlan;
use crate::store::search_walk::{Candidate, FoundEvents, SearchWalk};
use crate::store::wanted::{Region, Wanted, sides};

/// The most blocks of one statement: some thousand events. The first statements of a search have fewer, because
/// a page is often full after them.
const MOST_BLOCKS: usize = 16;

/// The most bits that a block is tested for. More bits would skip hardly any further block.
const MOST_BITS: usize = 32;

/// The events that are wanted and contain `needle`, in the order of the list.
pub(super) async fn find(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    needle: &str,
    plan: ListPlan<'_>,
) -> Result<FoundEvents, ReadFault> {
    let (wanted, began) = (plan.wanted, Instant::now());
    let candidates = candidates(reading, viewer, needle, wanted).await?;
    let mut walk = SearchWalk::new(candidates, wanted, plan.limits, (plan.budget, began));
    let mut number = 1;
    while let Some(regions) = walk.next(number) {
        number = (number * 2).min(MOST_BLOCKS);
        let limits = (0, walk.needed());
        walk.add(select::positions(reading, viewer, wanted, Some(&regions), limits).await?);
    }
    Ok(walk.finish())
}

/// How many events are wanted and contain `needle`.
pub(super) async fn count(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    needle: &str,
    wanted: Wanted<'_>,
) -> Result<u64, ReadFault> {
    let mut total = 0;
    let candidates = candidates(reading, viewer, needle, wanted).await?;
    for some in candidates.chunks(MOST_BLOCKS) {
        let regions: Vec<_> = some.iter().map(|candidate| candidate.region).collect();
        total += select::count(reading, viewer, wanted, Some(&regions)).await?;
    }
    Ok(total)
}

/// The blocks that may contain `needle`, and the part of each feed that is in no block yet.
async fn candidates(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    needle: &str,
    wanted: Wanted<'_>,
) -> Result<Vec<Candidate>, ReadFault> {
    let mut candidates = Vec::new();
    // No text has this letter, which PostgreSQL rejects.
    if needle.contains('\0') {
        return Ok(candidates);
    }
    for side in sides(wanted.filter) {
        let Some(feed) = viewer.feed(side) else {
            continue;
        };
        let searched = Query::new("SELECT searched_rev FROM search_feed WHERE owner = $1")
            .with(*feed.owner.as_uuid());
        let searched = match reading.rows(searched).await?.first() {
            Some(row) => rev(row, 0)?,
            None => Rev::ZERO,
        };
        if searched > Rev::ZERO {
            let query = blocks(*feed.owner.as_uuid(), needle, wanted);
            for row in reading.rows(query).await? {
                candidates.push(Candidate {
                    region: region(side, rev(&row, 0)?, rev(&row, 1)?),
                    oldest: row.try_get(2)?,
                    newest: row.try_get(3)?,
                });
            }
        }
        if searched < feed.bounds.head {
            let region = region(side, searched.next(), feed.bounds.head);
            candidates.push(Candidate::of_any_time(region));
        }
    }
    Ok(candidates)
}

const fn region(side: Side, first: Rev, last: Rev) -> Region {
    Region { side, first, last }
}

/// The blocks of a feed that may contain `needle` and have events in the time range of the filter and the page.
fn blocks(owner: uuid::Uuid, needle: &str, wanted: Wanted<'_>) -> Query {
    let (earliest, latest) = wanted.created_within();
    let mut query = Query::new(
        "SELECT first_rev, last_rev, oldest, newest FROM search_block \
         WHERE owner = $1 AND newest >= $2 AND oldest <= $3",
    )
    .with(owner)
    .with(earliest)
    .with(latest);
    let bits: BTreeSet<_> = bits_of(needle).take(MOST_BITS).collect();
    for bit in bits {
        let _ = write!(query.sql, " AND get_bit(grams, {bit}) = 1");
    }
    query
}
