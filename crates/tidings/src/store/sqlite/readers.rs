//! Reads beside the writer: a few connections, each used by one request at a time.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _};
use tidings_event::{EventId, OwnerId, SystemId};

use super::connection::open_reader;
use super::fault::store_error;
use super::row::{SEEN_COLUMNS, event_json, overlay_join};
use crate::store::StoreError;
use crate::turns::{Bounds, Turns};

/// How many of SQLite's virtual instructions a read does between looks whether it is still wanted:
/// some tens of microseconds.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 10_000;

/// The connections for reading.
#[derive(Debug)]
pub(crate) struct Readers {
    /// `None` reads for nobody.
    turns: Turns<Option<OwnerId>>,
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
        let number = number as usize;
        // Those who wait are bounded by the requests that are served.
        let bounds = Bounds {
            running: number,
            running_each: (number / 2).max(1),
            waiting_each: usize::MAX,
            waiting: usize::MAX,
        };
        Ok(Self {
            turns: Turns::new(bounds),
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
        self.read_as(None, query).await
    }

    /// The same for a query about what `owner` sees. At most half of the connections work for one owner
    /// at a time: whoever asks for much waits behind themselves, and the others find a connection free.
    pub(crate) async fn read_for<T: Send + 'static>(
        &self,
        owner: OwnerId,
        query: impl FnOnce(&Reader) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_as(Some(owner), query).await
    }

    async fn read_as<T: Send + 'static>(
        &self,
        owner: Option<OwnerId>,
        query: impl FnOnce(&Reader) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = self.turns.take(owner).await;
        let turn = turn.map_err(|_| StoreError::Closed)?;
        let idle = Arc::clone(&self.idle);
        let caller = Caller::default();
        let gone = Arc::clone(&caller.gone);
        let closing = Arc::clone(&self.closing);
        let is_unwanted = move || gone.load(Ordering::Relaxed) || closing.load(Ordering::Relaxed);
        let answer = tokio::task::spawn_blocking(move || {
            // Until the query has ended, even if its caller is gone.
            let _held = turn;
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
        self.turns.close().await;
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
    /// The JSON of one event that `owner` sees.
    pub(crate) fn event(&self, owner: OwnerId, id: EventId) -> rusqlite::Result<Option<Bytes>> {
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
            .query_row((id.as_uuid().as_bytes(), feeds.0, feeds.1), event_json)
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tidings_event::{EventFilter, PageRequest};
    use tokio::time::timeout;

    use super::super::{READERS, SqliteStore};
    use super::*;
    use crate::store::{Matching, RevRange, Side, Store as _, Unread};

    /// Far longer than any read here takes.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Queries that last until the sender is dropped.
    fn slow_query() -> (
        mpsc::Sender<()>,
        impl Fn(&Reader) -> rusqlite::Result<()> + Clone + Send + 'static,
    ) {
        let (end, ended) = mpsc::channel();
        let ended = Arc::new(Mutex::new(ended));
        let query = move |_: &Reader| {
            let _ = ended.lock().unwrap().recv();
            Ok(())
        };
        (end, query)
    }

    #[tokio::test]
    async fn who_reads_much_and_slowly_keeps_no_other_owner_waiting() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let (greedy, other) = (OwnerId::mint(), OwnerId::mint());
        for readers in [&store.list_readers, &store.stream_readers] {
            let (end, query) = slow_query();
            let mut reads: Vec<_> = (0..2 * READERS)
                .map(|_| Box::pin(readers.read_for(greedy, query.clone())))
                .collect();
            for read in &mut reads {
                assert!(read.now_or_never().is_none());
            }
            let read = timeout(PATIENCE, readers.read_for(other, |_| Ok("read"))).await;
            assert_eq!(read.unwrap().unwrap(), "read");

            // One that goes away while it waits or reads is no longer counted.
            reads.truncate(READERS as usize);
            drop(end);
            for read in reads {
                timeout(PATIENCE, read).await.unwrap().unwrap();
            }
            assert_eq!(readers.turns.owners(), 0);
        }
        store.close().await;
    }

    #[tokio::test]
    async fn every_read_of_an_owner_waits_its_turn() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let owner = OwnerId::mint();
        let (end, query) = slow_query();
        let half = READERS as usize / 2;
        let all = [&store.list_readers, &store.stream_readers];
        let mut slow: Vec<_> = (0..half)
            .flat_map(|_| all)
            .map(|readers| Box::pin(readers.read_for(owner, query.clone())))
            .collect();
        for read in &mut slow {
            assert!(read.now_or_never().is_none());
        }
        let filter = EventFilter::default;
        let matching = Matching {
            filter: filter(),
            own_up_to: tidings_event::Rev::ZERO,
            system_up_to: tidings_event::Rev::ZERO,
        };
        let range = RevRange {
            after: tidings_event::Rev::ZERO,
            up_to: tidings_event::Rev::ZERO,
        };
        let mut reads = [
            store
                .list(owner, filter(), PageRequest::default(), 0)
                .map(drop)
                .boxed(),
            store
                .list_rest(owner, Unread::default(), 0)
                .map(drop)
                .boxed(),
            store.types(owner).map(drop).boxed(),
            store.matching(owner, matching, None).map(drop).boxed(),
            store.snapshot(owner).map(drop).boxed(),
            store.replay(owner, Side::Own, range).map(drop).boxed(),
            store.event(owner, EventId::mint()).map(drop).boxed(),
        ];
        for read in &mut reads {
            assert!(read.now_or_never().is_none());
        }
        for readers in all {
            assert_eq!(readers.turns.load(), (half, 3));
        }
        drop(end);
        for read in reads {
            timeout(PATIENCE, read).await.unwrap();
        }
        drop(slow);
        store.close().await;
    }
}
