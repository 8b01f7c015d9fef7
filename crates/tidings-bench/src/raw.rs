//! The machine's own limit: the rows that the server stores, written by SQLite alone.

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rusqlite::{Connection, Statement, Transaction, TransactionBehavior, params};
use tidings::{Config, Tidings};
use tidings_event::Severity;
use uuid::Uuid;

use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION, LOCAL_USER, mint_id};
use crate::raw_feed::RawFeed;

/// The severity of the events, as in [`crate::content::SEVERITY`].
const SEVERITY: Severity = Severity::Informational;

/// The way in which the rows of a transaction are inserted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Statements {
    /// One statement per row, as programs usually do.
    OneARow,
    /// One statement for all rows, which is close to what the engine does.
    OneForAll,
}

/// A store created by the engine and opened like its writer opens it.
#[derive(Debug)]
pub(crate) struct RawStore {
    connection: Connection,
    /// Events go to the feeds in turn.
    feeds: Vec<RawFeed>,
    events: usize,
}

impl RawStore {
    /// Lets the engine create a store in `directory` and opens it without the engine, for the events of
    /// `owners` owners.
    pub(crate) async fn create(directory: &Path, owners: usize) -> anyhow::Result<Self> {
        let engine = Tidings::open(Config::new(directory)).await?;
        engine.close().await;
        let connection = open(directory)?;
        let mut feeds = Vec::with_capacity(owners);
        for owner in 0..owners {
            let owner = Uuid::from_u128(LOCAL_USER.as_u128() + owner as u128);
            feeds.push(RawFeed::new(begin_feed(&connection, owner)?));
        }
        Ok(Self {
            connection,
            feeds,
            events: 0,
        })
    }

    /// Commits transactions of `rows` events for `stretch`. Returns the events per second.
    pub(crate) fn flat_out(
        &mut self,
        rows: usize,
        statements: Statements,
        stretch: Duration,
    ) -> anyhow::Result<f64> {
        let start = Instant::now();
        let mut events = 0_usize;
        while start.elapsed() < stretch {
            self.commit(rows, statements)?;
            events += rows;
        }
        Ok(events as f64 / start.elapsed().as_secs_f64())
    }

    /// Runs one transaction with the rows of the events and of their feeds, as the engine writes them.
    pub(crate) fn commit(&mut self, rows: usize, statements: Statements) -> anyhow::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut touched: Vec<usize> = Vec::with_capacity(rows.min(self.feeds.len()));
        let mut waiting = Vec::new();
        for _ in 0..rows {
            let index = self.events % self.feeds.len();
            let feed = &mut self.feeds[index];
            feed.head += 1;
            // About now, and rising, in nanoseconds.
            let moment = 1_790_000_000_000_000_000 + i64::try_from(self.events)? * 1000;
            let id = mint_id();
            // The keys of a new store.
            feed.add(i64::try_from(self.events)? + 1, id, moment);
            let row = Row {
                id,
                feed: feed.key,
                created_rev: feed.head,
                changed_rev: None,
                category: CATEGORY,
                action: ACTION,
                severity: SEVERITY.as_str(),
                status: "unread",
                created_at: moment,
                updated_at: moment,
                description: DESCRIPTION,
                metadata: None,
            };
            match statements {
                Statements::OneARow => row.insert(&transaction)?,
                Statements::OneForAll => waiting.push(row),
            }
            if touched.len() < self.feeds.len() {
                touched.push(index);
            }
            self.events += 1;
        }
        insert_together(&waiting, &transaction)?;
        for index in touched {
            self.feeds[index].write(&transaction, SEVERITY, (CATEGORY, ACTION))?;
        }
        transaction.commit().context("could not commit")
    }

    /// Checks that the rows were written.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let rows: i64 = self
            .connection
            .query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
        anyhow::ensure!(usize::try_from(rows)? == self.events, "rows are missing");
        Ok(())
    }
}

/// Opens the store in `directory` as the engine's writer does. No engine has it open.
pub(crate) fn open(directory: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(directory.join("tidings.db"))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    anyhow::ensure!(synchronous == 2, "synchronous is not FULL");
    Ok(connection)
}

/// Starts the feed of `owner` and returns its key.
pub(crate) fn begin_feed(connection: &Connection, owner: Uuid) -> anyhow::Result<i64> {
    connection.execute(
        "INSERT INTO feed (owner, head) VALUES (?1, 0)",
        [owner.as_bytes()],
    )?;
    Ok(connection.last_insert_rowid())
}

/// An event to be stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) id: Uuid,
    pub(crate) feed: i64,
    pub(crate) created_rev: i64,
    pub(crate) changed_rev: Option<i64>,
    pub(crate) category: &'a str,
    pub(crate) action: &'a str,
    pub(crate) severity: &'a str,
    pub(crate) status: &'a str,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) description: &'a str,
    pub(crate) metadata: Option<&'a str>,
}

const COLUMNS: &str = "feed, created_rev, changed_rev, id, digest, system_id, operation_id, \
     acted_upon, category, action, severity, status, created_at, updated_at, description, metadata";

impl Row<'_> {
    /// Inserts the row, and with it the entry of the index by id.
    pub(crate) fn insert(&self, transaction: &Transaction<'_>) -> anyhow::Result<()> {
        insert_together(&[*self], transaction)
    }

    fn bind(&self, statement: &mut Statement<'_>, row: usize) -> anyhow::Result<()> {
        // As long and as random as the server's digest and operation id.
        let mut digest = [0_u8; 32];
        fastrand::fill(&mut digest);
        let mut system = [0_u8; 16];
        system[0] = 1;
        let values = params![
            self.feed,
            self.created_rev,
            self.changed_rev,
            self.id.as_bytes(),
            digest,
            system,
            &digest[..16],
            ACTED_UPON.as_bytes(),
            self.category,
            self.action,
            self.severity,
            self.status,
            self.created_at,
            self.updated_at,
            self.description,
            self.metadata,
        ];
        for (index, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(row * values.len() + index + 1, value)?;
        }
        Ok(())
    }
}

/// Inserts rows with one statement.
fn insert_together(rows: &[Row<'_>], transaction: &Transaction<'_>) -> anyhow::Result<()> {
    static ONE: LazyLock<String> = LazyLock::new(|| insert_statement(1));
    let mut statement = match rows {
        [] => return Ok(()),
        [_] => transaction.prepare_cached(&ONE)?,
        _ => transaction.prepare_cached(&insert_statement(rows.len()))?,
    };
    for (number, row) in rows.iter().enumerate() {
        row.bind(&mut statement, number)?;
    }
    let inserted = statement.raw_execute()?;
    anyhow::ensure!(inserted == rows.len(), "rows were not inserted");
    Ok(())
}

fn insert_statement(rows: usize) -> String {
    let row = vec!["?"; COLUMNS.split(',').count()].join(",");
    let rows = vec![format!("({row})"); rows].join(",");
    format!("INSERT INTO event ({COLUMNS}) VALUES {rows}")
}

/// Writes the head of a feed.
pub(crate) fn set_head(transaction: &Transaction<'_>, feed: i64, head: i64) -> anyhow::Result<()> {
    transaction
        .prepare_cached("UPDATE feed SET head = ?2 WHERE key = ?1")?
        .execute((feed, head))?;
    Ok(())
}
