//! The one thread that writes: it commits a group of requests in one transaction.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tidings_event::SystemId;
use tokio::sync::{mpsc, oneshot};

use super::change;
use super::fault::store_error;
use super::feeds::Feeds;
use super::publish::store_requests;
use crate::store::{Committed, Outcome, StoreError, Work};

/// The engine hands over one group at a time; when the thread is busy, the next one waits there.
const QUEUED_COMMANDS: usize = 1;

enum Command {
    Commit {
        group: Vec<Work>,
        reply: oneshot::Sender<Result<Committed, StoreError>>,
    },
    /// Some work of the store on itself, which nobody is waiting for: in a transaction of its own.
    Upkeep(Box<dyn FnOnce(&mut Connection) + Send>),
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
    pub(crate) async fn commit(&self, group: Vec<Work>) -> Result<Committed, StoreError> {
        let (reply, outcome) = oneshot::channel();
        self.commands
            .send(Command::Commit { group, reply })
            .await
            .map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Does some upkeep in a transaction of its own.
    pub(crate) async fn upkeep<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let upkeep = move |connection: &mut Connection| {
            let done = in_transaction(connection, work).map_err(store_error);
            // Whoever asked may be gone.
            let _ = reply.send(done);
        };
        self.commands
            .send(Command::Upkeep(Box::new(upkeep)))
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
            Command::Upkeep(work) => work(&mut connection),
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

fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

fn commit(
    connection: &mut Connection,
    system: SystemId,
    group: Vec<Work>,
) -> rusqlite::Result<Committed> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut feeds = Feeds::default();
    let mut outcomes = Vec::with_capacity(group.len());
    // Requests with no change between them are stored together.
    let mut requests = Vec::with_capacity(group.len());
    for work in group {
        match work {
            Work::Publish(request) => requests.push(request),
            Work::Change(step) => {
                outcomes.extend(store_requests(&transaction, system, &mut feeds, &requests)?);
                requests.clear();
                let changed = change::apply(&transaction, system, &mut feeds, &step)?;
                outcomes.push(Outcome::Changed(changed));
            }
        }
    }
    outcomes.extend(store_requests(&transaction, system, &mut feeds, &requests)?);
    feeds.write_back(&transaction)?;
    let began = Instant::now();
    transaction.commit()?;
    Ok(Committed {
        outcomes,
        sync_time: began.elapsed(),
    })
}
