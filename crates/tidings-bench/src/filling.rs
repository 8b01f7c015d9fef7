//! Stores that are filled before a measurement: their events by SQLite alone, with the same rows each
//! time, as the engine would write them, and their lists by the engine.

use std::fs::{self, File};
use std::iter::repeat_n;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fastrand::Rng;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tempfile::TempDir;
use tidings::{Config, Tidings};
use tidings_event::{OwnerId, Severity, Status, Timestamp};

use crate::Bench;
use crate::content::{Description, FAILURE, mint_id};
use crate::engine::Engine;
use crate::raw::{self, Row};
use crate::waiting::until_none_is_left;

/// The events written per transaction.
const COMMIT: usize = 200_000;

/// The period over which the events are spread.
const AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The longest time after which an event is read.
const UNREAD: Duration = Duration::from_secs(24 * 60 * 60);

/// The severities of 20 events.
const SEVERITIES: [(Severity, usize); 4] = [
    (Severity::Error, 1),
    (Severity::Warning, 2),
    (Severity::Success, 2),
    (Severity::Informational, 15),
];

/// The plan of an inbox.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inbox {
    pub(crate) owner: OwnerId,
    pub(crate) events: usize,
    /// One event in this many has [`Description::RARE_WORD`] in its description.
    pub(crate) rare_word_every: usize,
}

/// The plan of a store. The events of all inboxes are interleaved as they would have arrived.
#[derive(Clone, Debug)]
pub(crate) struct Filling {
    pub(crate) inboxes: Vec<Inbox>,
    /// How many of the events were read, of all severities alike.
    pub(crate) read_percent: u32,
}

/// A filled store that no engine has open. It is removed on drop.
#[derive(Debug)]
pub(crate) struct FilledStore {
    directory: TempDir,
    filled: Duration,
    indexed: Duration,
}

/// A feed that is being filled.
struct Feed {
    inbox: Inbox,
    key: i64,
    head: i64,
    /// The number of events so far.
    events: usize,
}

impl Filling {
    /// Creates a store and lets the engine index it for search.
    pub(crate) async fn fill(&self, bench: &Bench) -> anyhow::Result<FilledStore> {
        let directory = bench.directory()?;
        let data = data(&directory);
        let engine = Tidings::open(Config::new(&data)).await?;
        engine.close().await;
        let begun = Instant::now();
        self.write(&data)?;
        // The engine fills the lists and counts.
        tidings::sqlite::rebuild(&data)?;
        let filled = begun.elapsed();
        index(bench, &data).await?;
        Ok(FilledStore {
            directory,
            filled,
            indexed: begun.elapsed().saturating_sub(filled),
        })
    }

    fn write(&self, data: &Path) -> anyhow::Result<()> {
        let mut connection = Connection::open(data.join("tidings.db"))?;
        // A store that loses power while it is filled is filled again.
        connection.pragma_update(None, "journal_mode", "off")?;
        connection.pragma_update(None, "synchronous", "off")?;
        // In KiB, and so large that no page is written twice in a transaction.
        connection.pragma_update(None, "cache_size", -1024 * 1024)?;
        fastrand::seed(1);
        let mut random = Rng::with_seed(2);
        let mut feeds = Vec::with_capacity(self.inboxes.len());
        for inbox in &self.inboxes {
            feeds.push(Feed {
                inbox: *inbox,
                key: raw::begin_feed(&connection, *inbox.owner.as_uuid())?,
                head: 0,
                events: 0,
            });
        }
        // Whose event is the next one.
        let mut turns: Vec<u16> = Vec::new();
        for (index, inbox) in (0..).zip(&self.inboxes) {
            turns.extend(repeat_n(index, inbox.events));
        }
        random.shuffle(&mut turns);
        let step = i64::try_from(AGE.as_nanos())? / i64::try_from(turns.len().max(1))?;
        let now = i64::try_from(Timestamp::now().as_nanosecond())?;
        let mut moment = now - i64::try_from((AGE + UNREAD).as_nanos())?;
        let severities: Vec<Severity> = SEVERITIES
            .iter()
            .flat_map(|(severity, share)| repeat_n(*severity, *share))
            .collect();
        let mut description = Description::default();
        for part in turns.chunks(COMMIT) {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for index in part {
                let feed = &mut feeds[usize::from(*index)];
                // Spread evenly, so that a store has the exact number of each.
                let severity = severities[feed.events % severities.len()];
                let is_read = random.u32(0..100) < self.read_percent;
                moment += step;
                feed.add(
                    &transaction,
                    &mut random,
                    &mut description,
                    (severity, is_read),
                    moment,
                )?;
            }
            transaction.commit()?;
        }
        let transaction = connection.transaction()?;
        for feed in &feeds {
            raw::set_head(&transaction, feed.key, feed.head)?;
        }
        transaction.commit()?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        Ok(())
    }
}

impl Feed {
    fn add(
        &mut self,
        transaction: &Transaction<'_>,
        random: &mut Rng,
        description: &mut Description,
        (severity, is_read): (Severity, bool),
        created_at: i64,
    ) -> anyhow::Result<()> {
        let every = self.inbox.rare_word_every;
        // Not with the first nor the last one.
        let has_rare_word = self.events % every == every / 2;
        let (category, action) = description.make(random, has_rare_word);
        self.events += 1;
        self.head += 1;
        let created_rev = self.head;
        let (mut status, mut changed_rev, mut updated_at) = (Status::Unread, None, created_at);
        if is_read {
            self.head += 1;
            status = Status::Read;
            changed_rev = Some(self.head);
            updated_at += random.i64(0..i64::try_from(UNREAD.as_nanos())?);
        }
        let row = Row {
            id: mint_id(),
            feed: self.key,
            created_rev,
            changed_rev,
            category,
            action,
            severity: severity.as_str(),
            status: status.as_str(),
            created_at,
            updated_at,
            description: description.text(),
            metadata: (severity == Severity::Error).then_some(FAILURE),
        };
        row.insert(transaction)
    }
}

/// Lets the engine index a store until nothing is left to index.
async fn index(bench: &Bench, data: &Path) -> anyhow::Result<()> {
    let engine = Engine::open(bench, Config::new(data)).await?;
    let watch = Connection::open(data.join("tidings.db"))?;
    until_none_is_left("the search index", async || {
        // The engine leaves the last few events of a feed for later.
        let left: i64 = watch.query_row(
            "SELECT coalesce(sum(head - searched_rev), 0) FROM feed WHERE head - searched_rev >= 512",
            [],
            |row| row.get(0),
        )?;
        Ok(u64::try_from(left)?)
    })
    .await?;
    engine.close().await?;
    // Moves everything into one file, so that it can be copied.
    watch.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    watch.close().map_err(|(_, error)| error)?;
    File::open(data.join("tidings.db"))?
        .sync_all()
        .context("could not write the store to the disk")
}

impl FilledStore {
    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        data(&self.directory)
    }

    /// Copies the store to the directory `data` of the returned one, to be changed.
    pub(crate) fn copy(&self, bench: &Bench) -> anyhow::Result<CopiedStore> {
        let directory = bench.directory()?;
        let copy = data(&directory);
        fs::create_dir(&copy)?;
        let copied = copy.join("tidings.db");
        fs::copy(self.data().join("tidings.db"), &copied).context("could not copy a store")?;
        // Otherwise the disk would be busy with it during the measurement.
        File::open(&copied)?.sync_all()?;
        Ok(CopiedStore { directory })
    }

    /// Describes how long filling and indexing took, and the size.
    pub(crate) fn describe(&self) -> anyhow::Result<String> {
        let bytes = fs::metadata(self.data().join("tidings.db"))?.len();
        Ok(format!(
            "Filling the store took {:.0} s, indexing it for search {:.0} s. It has {:.2} GiB.",
            self.filled.as_secs_f64(),
            self.indexed.as_secs_f64(),
            bytes as f64 / 1024.0 / 1024.0 / 1024.0
        ))
    }
}

/// A copy of a filled store. It is removed on drop.
#[derive(Debug)]
pub(crate) struct CopiedStore {
    directory: TempDir,
}

impl CopiedStore {
    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        data(&self.directory)
    }
}

fn data(directory: &TempDir) -> PathBuf {
    directory.path().join("data")
}

/// The key and the head of the feed of `owner`.
pub(crate) fn find_feed(connection: &Connection, owner: OwnerId) -> anyhow::Result<(i64, i64)> {
    connection
        .query_row(
            "SELECT key, head FROM feed WHERE owner = ?1",
            [owner.as_uuid().as_bytes()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .context("the owner has no feed")
}
