//! The machine's own limit: the rows the server stores, written by nothing but SQLite.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tidings::{Config, Tidings};
use uuid::Uuid;

use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION, LOCAL_USER, SEVERITY, mint_id};

/// A store as the engine makes it, opened as its writer opens it.
#[derive(Debug)]
pub(crate) struct RawStore {
    connection: Connection,
    /// The key and the head of each feed; events go to them in turn.
    feeds: Vec<(i64, i64)>,
    events: usize,
}

impl RawStore {
    /// Lets the engine make a store in `directory`, and opens it without the engine. The events are
    /// those of so many owners.
    pub(crate) async fn create(directory: &Path, owners: usize) -> anyhow::Result<Self> {
        let engine = Tidings::open(Config::new(directory)).await?;
        engine.close().await;
        let connection = Connection::open(directory.join("tidings.db"))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        let mut feeds = Vec::with_capacity(owners);
        for owner in 0..owners {
            let owner = Uuid::from_u128(LOCAL_USER.as_u128() + owner as u128);
            connection.execute(
                "INSERT INTO feed (owner, head) VALUES (?1, 0)",
                [owner.as_bytes()],
            )?;
            feeds.push((connection.last_insert_rowid(), 0));
        }
        let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        anyhow::ensure!(synchronous == 2, "synchronous is not FULL");
        Ok(Self {
            connection,
            feeds,
            events: 0,
        })
    }

    /// Commits transactions of `rows` events for as long as `stretch`: events a second.
    pub(crate) fn flat_out(&mut self, rows: usize, stretch: Duration) -> anyhow::Result<f64> {
        let start = Instant::now();
        let mut events = 0_usize;
        while start.elapsed() < stretch {
            self.commit(rows)?;
            events += rows;
        }
        Ok(events as f64 / start.elapsed().as_secs_f64())
    }

    /// One transaction: the rows of the events, and for each feed they are in its head and its
    /// counter, as the engine writes them.
    pub(crate) fn commit(&mut self, rows: usize) -> anyhow::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut touched: Vec<usize> = Vec::with_capacity(rows.min(self.feeds.len()));
        for _ in 0..rows {
            let index = self.events % self.feeds.len();
            let (key, head) = &mut self.feeds[index];
            *head += 1;
            insert(&transaction, *key, *head, self.events)?;
            if touched.len() < self.feeds.len() {
                touched.push(index);
            }
            self.events += 1;
        }
        let more = rows / touched.len();
        for index in touched {
            let (key, head) = self.feeds[index];
            transaction
                .prepare_cached("UPDATE feed SET head = ?2 WHERE key = ?1")?
                .execute((key, head))?;
            transaction
                .prepare_cached(
                    "INSERT INTO counter (feed, severity, status, number) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT (feed, severity, status) \
                     DO UPDATE SET number = number + excluded.number",
                )?
                .execute(params![key, SEVERITY, "unread", i64::try_from(more)?])?;
        }
        transaction.commit().context("could not commit")
    }

    /// Whether the rows are there, so that nothing was measured that was not done.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let rows: i64 = self
            .connection
            .query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
        anyhow::ensure!(usize::try_from(rows)? == self.events, "rows are missing");
        Ok(())
    }
}

fn insert(transaction: &Transaction<'_>, feed: i64, rev: i64, number: usize) -> anyhow::Result<()> {
    let id = mint_id();
    // As long as the server's digest and its operation's id, and as random.
    let mut digest = [0_u8; 32];
    fastrand::fill(&mut digest);
    let mut system = [0_u8; 16];
    system[0] = 1;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO event (feed, created_rev, id, digest, system_id, operation_id, acted_upon, \
         category, action, severity, status, created_at, updated_at, description, metadata) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    // About now, and rising, in nanoseconds.
    let moment = 1_790_000_000_000_000_000 + i64::try_from(number)? * 1000;
    statement.execute(params![
        feed,
        rev,
        id.as_bytes(),
        digest,
        system,
        &digest[..16],
        ACTED_UPON.as_bytes(),
        CATEGORY,
        ACTION,
        SEVERITY,
        "unread",
        moment,
        moment,
        DESCRIPTION,
        None::<String>,
    ])?;
    Ok(())
}
