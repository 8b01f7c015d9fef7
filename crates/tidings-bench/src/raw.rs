//! The machine's own limit: the rows the server stores, written by nothing but SQLite.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use tidings::{Config, Tidings};

use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION, LOCAL_USER, SEVERITY, mint_id};

/// A store as the engine makes it, opened as its writer opens it.
#[derive(Debug)]
pub(crate) struct RawStore {
    connection: Connection,
    feed: i64,
    head: i64,
}

impl RawStore {
    /// Lets the engine make a store in `directory`, and opens it without the engine.
    pub(crate) async fn create(directory: &Path) -> anyhow::Result<Self> {
        let engine = Tidings::open(Config::new(directory)).await?;
        engine.close().await;
        let connection = Connection::open(directory.join("tidings.db"))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        connection.execute(
            "INSERT INTO feed (owner, head) VALUES (?1, 0)",
            [LOCAL_USER.as_bytes()],
        )?;
        let feed = connection.last_insert_rowid();
        let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        anyhow::ensure!(synchronous == 2, "synchronous is not FULL");
        Ok(Self {
            connection,
            feed,
            head: 0,
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

    /// One transaction: the rows of the events, the feed's head and its counter, as the engine
    /// writes them, each of the latter once.
    pub(crate) fn commit(&mut self, rows: usize) -> anyhow::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for _ in 0..rows {
            self.head += 1;
            insert(&transaction, self.feed, self.head)?;
        }
        transaction
            .prepare_cached("UPDATE feed SET head = ?2 WHERE key = ?1")?
            .execute((self.feed, self.head))?;
        transaction
            .prepare_cached(
                "INSERT INTO counter (feed, severity, status, number) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (feed, severity, status) DO UPDATE SET number = number + excluded.number",
            )?
            .execute(params![self.feed, SEVERITY, "unread", i64::try_from(rows)?])?;
        transaction.commit().context("could not commit")
    }

    /// Whether the rows are there, so that nothing was measured that was not done.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let newest: Option<i64> = self
            .connection
            .query_row("SELECT max(created_rev) FROM event", [], |row| row.get(0))
            .optional()?
            .flatten();
        anyhow::ensure!(newest == Some(self.head), "rows are missing");
        Ok(())
    }
}

fn insert(transaction: &Transaction<'_>, feed: i64, rev: i64) -> anyhow::Result<()> {
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
    let moment = 1_790_000_000_000_000_000 + rev * 1000;
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
