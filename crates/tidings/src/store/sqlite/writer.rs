//! The one thread that writes: it commits a group of requests in one transaction.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use tidings_event::{Digest, Event, EventId, OwnerId, Rev, Severity, Status, SystemId};
use tokio::sync::{mpsc, oneshot};

use super::fault::store_error;
use super::row::{EVENT_COLUMN_COUNT, EVENT_COLUMNS, insert_event, read_event, rev, rev_to_sql};
use crate::store::{Committed, Conflict, Outcome, StoreError, Stored, Submission};

/// The engine hands over one group at a time; when the thread is busy, the next one waits there.
const QUEUED_COMMANDS: usize = 1;

enum Command {
    Commit {
        group: Vec<Vec<Submission>>,
        reply: oneshot::Sender<Result<Committed, StoreError>>,
    },
    /// Writes something, to see whether it can.
    Probe {
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    Close {
        closed: oneshot::Sender<()>,
    },
}

/// Hands groups to the writing thread, which ends when this is closed or dropped.
#[derive(Debug)]
pub(crate) struct Writer {
    commands: mpsc::Sender<Command>,
    last_failed: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread, which owns `connection` from now on.
    pub(crate) fn start(connection: Connection, system: SystemId) -> io::Result<Self> {
        let (commands, queue) = mpsc::channel(QUEUED_COMMANDS);
        let last_failed = Arc::new(AtomicBool::new(false));
        let failed = Arc::clone(&last_failed);
        let thread = thread::Builder::new()
            .name("tidings-writer".to_owned())
            .spawn(move || write(connection, system, queue, &failed))?;
        Ok(Self {
            commands,
            last_failed,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Commits a group; on an error nothing of it may be acknowledged.
    pub(crate) async fn commit(
        &self,
        group: Vec<Vec<Submission>>,
    ) -> Result<Committed, StoreError> {
        let (reply, outcome) = oneshot::channel();
        self.commands
            .send(Command::Commit { group, reply })
            .await
            .map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Whether the last commit failed, so that it is not known whether the next one will.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.last_failed.load(Ordering::Relaxed) || self.commands.is_closed()
    }

    /// Tries to commit something.
    pub(crate) async fn probe(&self) -> Result<(), StoreError> {
        let (reply, outcome) = oneshot::channel();
        self.commands
            .send(Command::Probe { reply })
            .await
            .map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Ends the thread once what it was given is committed, and its connection with it.
    pub(crate) async fn close(&self) {
        let (closed, end) = oneshot::channel();
        // Both fail only when the thread has already ended.
        let _ = self.commands.send(Command::Close { closed }).await;
        let _ = end.await;
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer thread ended in a panic");
        }
    }
}

fn write(
    mut connection: Connection,
    system: SystemId,
    mut queue: mpsc::Receiver<Command>,
    last_failed: &AtomicBool,
) {
    while let Some(command) = queue.blocking_recv() {
        match command {
            Command::Commit { group, reply } => {
                let committed = commit(&mut connection, system, group).map_err(store_error);
                last_failed.store(committed.is_err(), Ordering::Relaxed);
                // The engine waits for every group; it is gone only when the process ends.
                let _ = reply.send(committed);
            }
            Command::Probe { reply } => {
                let probed = probe(&connection).map_err(store_error);
                last_failed.store(probed.is_err(), Ordering::Relaxed);
                // Whoever asked may have given up.
                let _ = reply.send(probed);
            }
            Command::Close { closed } => {
                queue.close();
                drop(connection);
                let _ = closed.send(());
                return;
            }
        }
    }
}

/// Commits a page that stays as it is.
fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE installation SET only_row = 1", [])?;
    Ok(())
}

fn commit(
    connection: &mut Connection,
    system: SystemId,
    group: Vec<Vec<Submission>>,
) -> rusqlite::Result<Committed> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut feeds = Feeds::default();
    let outcomes = group
        .into_iter()
        .map(|request| store_request(&transaction, system, &mut feeds, request))
        .collect::<rusqlite::Result<_>>()?;
    feeds.write_back(&transaction)?;
    let began = Instant::now();
    transaction.commit()?;
    Ok(Committed {
        outcomes,
        sync_time: began.elapsed(),
    })
}

/// Stores one request whole, or not at all if one of its ids is taken by other content.
fn store_request(
    transaction: &Transaction<'_>,
    system: SystemId,
    feeds: &mut Feeds,
    request: Vec<Submission>,
) -> rusqlite::Result<Outcome> {
    // Before the savepoint: a rollback to it must not take away a feed that we remember.
    for submission in &request {
        feeds.load(transaction, owner_of(&submission.event, system))?;
    }
    let many = request.len() > 1;
    if many {
        transaction
            .prepare_cached("SAVEPOINT request")?
            .execute([])?;
    }
    let mut stored = Vec::with_capacity(request.len());
    let mut added = Vec::with_capacity(request.len());
    for (index, submission) in request.into_iter().enumerate() {
        let owner = owner_of(&submission.event, system);
        if let Some(rev) = store_new(transaction, feeds, owner, &submission)? {
            added.push((owner, submission.event.severity, submission.event.status));
            stored.push(Stored {
                id: submission.event.id,
                owner,
                json: submission.json,
                rev,
                repeated: false,
            });
            continue;
        }
        match find_repeat(transaction, submission.event.id, &submission.digest)? {
            Some(repeat) => stored.push(repeat),
            None => {
                for (owner, severity, status) in added {
                    feeds.forget_newest(owner, (severity, status));
                }
                if many {
                    transaction.execute_batch("ROLLBACK TO request; RELEASE request")?;
                }
                return Ok(Err(Conflict {
                    index,
                    id: submission.event.id,
                }));
            }
        }
    }
    if many {
        transaction.prepare_cached("RELEASE request")?.execute([])?;
    }
    Ok(Ok(stored))
}

/// The engine settles the owner of every event; without one it is the system's.
fn owner_of(event: &Event, system: SystemId) -> OwnerId {
    event.owner.unwrap_or_else(|| system.into())
}

/// Stores an event under the next rev of its feed; `None` if its id is taken.
fn store_new(
    transaction: &Transaction<'_>,
    feeds: &mut Feeds,
    owner: OwnerId,
    submission: &Submission,
) -> rusqlite::Result<Option<Rev>> {
    let feed = feeds.load(transaction, owner)?;
    let rev = feed.head.next();
    let event = &submission.event;
    if !insert_event(transaction, feed.key, rev, submission)? {
        return Ok(None);
    }
    feed.head = rev;
    feed.changed = true;
    *feed
        .counts
        .entry((event.severity, event.status))
        .or_default() += 1;
    Ok(Some(rev))
}

/// The stored event `id`, if it has the content that `digest` stands for.
fn find_repeat(
    transaction: &Transaction<'_>,
    id: EventId,
    digest: &Digest,
) -> rusqlite::Result<Option<Stored>> {
    let sql = format!(
        "SELECT {EVENT_COLUMNS}, event.digest FROM event JOIN feed ON feed.key = event.feed \
         WHERE event.id = ?1"
    );
    transaction
        .prepare_cached(&sql)?
        .query_row([id.as_uuid().as_bytes()], |row| {
            if row.get::<_, [u8; 32]>(EVENT_COLUMN_COUNT)? != *digest.as_bytes() {
                return Ok(None);
            }
            let (rev, event) = read_event(row)?;
            let json = serde_json::to_vec(&event)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            Ok(Some(Stored {
                id,
                // A stored event always has one.
                owner: event.owner.unwrap_or(OwnerId::NIL),
                json: Bytes::from(json),
                rev,
                repeated: true,
            }))
        })
}

/// The feeds a transaction touches, written back once at its end.
#[derive(Default)]
struct Feeds(HashMap<OwnerId, Feed>);

struct Feed {
    key: i64,
    head: Rev,
    changed: bool,
    counts: HashMap<(Severity, Status), i64>,
}

impl Feeds {
    /// The feed of `owner`, begun if there is none.
    fn load(
        &mut self,
        transaction: &Transaction<'_>,
        owner: OwnerId,
    ) -> rusqlite::Result<&mut Feed> {
        use std::collections::hash_map::Entry;
        match self.0.entry(owner) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let (key, head) = find_or_begin(transaction, owner)?;
                Ok(unknown.insert(Feed {
                    key,
                    head,
                    changed: false,
                    counts: HashMap::new(),
                }))
            }
        }
    }

    /// Takes back the newest event of a feed, whose row is being rolled back.
    fn forget_newest(&mut self, owner: OwnerId, counted: (Severity, Status)) {
        if let Some(feed) = self.0.get_mut(&owner) {
            feed.head = Rev::new(feed.head.get() - 1);
            *feed.counts.entry(counted).or_default() -= 1;
        }
    }

    fn write_back(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut set_head =
            transaction.prepare_cached("UPDATE feed SET head = ?2 WHERE key = ?1")?;
        let mut count = transaction.prepare_cached(
            "INSERT INTO counter (feed, severity, status, number) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (feed, severity, status) DO UPDATE SET number = number + excluded.number",
        )?;
        for feed in self.0.values().filter(|feed| feed.changed) {
            set_head.execute((feed.key, rev_to_sql(feed.head)?))?;
            for ((severity, status), number) in feed.counts.iter().filter(|(_, n)| **n != 0) {
                count.execute((feed.key, severity.as_str(), status.as_str(), number))?;
            }
        }
        Ok(())
    }
}

fn find_or_begin(transaction: &Transaction<'_>, owner: OwnerId) -> rusqlite::Result<(i64, Rev)> {
    let owner = owner.as_uuid().as_bytes();
    let known = transaction
        .prepare_cached("SELECT key, head FROM feed WHERE owner = ?1")?
        .query_row([owner], |row| Ok((row.get(0)?, rev(row, 1)?)))
        .optional()?;
    match known {
        Some(feed) => Ok(feed),
        None => {
            transaction
                .prepare_cached("INSERT INTO feed (owner, head) VALUES (?1, 0)")?
                .execute([owner])?;
            Ok((transaction.last_insert_rowid(), Rev::ZERO))
        }
    }
}
