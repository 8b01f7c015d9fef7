//! The search index: blocks of consecutive events, built in the background.

use rusqlite::{OptionalExtension as _, Transaction, params};
use tidings_event::Rev;

use super::created_events::{CreatedEvents, EventSelect};
use super::lists::{List, Listed};
use super::newest::Newest;
use super::read_connection::ReadConnection;
use super::row::{DESCRIPTION, rev, rev_to_sql};
use super::viewer::SeenFeed;
use crate::search::{BlockBuilder, GramFilter};

/// The most blocks that are built at a time, and the bytes of text after which no further one is begun: the end
/// of the store waits for them.
const BLOCKS_AT_A_TIME: usize = 64;
const BYTES_AT_A_TIME: usize = 1024 * 1024;

/// A block of the index.
#[derive(Debug)]
struct Block {
    first: Rev,
    last: Rev,
    oldest: i64,
    newest: i64,
    grams: GramFilter,
}

/// The next blocks of a feed with enough events that are in no block.
#[derive(Debug)]
pub(super) struct NewBlocks {
    feed: i64,
    /// The last indexed rev before these blocks.
    before: Rev,
    /// The last indexed rev with these blocks.
    after: Rev,
    /// The head of the feed when its events were read.
    head: Rev,
    blocks: Vec<Block>,
}

impl NewBlocks {
    /// The key of their feed.
    pub(super) const fn feed(&self) -> i64 {
        self.feed
    }
}

impl ReadConnection {
    /// Builds the next blocks of the first feed after `after` that needs some, or else of the first feed.
    /// `None` if no feed needs any.
    pub(crate) fn new_search_blocks(&self, after: i64) -> rusqlite::Result<Option<NewBlocks>> {
        let transaction = self.connection.unchecked_transaction()?;
        // The index's own condition; see `0002_inbox.sql`.
        let sql = format!(
            "SELECT {} FROM feed INDEXED BY feed_to_index \
             WHERE head - searched_rev >= 512 ORDER BY key <= ?1, key LIMIT 1",
            SeenFeed::COLUMNS
        );
        let waiting = self
            .connection
            .prepare_cached(&sql)?
            .query_row([after], SeenFeed::read)
            .optional()?;
        let Some(feed) = waiting else {
            return Ok(None);
        };
        let new = self.blocks_of(&feed)?;
        transaction.finish()?;
        Ok(Some(new))
    }

    fn blocks_of(&self, feed: &SeenFeed) -> rusqlite::Result<NewBlocks> {
        let (before, head) = (feed.searched_rev, feed.bounds.head);
        let events = CreatedEvents {
            feed: feed.key,
            newest: &feed.newest()?,
            after: before,
            up_to: head,
        };
        let reading = EventSelect {
            columns: &format!("event.created_rev, event.created_at, {DESCRIPTION}"),
            joins: "",
            conditions: "",
            values: &[],
        };
        let mut blocks = Vec::new();
        let mut filling: Option<(BlockBuilder, Block)> = None;
        let mut reached = before;
        let mut bytes = 0;
        events.read(&self.connection, reading, |row| {
            let (rev, created_at): (Rev, i64) = (rev(row, 0)?, row.get(1)?);
            let (builder, block) = filling.get_or_insert_with(|| {
                let block = Block {
                    first: reached.next(),
                    last: rev,
                    oldest: created_at,
                    newest: created_at,
                    grams: GramFilter::from_bytes(&[]),
                };
                (BlockBuilder::new(), block)
            });
            let text = row.get_ref(2)?.as_str()?;
            bytes += text.len();
            builder.add(text);
            block.last = rev;
            block.oldest = block.oldest.min(created_at);
            block.newest = block.newest.max(created_at);
            if builder.is_full()
                && let Some((builder, mut block)) = filling.take()
            {
                block.grams = builder.finish();
                reached = block.last;
                blocks.push(block);
            }
            let has_room = bytes < BYTES_AT_A_TIME || filling.is_some();
            Ok(blocks.len() < BLOCKS_AT_A_TIME && has_room)
        })?;
        // The feed has more changes than new events: its few events make a block.
        if blocks.is_empty() {
            reached = head;
            if let Some((builder, mut block)) = filling {
                block.last = head;
                block.grams = builder.finish();
                blocks.push(block);
            }
        }
        Ok(NewBlocks {
            feed: feed.key,
            before,
            after: reached,
            head,
            blocks,
        })
    }
}

/// Stores new blocks, unless the feed got some since they were made, or one of their events got another text.
pub(super) fn add_blocks(transaction: &Transaction<'_>, new: &NewBlocks) -> rusqlite::Result<()> {
    if has_other_texts(transaction, new)? {
        return Ok(());
    }
    let moved = transaction
        .prepare_cached("UPDATE feed SET searched_rev = ?3 WHERE key = ?1 AND searched_rev = ?2")?
        .execute((new.feed, rev_to_sql(new.before)?, rev_to_sql(new.after)?))?;
    if moved == 0 {
        return Ok(());
    }
    let mut insert = transaction.prepare_cached(
        "INSERT INTO search_block (feed, first_rev, last_rev, oldest, newest, grams) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for block in &new.blocks {
        insert.execute(params![
            new.feed,
            rev_to_sql(block.first)?,
            rev_to_sql(block.last)?,
            block.oldest,
            block.newest,
            block.grams.to_bytes(),
        ])?;
    }
    Ok(())
}

/// Whether an event of the blocks was updated after it was read.
fn has_other_texts(transaction: &Transaction<'_>, new: &NewBlocks) -> rusqlite::Result<bool> {
    let newest = transaction
        .prepare_cached("SELECT newest FROM feed WHERE key = ?1")?
        .query_row([new.feed], |row| Newest::read(row, 0))?;
    let is_later = |event: &Listed| {
        event.created_rev <= new.after && event.content_rev.is_some_and(|rev| rev > new.head)
    };
    if newest.iter().any(is_later) {
        return Ok(true);
    }
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM listed CROSS JOIN event ON event.key = listed.event \
         WHERE listed.feed = ?1 AND listed.list = {} AND listed.at > ?2 \
         AND event.created_rev <= ?3)",
        List::CONTENT_REV.number()
    );
    let (head, last) = (rev_to_sql(new.head)?, rev_to_sql(new.after)?);
    transaction
        .prepare_cached(&sql)?
        .query_row((new.feed, head, last), |row| row.get(0))
}

/// Adds the new text of an event to its block, if it is in one. The letters of the old text stay in it.
pub(super) fn add_text(
    transaction: &Transaction<'_>,
    feed: i64,
    created_rev: Rev,
    text: &str,
) -> rusqlite::Result<()> {
    let block: Option<(i64, Vec<u8>)> = transaction
        .prepare_cached(
            "SELECT key, grams FROM search_block WHERE feed = ?1 AND last_rev >= ?2 \
             AND first_rev <= ?2 ORDER BY last_rev LIMIT 1",
        )?
        .query_row((feed, rev_to_sql(created_rev)?), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((key, grams)) = block else {
        return Ok(());
    };
    let with_text = GramFilter::from_bytes(&grams).with_text(text).to_bytes();
    if with_text != grams {
        transaction
            .prepare_cached("UPDATE search_block SET grams = ?2 WHERE key = ?1")?
            .execute((key, with_text))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tidings_event::{Event, EventFilter, OwnerId, PageRequest, Severity, Status, Timestamp};
    use uuid::Uuid;

    use crate::store::sqlite::SqliteStore;
    use crate::store::{ContentUpdate, Group, Progress, Store as _};
    use crate::{Config, Tidings};

    /// Closing the store waits for a step.
    #[tokio::test]
    async fn a_step_reads_little_more_than_its_bytes_of_text() {
        const EVENTS: usize = 1_600;
        let directory = tempfile::tempdir().unwrap();
        let owner = OwnerId::mint();
        let tidings = Tidings::open(Config::new(directory.path())).await.unwrap();
        let text = "deployed ".repeat(440);
        for _ in 0..EVENTS / 400 {
            let event = |_| {
                let event = Event::builder()
                    .for_user(owner)
                    .acted_upon(Uuid::from_u128(1))
                    .with_category("deployment")
                    .with_action("apply")
                    .with_severity(Severity::Success)
                    .with_description(text.clone());
                event.build().unwrap()
            };
            let batch = (0..400).map(event).collect();
            tidings.publish_batch(batch).await.unwrap();
        }
        tidings.close().await;
        let store = SqliteStore::open(directory.path()).unwrap();
        let forget = "UPDATE feed SET searched_rev = 0; DELETE FROM search_block;";
        let forgotten = store
            .writer
            .upkeep_beside_feeds_if_room(move |transaction| transaction.execute_batch(forget));
        forgotten.await.unwrap();
        let step = store
            .upkeep_pool
            .read(|connection| connection.new_search_blocks(0));
        let step = step.await.unwrap().unwrap();
        let read = step.after.get() - step.before.get();
        // A step finishes the block that it has begun.
        assert!(step.blocks.len() <= 2, "{read} events");
        assert!((1..EVENTS as u64 / 2).contains(&read), "{read}");
        store.close().await;
    }

    /// An update that is committed after a block is made, before it is stored.
    #[tokio::test]
    async fn a_block_with_an_outdated_text_is_made_again() {
        // The events are in the row of the feed, or in its lists.
        for events in [10, 100] {
            blocks_are_made_again(events).await;
        }
    }

    async fn blocks_are_made_again(events: u64) {
        let directory = tempfile::tempdir().unwrap();
        let owner = OwnerId::mint();
        let tidings = Tidings::open(Config::new(directory.path())).await.unwrap();
        let event = |number| {
            let event = Event::builder()
                .for_user(owner)
                .acted_upon(Uuid::from_u128(1))
                .with_category("deployment")
                .with_action("apply")
                .with_severity(Severity::Success)
                .with_description(format!("event {number}"));
            event.build().unwrap()
        };
        let published = tidings
            .publish_batch((0..events).map(event).collect())
            .await;
        let ids: Vec<_> = published.unwrap().iter().map(|one| one.id).collect();
        for mark in 0..600 {
            let status = if mark % 2 == 0 {
                Status::Read
            } else {
                Status::Unread
            };
            tidings.set_status(owner, ids[0], status).await.unwrap();
        }
        tidings.close().await;
        let id = ids[3];
        let store = SqliteStore::open(directory.path()).unwrap();
        let forget = "UPDATE feed SET searched_rev = 0; DELETE FROM search_block;";
        let forgotten = store
            .writer
            .upkeep_beside_feeds_if_room(move |transaction| transaction.execute_batch(forget));
        forgotten.await.unwrap();
        let made = store
            .upkeep_pool
            .read(|connection| connection.new_search_blocks(0));
        let made = made.await.unwrap().unwrap();
        assert_eq!(
            made.after.get(),
            made.head.get(),
            "the last event is in a block"
        );
        let update = ContentUpdate {
            owner,
            id,
            severity: Severity::Success,
            description: format!("needle {id}").into(),
            metadata: None,
            sequence: None,
            renotify: false,
            systems: None,
            shared: None,
            at: Timestamp::now(),
            quota: None,
            event_bytes: usize::MAX,
        };
        let group = Group {
            updates: vec![update],
            ..Group::default()
        };
        store.commit(Box::new(|| group)).await.unwrap();
        let blocks = "SELECT count(*) FROM search_block";
        let added = store
            .writer
            .upkeep_beside_feeds_if_room(move |transaction| {
                super::add_blocks(transaction, &made)?;
                transaction.query_row(blocks, [], |row| row.get::<_, i64>(0))
            });
        assert_eq!(added.await.unwrap(), 0);
        while store.tidy().await.unwrap() == Progress::More {}
        let mut filter = EventFilter::default();
        filter.search = Some(format!("needle {id}"));
        let page = PageRequest::default();
        let found = store.list(owner, filter, page, 100_000).await.unwrap();
        assert_eq!(found.total, Some(1));
        store.close().await;
    }
}
