//! Reads beside the writer: a few connections, each used by one request at a time.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _};
use tidings_event::{Event, EventId, OwnerId, SystemId};
use tokio::sync::Semaphore;

use super::connection::open_reader;
use super::fault::store_error;
use super::row::{SEEN_COLUMNS, overlay_join, read_event};
use crate::store::StoreError;

/// How many of SQLite's virtual instructions a read does between looks whether it is still wanted:
/// some tens of microseconds.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 10_000;

/// The connections for reading.
#[derive(Debug)]
pub(crate) struct Readers {
    number: u32,
    permits: Arc<Semaphore>,
    idle: Arc<Idle>,
    /// Reads that are on their way end early.
    closing: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Idle {
    database: PathBuf,
    system: SystemId,
    readers: Mutex<Vec<Reader>>,
}

/// The one who waits for a read, and says so when it does no longer.
#[derive(Debug, Default)]
struct Caller {
    gone: Arc<AtomicBool>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

/// One connection, and whose events are everybody's.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(super) connection: Connection,
    pub(super) system: SystemId,
}

impl Readers {
    /// Opens the connections at once: later there might be no file descriptors left for them.
    pub(crate) fn open(database: &Path, system: SystemId, number: u32) -> rusqlite::Result<Self> {
        let idle = Idle {
            database: database.to_owned(),
            system,
            readers: Mutex::default(),
        };
        for _ in 0..number {
            idle.put(idle.connect()?);
        }
        Ok(Self {
            number,
            permits: Arc::new(Semaphore::new(number as usize)),
            idle: Arc::new(idle),
            closing: Arc::default(),
        })
    }

    /// Runs `query` on a connection of its own, on a thread that may block. A query whose caller is
    /// gone, because the client hung up or the store closes, is broken off.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permits = Arc::clone(&self.permits);
        let permit = permits
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Closed)?;
        let idle = Arc::clone(&self.idle);
        let caller = Caller::default();
        let gone = Arc::clone(&caller.gone);
        let closing = Arc::clone(&self.closing);
        let is_unwanted = move || gone.load(Ordering::Relaxed) || closing.load(Ordering::Relaxed);
        let answer = tokio::task::spawn_blocking(move || {
            // Until the query has ended, even if its caller is gone.
            let _permit = permit;
            idle.read(query, is_unwanted)
        });
        let answer = answer
            .await
            .map_err(|error| StoreError::Internal(error.into()))?;
        if answer.is_err() && self.closing.load(Ordering::Relaxed) {
            return Err(StoreError::Closed);
        }
        answer.map_err(store_error)
    }

    /// Refuses new reads, waits for those that are on their way, and closes the connections.
    pub(crate) async fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        // Fails only when it was closed before.
        let _all = self.permits.acquire_many(self.number).await;
        self.permits.close();
        self.idle.take_all();
    }
}

impl Idle {
    fn read<T>(
        &self,
        query: impl FnOnce(&Reader) -> rusqlite::Result<T>,
        is_unwanted: impl FnMut() -> bool + Send + 'static,
    ) -> rusqlite::Result<T> {
        let idle = self.readers().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.connect()?,
        };
        let connection = &reader.connection;
        connection.progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(is_unwanted))?;
        let answer = query(&reader)?;
        connection.progress_handler(0, None::<fn() -> bool>)?;
        // Only after success: a connection that failed is closed, in case the fault lies in it.
        self.put(reader);
        Ok(answer)
    }

    fn connect(&self) -> rusqlite::Result<Reader> {
        Ok(Reader {
            connection: open_reader(&self.database)?,
            system: self.system,
        })
    }

    fn put(&self, reader: Reader) {
        self.readers().push(reader);
    }

    fn take_all(&self) {
        self.readers().clear();
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// One event that `owner` sees.
    pub(crate) fn event(&self, owner: OwnerId, id: EventId) -> rusqlite::Result<Option<Event>> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let overlay = overlay_join(2, 3);
        let sql = format!(
            "SELECT {SEEN_COLUMNS} FROM event JOIN feed ON feed.key = event.feed {overlay} \
             WHERE event.id = ?1 AND event.feed IN (?2, ?3) AND coalesce(overlay.deleted, 0) = 0"
        );
        let feeds = (viewer.overlay_feed(), viewer.system_feed());
        let event = self
            .connection
            .prepare_cached(&sql)?
            .query_row((id.as_uuid().as_bytes(), feeds.0, feeds.1), |row| {
                read_event(row).map(|(_, event)| event)
            })
            .optional()?;
        transaction.finish()?;
        Ok(event)
    }

    /// Whether the database answers.
    pub(crate) fn check(&self) -> rusqlite::Result<()> {
        self.connection
            .query_row("SELECT 1 FROM installation", [], |_| Ok(()))
    }
}
