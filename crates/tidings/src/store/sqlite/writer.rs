//! The only thread that writes.

mod group_commit;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::checkpoints::Checkpoints;
use super::directory;
use super::event_budget::free_pages;
use super::fault::store_error;
use super::known_feeds::KnownFeeds;
use super::reserve::Disk;
use super::settling::Settling;
use crate::store::{self, Committed, NextGroup, StoreError};

use group_commit::commit_with_room;

/// The engine sends one group at a time. While the thread is busy, the next one waits in the engine.
const QUEUED_COMMANDS: usize = 1;

enum Command {
    Commit {
        next: NextGroup,
        reply: oneshot::Sender<Result<Committed, StoreError>>,
    },
    /// Maintenance of the store, in a transaction of its own.
    Upkeep {
        of: UpkeepScope,
        work: Box<dyn FnOnce(&mut Connection) + Send>,
    },
    /// Writes something, to check whether writing works.
    Probe {
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    Close {
        closed: oneshot::Sender<()>,
    },
}

/// The rows that maintenance changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UpkeepScope {
    /// Rows of feeds that [`Feed`](super::feed::Feed) holds, or anything else.
    Feeds,
    /// No part of that.
    OtherThanFeeds,
}

/// Sends groups to the writer thread, which ends when this is closed or dropped.
#[derive(Debug)]
pub(crate) struct Writer {
    commands: mpsc::Sender<Command>,
    last_failed: Arc<AtomicBool>,
    disk: Arc<Disk>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread, which owns `connection` from now on.
    pub(crate) fn start(
        connection: Connection,
        settling: Settling,
        disk: Arc<Disk>,
    ) -> io::Result<Self> {
        let (commands, queue) = mpsc::channel(QUEUED_COMMANDS);
        let last_failed = Arc::new(AtomicBool::new(false));
        let failed = Arc::clone(&last_failed);
        let disks = Arc::clone(&disk);
        let thread = thread::Builder::new()
            .name("tidings-writer".to_owned())
            .spawn(move || write(connection, settling, queue, &failed, &disks))?;
        Ok(Self {
            commands,
            last_failed,
            disk,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Commits a group. After an error, no request of the group may be acknowledged.
    pub(crate) async fn commit(&self, next: NextGroup) -> Result<Committed, StoreError> {
        let (reply, outcome) = oneshot::channel();
        self.commands
            .send(Command::Commit { next, reply })
            .await
            .map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs maintenance in a transaction of its own, and again if there was no space and some could be
    /// released. It can change feeds.
    pub(crate) async fn upkeep<T: Send + 'static>(
        &self,
        work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.upkeep_with_room(true, UpkeepScope::Feeds, work).await
    }

    /// Runs maintenance that can wait until there is space for it. It changes nothing that
    /// [`Feed`](super::feed::Feed) has.
    pub(crate) async fn upkeep_beside_feeds_if_room<T: Send + 'static>(
        &self,
        work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.upkeep_with_room(false, UpkeepScope::OtherThanFeeds, work)
            .await
    }

    async fn upkeep_with_room<T: Send + 'static>(
        &self,
        must_work: bool,
        of: UpkeepScope,
        work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let disk = Arc::clone(&self.disk);
        self.run(of, move |connection| {
            let done = disk.make_room_for(connection, must_work, |connection| {
                in_transaction(connection, &work)
            });
            disk.tidy_log(connection);
            done
        })
        .await
    }

    /// Checks the free space of the disk, and creates the missing part of the reserve.
    pub(crate) async fn look_after_room(&self) -> Result<store::Pressure, StoreError> {
        let disk = Arc::clone(&self.disk);
        self.run(UpkeepScope::OtherThanFeeds, move |connection| {
            look_after_room(connection, &disk)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        of: UpkeepScope,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let work = move |connection: &mut Connection| {
            let done = work(connection).map_err(store_error);
            // The caller may be gone.
            let _ = reply.send(done);
        };
        let work = Box::new(work);
        self.commands
            .send(Command::Upkeep { of, work })
            .await
            .map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Whether the last commit failed, so that the next one may fail, too.
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

    /// Ends the thread and its connection once the requests it was given are committed.
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
    settling: Settling,
    mut queue: mpsc::Receiver<Command>,
    last_failed: &AtomicBool,
    disk: &Disk,
) {
    let mut checkpoints = Checkpoints::of(&connection, disk.log_pages());
    let mut known = KnownFeeds::default();
    while let Some(command) = queue.blocking_recv() {
        match command {
            Command::Commit { next, reply } => {
                let group = next();
                if group.is_empty() {
                    let _ = reply.send(Ok(Committed::default()));
                    continue;
                }
                let committed =
                    commit_with_room(&mut connection, settling, &mut known, &group, disk);
                let committed = committed.map_err(store_error);
                last_failed.store(committed.is_err(), Ordering::Relaxed);
                // The engine waits for every group. It is gone only when the process ends.
                let _ = reply.send(committed);
            }
            Command::Upkeep { of, work } => {
                if of == UpkeepScope::Feeds {
                    known = KnownFeeds::default();
                }
                work(&mut connection);
            }
            Command::Probe { reply } => {
                let probed = probe(&connection).map_err(store_error);
                last_failed.store(probed.is_err(), Ordering::Relaxed);
                // The caller may have given up.
                let _ = reply.send(probed);
            }
            Command::Close { closed } => {
                queue.close();
                drop(connection);
                let _ = closed.send(());
                return;
            }
        }
        checkpoints.run_if_due(&connection);
    }
}

/// Commits a page without changing it.
fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE installation SET only_row = 1", [])?;
    Ok(())
}

fn in_transaction<T>(
    connection: &mut Connection,
    work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

/// Checks the disk and maintains the reserve and the log: see [`Disk`].
fn look_after_room(connection: &Connection, disk: &Disk) -> rusqlite::Result<store::Pressure> {
    disk.make_reserve();
    disk.budget(connection)?;
    disk.tidy_log(connection);
    if disk.was_rejected() && directory::probe(disk.database()).is_ok() && probe(connection).is_ok()
    {
        disk.note(false);
    }
    disk.tell(disk.rejects(free_pages(connection)?));
    Ok(match disk.is_tight() || disk.was_rejected() {
        true => store::Pressure::Tight,
        false => store::Pressure::Enough,
    })
}
