//! The search index: blocks of consecutive events, built in the background.

use tidings_event::{OwnerId, Rev};
use tokio_postgres::Client;
use uuid::Uuid;

use super::query::Query;
use super::read_fault::ReadFault;
use super::read_transaction::rows;
use super::row::{description, rev, rev_to_sql};
use crate::search::BlockBuilder;
use crate::store::Progress;

/// How many feeds a step looks at. In an installation with a million feeds, a step reaches each feed every quarter of
/// an hour.
const FEEDS_AT_A_TIME: usize = 1_000;

/// The most blocks that are built at a time, and the bytes of text after which no further one is begun.
const BLOCKS_AT_A_TIME: usize = 64;
const BYTES_AT_A_TIME: usize = 1024 * 1024;

/// The most events of one statement.
const EVENTS_AT_A_TIME: usize = 512;

/// A feed gets new blocks once this many of its revs are in no block.
const ENOUGH_REVS: i64 = 512;

/// The first feed after `$1` that has enough revs, and the last feed that the step has looked at.
const WAITING: &str = "\
    WITH feeds AS MATERIALIZED (\
        SELECT feed.owner, feed.head, coalesce(search_feed.searched_rev, 0) AS searched_rev \
        FROM (SELECT owner, head FROM feed WHERE owner > $1 ORDER BY owner LIMIT $2) AS feed \
        LEFT JOIN search_feed ON search_feed.owner = feed.owner), \
    waiting AS (SELECT * FROM feeds WHERE head - searched_rev >= $3 ORDER BY owner LIMIT 1) \
    SELECT (SELECT owner FROM feeds ORDER BY owner DESC LIMIT 1), \
    waiting.owner, waiting.head, waiting.searched_rev \
    FROM (VALUES (1)) AS step LEFT JOIN waiting ON true";

/// The events of a feed that were created in a range.
const EVENTS: &str = concat!(
    "SELECT created_rev, created_at, ",
    description!(),
    " FROM event WHERE owner = $1 AND created_rev > $2 AND created_rev <= $3 \
     ORDER BY created_rev LIMIT $4"
);

/// Stores blocks, unless the feed got blocks or one of their events got another text since the blocks were made. Also
/// removes the first blocks of the feed that have no events left, since retention deletes the oldest events first.
const ADD: &str = "\
    WITH locked AS MATERIALIZED (SELECT head FROM feed WHERE owner = $1 FOR UPDATE), \
    unchanged AS MATERIALIZED (SELECT 1 FROM locked WHERE head = (SELECT seen.head FROM feed AS seen \
        WHERE seen.owner = $1) \
        AND NOT EXISTS (SELECT 1 FROM event WHERE owner = $1 AND content_rev > $9 \
        AND created_rev <= $3)), \
    moved AS (INSERT INTO search_feed AS known (owner, searched_rev) SELECT $1, $3 FROM unchanged \
        ON CONFLICT (owner) DO UPDATE SET searched_rev = excluded.searched_rev \
        WHERE known.searched_rev = $2 RETURNING owner), \
    oldest AS (SELECT first_rev, last_rev FROM search_block WHERE owner = $1 \
        ORDER BY last_rev LIMIT 64), \
    forgotten AS (DELETE FROM search_block USING oldest \
        WHERE search_block.owner = $1 AND search_block.last_rev = oldest.last_rev \
        AND NOT EXISTS (SELECT 1 FROM event WHERE event.owner = $1 \
        AND event.created_rev BETWEEN oldest.first_rev AND oldest.last_rev)) \
    INSERT INTO search_block (owner, first_rev, last_rev, oldest, newest, grams) \
    SELECT $1, block.first_rev, block.last_rev, block.oldest, block.newest, block.grams \
    FROM unnest($4, $5, $6, $7, $8) AS block (first_rev, last_rev, oldest, newest, grams), moved";

/// The columns of new blocks.
#[derive(Debug, Default)]
struct Blocks {
    first: Vec<i64>,
    last: Vec<i64>,
    oldest: Vec<i64>,
    newest: Vec<i64>,
    grams: Vec<Vec<u8>>,
}

/// A feed that gets blocks.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    owner: Uuid,
    head: Rev,
    searched: Rev,
}

/// A block that is being filled.
struct Filling {
    builder: BlockBuilder,
    first: Rev,
    oldest: i64,
    newest: i64,
}

impl Blocks {
    /// Adds a block that ends with a rev.
    fn add(&mut self, filled: Filling, last: Rev) {
        self.first.push(rev_to_sql(filled.first));
        self.last.push(rev_to_sql(last));
        self.oldest.push(filled.oldest);
        self.newest.push(filled.newest);
        self.grams.push(filled.builder.finish().to_bytes());
    }

    const fn number(&self) -> usize {
        self.last.len()
    }
}

/// Builds the next blocks of a feed after `after`, if one of the next feeds needs some. Returns where the next
/// step begins: with the first feed after the last.
pub(super) async fn build_some(
    client: &Client,
    after: OwnerId,
) -> Result<(Progress, OwnerId), ReadFault> {
    let first = OwnerId::from_uuid(Uuid::nil());
    let mut after = after;
    loop {
        let most = i64::try_from(FEEDS_AT_A_TIME).unwrap_or(i64::MAX);
        let query = Query::new(WAITING)
            .with(*after.as_uuid())
            .with(most)
            .with(ENOUGH_REVS);
        let found = rows(client, query).await?;
        let Some(row) = found.first() else {
            return Ok((Progress::Done, after));
        };
        if let Some(owner) = row.try_get(1)? {
            let waiting = Waiting {
                owner,
                head: rev(row, 2)?,
                searched: rev(row, 3)?,
            };
            let reached = build(client, waiting).await?;
            // A feed is finished before the next one: the way around all feeds can be long.
            let left = rev_to_sql(waiting.head) - rev_to_sql(reached);
            return Ok(match left < ENOUGH_REVS {
                true => (Progress::More, OwnerId::from_uuid(owner)),
                false => (Progress::More, after),
            });
        }
        match row.try_get(0)? {
            Some(last) => return Ok((Progress::Done, OwnerId::from_uuid(last))),
            None if after == first => return Ok((Progress::Done, first)),
            // After the last feed comes the first.
            None => after = first,
        }
    }
}

/// Builds the next blocks of a feed. Returns how far they go.
async fn build(client: &Client, feed: Waiting) -> Result<Rev, ReadFault> {
    let mut blocks = Blocks::default();
    let mut filling: Option<Filling> = None;
    // The ends of the last block, and of what was read.
    let (mut reached, mut read) = (feed.searched, feed.searched);
    let mut bytes = 0;
    'reading: loop {
        let most = i64::try_from(EVENTS_AT_A_TIME).unwrap_or(i64::MAX);
        let query = Query::new(EVENTS)
            .with(feed.owner)
            .with(rev_to_sql(read))
            .with(rev_to_sql(feed.head))
            .with(most);
        let events = rows(client, query).await?;
        for row in &events {
            let (rev, created_at): (Rev, i64) = (rev(row, 0)?, row.try_get(1)?);
            let text: &str = row.try_get(2)?;
            let mut block = filling.take().unwrap_or_else(|| Filling {
                builder: BlockBuilder::new(),
                first: reached.next(),
                oldest: created_at,
                newest: created_at,
            });
            bytes += text.len();
            block.builder.add(text);
            block.oldest = block.oldest.min(created_at);
            block.newest = block.newest.max(created_at);
            read = rev;
            if block.builder.is_full() {
                blocks.add(block, rev);
                reached = rev;
            } else {
                filling = Some(block);
            }
            let has_room = bytes < BYTES_AT_A_TIME || filling.is_some();
            if blocks.number() >= BLOCKS_AT_A_TIME || !has_room {
                break 'reading;
            }
        }
        if events.len() < EVENTS_AT_A_TIME {
            break;
        }
    }
    // The feed has more changes than new events: its few events make a block.
    if blocks.number() == 0 {
        reached = feed.head;
        if let Some(block) = filling {
            blocks.add(block, feed.head);
        }
    }
    let query = Query::new(ADD)
        .with(feed.owner)
        .with(rev_to_sql(feed.searched))
        .with(rev_to_sql(reached))
        .with(blocks.first)
        .with(blocks.last)
        .with(blocks.oldest)
        .with(blocks.newest)
        .with(blocks.grams)
        .with(rev_to_sql(feed.head));
    rows(client, query).await?;
    Ok(reached)
}
