//! Searching descriptions: block by block of consecutive events, passing over the blocks that cannot
//! contain the text, the ones with the first events of the list first.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use tidings_event::{PageToken, Rev, SortKey, SortOrder};

use super::query::Query;
use super::read_fault::ReadFault;
use super::reading::Reading;
use super::row::rev;
use super::select;
use super::viewer::Viewer;
use crate::search::bits_of;
use crate::store::Side;
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

/// The most blocks of one statement: some thousand events. The first statements of a search have fewer, because
/// a page is often full after them.
const MOST_BLOCKS: usize = 16;

/// The most bits that a block is tested for: that many pass over almost all blocks that can be passed over.
const MOST_BITS: usize = 32;

/// The events that are wanted and contain `needle`, in the order of the list.
pub(super) async fn find(
    reading: &Reading<'_>,
    viewer: &Viewer,
    needle: &str,
    wanted: Wanted<'_>,
    (skip, limit): (u64, u64),
    budget: Budget,
) -> Result<Found, ReadFault> {
    let began = Instant::now();
    let mut candidates = candidates(reading, viewer, needle, wanted).await?;
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
    let (mut rest, mut number) = (candidates.as_slice(), 1);
    while let Some(next) = rest.first() {
        let first = bound(next);
        if positions.len() >= enough && is_before(positions[enough - 1].at, first) {
            break;
        }
        // Only if the list has advanced since it began, or the next page would begin here, too.
        let has_advanced = previous.is_some_and(|previous| {
            is_before(start.unwrap_or(previous), first) && is_before(previous, first)
        });
        if has_advanced && budget.is_spent(began) {
            positions.retain(|position| is_before(position.at, first));
            return Ok(Found {
                positions,
                stopped: Some(wanted.before(first)),
            });
        }
        let (now, later) = rest.split_at(rest.len().min(number));
        (rest, number) = (later, (number * 2).min(MOST_BLOCKS));
        // They are sorted by it, so that the last one has advanced the furthest.
        previous = now.last().map(bound);
        let regions: Vec<_> = now.iter().map(|candidate| candidate.region).collect();
        let limits = (0, needed);
        let found = select::positions(reading, viewer, wanted, Some(&regions), limits).await?;
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

/// Merges the positions of other regions with those before; most come after all of them.
fn merge(positions: &mut Vec<ListPosition>, found: Vec<ListPosition>, order: SortOrder) {
    let compare = |one: &ListPosition, other: &ListPosition| one.compare(other, order);
    let Some(first) = found.first() else { return };
    let overlap = positions.partition_point(|position| compare(position, first).is_lt());
    positions.extend(found);
    positions[overlap..].sort_by(compare);
}

/// How many events are wanted and contain `needle`.
pub(super) async fn count(
    reading: &Reading<'_>,
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

/// The blocks that may contain `needle`, and of each feed what is in no block yet.
async fn candidates(
    reading: &Reading<'_>,
    viewer: &Viewer,
    needle: &str,
    wanted: Wanted<'_>,
) -> Result<Vec<Candidate>, ReadFault> {
    let mut candidates = Vec::new();
    // No text has this letter, which PostgreSQL refuses.
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
            candidates.push(Candidate {
                region: region(side, searched.next(), feed.bounds.head),
                oldest: i64::MIN,
                newest: i64::MAX,
            });
        }
    }
    Ok(candidates)
}

const fn region(side: Side, first: Rev, last: Rev) -> Region {
    Region { side, first, last }
}

/// The blocks of a feed that may contain `needle` and have events of the time that the filter and the page ask
/// for.
fn blocks(owner: uuid::Uuid, needle: &str, wanted: Wanted<'_>) -> Query {
    let filter = wanted.filter;
    let mut earliest = filter.from.map_or(i64::MIN, nanoseconds);
    let mut latest = filter.to.map_or(i64::MAX, nanoseconds);
    if let (Some(token), SortKey::CreatedAt) = (wanted.after, wanted.sort.key) {
        match wanted.sort.order {
            SortOrder::Descending => latest = latest.min(nanoseconds(token.at)),
            SortOrder::Ascending => earliest = earliest.max(nanoseconds(token.at)),
        }
    }
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
