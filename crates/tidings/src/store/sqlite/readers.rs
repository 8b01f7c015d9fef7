//! Reads beside the writer: a few connections, each used by one request at a time.

mod background;
mod lanes;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _};
use tidings_event::{EventId, OwnerId, SystemId};

use super::connection::open_reader;
use super::fault::{OpenFault, store_error};
use super::row::{SEEN_COLUMNS, event_json, overlay_join};
use crate::store::StoreError;
use crate::turns::NoTurn;
pub(crate) use lanes::Widths;
use lanes::{Lane, Lanes};

/// How many of SQLite's virtual instructions a read does between looks whether it is still wanted:
/// some tens of microseconds.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 10_000;

/// The connections for reading; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Readers {
    lanes: Arc<Lanes>,
    waiting_each: usize,
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

/// An attempt at a read took longer than its lane allows.
struct TookTooLong;

impl Readers {
    /// Opens the connections at once: later there might be no file descriptors left for them.
    pub(crate) fn open(
        database: &Path,
        system: SystemId,
        widths: Widths,
    ) -> Result<Self, OpenFault> {
        let lanes = Lanes::new(widths).map_err(OpenFault::Thread)?;
        Self::with_lanes(database, system, widths, lanes)
    }

    fn with_lanes(
        database: &Path,
        system: SystemId,
        widths: Widths,
        lanes: Lanes,
    ) -> Result<Self, OpenFault> {
        let idle = Idle {
            database: database.to_owned(),
            system,
            readers: Mutex::default(),
        };
        for _ in 0..widths.connections() {
            idle.put(idle.connect()?);
        }
        Ok(Self {
            lanes: Arc::new(lanes),
            waiting_each: widths.waiting_each,
            idle: Arc::new(idle),
            closing: Arc::default(),
        })
    }

    /// Runs `query` for nobody, on a connection of its own and a thread that may block, however long it
    /// takes. A query whose caller is gone, or whose store closes, is broken off.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&Reader) -> rusqlite::Result<T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        match self.attempt(self.lanes.first(), None, query).await? {
            Ok(answer) => Ok(answer),
            Err(TookTooLong) => Err(StoreError::Internal(
                "a read without a limit had one".into(),
            )),
        }
    }

    /// The same for a query about what `owner` sees, which [`Lanes`] bound: it may be run several times,
    /// each from its beginning, and what it did before its last time does not count.
    pub(crate) async fn read_for<T: Send + 'static>(
        &self,
        owner: OwnerId,
        query: impl Fn(&Reader) -> rusqlite::Result<T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let query = Arc::new(query);
        let mut limit = Duration::ZERO;
        for lane in self.lanes.of(owner) {
            let query = Arc::clone(&query);
            let attempt = self.attempt(lane, Some(owner), move |reader| query(reader));
            if let Ok(answer) = attempt.await? {
                return Ok(answer);
            }
            limit = lane.limit;
        }
        Err(StoreError::TookTooLong { limit })
    }

    async fn attempt<T: Send + 'static>(
        &self,
        lane: &Lane,
        owner: Option<OwnerId>,
        query: impl Fn(&Reader) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Result<T, TookTooLong>, StoreError> {
        let turn = lane.turns.take(owner).await;
        let turn = turn.map_err(|refused| match refused {
            NoTurn::OwnersLineIsFull => StoreError::TooManyReads {
                limit: self.waiting_each,
            },
            NoTurn::AllLinesAreFull => StoreError::Overloaded,
            NoTurn::Closed => StoreError::Closed,
        })?;
        let (idle, lanes) = (Arc::clone(&self.idle), Arc::clone(&self.lanes));
        let caller = Caller::default();
        let gone = Arc::clone(&caller.gone);
        let closing = Arc::clone(&self.closing);
        let limit = owner.map(|_| lane.limit);
        let job = move || {
            let begun = Instant::now();
            let late = Arc::new(AtomicBool::new(false));
            let is_late = Arc::clone(&late);
            let is_unwanted = move || {
                if limit.is_some_and(|limit| begun.elapsed() >= limit) {
                    is_late.store(true, Ordering::Relaxed);
                }
                is_late.load(Ordering::Relaxed)
                    || gone.load(Ordering::Relaxed)
                    || closing.load(Ordering::Relaxed)
            };
            let answer = idle.read(query, is_unwanted);
            if let Some(owner) = owner {
                lanes.charge(owner, begun.elapsed());
            }
            // Until the query has ended, even if its caller is gone.
            drop(turn);
            match answer {
                Ok(answer) => Ok(Ok(answer)),
                Err(error) if is_interrupted(&error) && late.load(Ordering::Relaxed) => {
                    Ok(Err(TookTooLong))
                }
                Err(error) => Err(error),
            }
        };
        let answer = match &lane.threads {
            Some(threads) => threads.run(job).await.map_err(|panic| panic.into()),
            None => tokio::task::spawn_blocking(job)
                .await
                .map_err(|panic| panic.into()),
        };
        let answer = answer.map_err(StoreError::Internal)?;
        if answer.is_err() && self.closing.load(Ordering::Relaxed) {
            return Err(StoreError::Closed);
        }
        answer.map_err(store_error)
    }

    /// Refuses new reads, waits for those that are on their way, and closes the connections.
    pub(crate) async fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.lanes.close().await;
        self.idle.take_all();
    }
}

fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

impl Idle {
    fn read<T>(
        &self,
        query: impl Fn(&Reader) -> rusqlite::Result<T>,
        is_unwanted: impl FnMut() -> bool + Send + 'static,
    ) -> rusqlite::Result<T> {
        let idle = self.readers().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.connect()?,
        };
        let connection = &reader.connection;
        connection.progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(is_unwanted))?;
        let answer = query(&reader);
        // A connection that failed is closed, in case the fault lies in it.
        if answer.as_ref().is_ok() || answer.as_ref().is_err_and(is_interrupted) {
            connection.progress_handler(0, None::<fn() -> bool>)?;
            if connection.is_autocommit() {
                self.put(reader);
            }
        }
        answer
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
    /// The JSON of the event that `id` means to `owner`: their own, else the system's.
    pub(crate) fn event(&self, owner: OwnerId, id: EventId) -> rusqlite::Result<Option<Bytes>> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let overlay = overlay_join(2, 3);
        let sql = format!(
            "SELECT {SEEN_COLUMNS} FROM event JOIN feed ON feed.key = event.feed {overlay} \
             WHERE event.id = ?1 AND event.feed IN (?2, ?3) AND coalesce(overlay.deleted, 0) = 0 \
             ORDER BY event.feed = ?3 LIMIT 1"
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
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc;

    use futures_util::FutureExt as _;
    use tidings_event::{EventFilter, PageRequest};
    use tokio::time::timeout;

    use super::super::{LISTS, SqliteStore};
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
            let mut reads: Vec<_> = (0..2 * LISTS.lanes[0])
                .map(|_| Box::pin(readers.read_for(greedy, query.clone())))
                .collect();
            for read in &mut reads {
                assert!(read.now_or_never().is_none());
            }
            let read = timeout(PATIENCE, readers.read_for(other, |_| Ok("read"))).await;
            assert_eq!(read.unwrap().unwrap(), "read");

            // One that goes away while it waits or reads is no longer counted.
            reads.truncate(LISTS.lanes[0] as usize);
            drop(end);
            for read in reads {
                timeout(PATIENCE, read).await.unwrap().unwrap();
            }
            assert_eq!(readers.lanes.first().turns.owners(), 0);
        }
        store.close().await;
    }

    /// A query that ends only when it is broken off.
    fn endless(reader: &Reader) -> rusqlite::Result<()> {
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) \
                   SELECT max(n) FROM n";
        reader.connection.query_row(sql, [], |_| Ok(()))
    }

    #[tokio::test]
    async fn long_reads_of_many_owners_leave_the_short_ones_their_connections() {
        let limits = [5, 5, 3_600_000].map(Duration::from_millis);
        let (readers, store, _directory) = readers_with(limits);
        let reads: Vec<_> = (0..8)
            .map(|_| {
                let readers = readers.clone();
                tokio::spawn(async move { readers.read_for(OwnerId::mint(), endless).await })
            })
            .collect();
        // Each of them moves on to the last lane, and runs or waits there.
        let last = readers.lanes.lanes.last().unwrap();
        let all_there = async {
            loop {
                let (running, waiting) = last.turns.load();
                if running + waiting == reads.len() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, all_there).await.unwrap();
        let read = timeout(PATIENCE, readers.read_for(OwnerId::mint(), |_| Ok("read"))).await;
        assert_eq!(read.unwrap().unwrap(), "read");
        readers.close().await;
        store.close().await;
    }

    /// Readers of a fresh store with short limits.
    fn readers_with(limits: [Duration; 3]) -> (Readers, SqliteStore, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let lanes = Lanes::with_limits(LISTS, limits).unwrap();
        let readers = Readers::with_lanes(&store.database, store.identity.system, LISTS, lanes);
        (readers.unwrap(), store, directory)
    }

    #[tokio::test]
    async fn a_read_that_takes_too_long_begins_again_and_is_refused_in_the_end() {
        let limits = [5, 10, 20].map(Duration::from_millis);
        let (readers, store, _directory) = readers_with(limits);
        let owner = OwnerId::mint();
        let refused = timeout(PATIENCE, readers.read_for(owner, endless)).await;
        let refused = refused.unwrap().unwrap_err();
        assert!(
            matches!(refused, StoreError::TookTooLong { limit } if limit == limits[2]),
            "{refused:?}"
        );
        // Its connections can be used again.
        assert_eq!(readers.idle.readers().len(), LISTS.connections() as usize);
        // What was read before it was broken off is not a part of the answer.
        let attempts = AtomicUsize::new(0);
        let read = readers.read_for(OwnerId::mint(), move |reader| {
            let attempt = attempts.fetch_add(1, Ordering::Relaxed);
            if attempt < 2 {
                endless(reader)?;
            }
            Ok(attempt)
        });
        assert_eq!(timeout(PATIENCE, read).await.unwrap().unwrap(), 2);
        readers.close().await;
        store.close().await;
    }

    #[tokio::test]
    async fn a_read_that_is_dropped_or_whose_store_closes_is_broken_off() {
        let limits = [1, 1, 3_600].map(Duration::from_secs);
        let (readers, store, _directory) = readers_with(limits);
        let (dropped, kept) = (OwnerId::mint(), OwnerId::mint());
        let mut read = Box::pin(readers.read_for(dropped, endless));
        assert!((&mut read).now_or_never().is_none());
        drop(read);
        let ended = async {
            while readers.lanes.first().turns.load() != (0, 0) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, ended).await.unwrap();
        let mut read = Box::pin(readers.read_for(kept, endless));
        assert!((&mut read).now_or_never().is_none());
        timeout(PATIENCE, readers.close()).await.unwrap();
        assert!(matches!(read.await, Err(StoreError::Closed)));
        store.close().await;
    }

    #[tokio::test]
    async fn so_many_reads_of_an_owner_may_wait() {
        let (readers, store, _directory) = readers_with([PATIENCE; 3]);
        let (end, query) = slow_query();
        let owner = OwnerId::mint();
        let most = LISTS.lanes[0] as usize / 2 + LISTS.waiting_each;
        let mut reads: Vec<_> = (0..most)
            .map(|_| Box::pin(readers.read_for(owner, query.clone())))
            .collect();
        for read in &mut reads {
            assert!(read.now_or_never().is_none());
        }
        let refused = readers.read_for(owner, query.clone()).await.unwrap_err();
        assert!(
            matches!(refused, StoreError::TooManyReads { .. }),
            "{refused:?}"
        );
        let other = readers.read_for(OwnerId::mint(), |_| Ok("read")).await;
        assert_eq!(other.unwrap(), "read");
        drop((end, reads));
        readers.close().await;
        store.close().await;
    }

    #[tokio::test]
    async fn every_read_of_an_owner_waits_its_turn() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let owner = OwnerId::mint();
        let (end, query) = slow_query();
        let half = LISTS.lanes[0] as usize / 2;
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
        for (readers, waiting) in all.into_iter().zip([4, 3]) {
            assert_eq!(readers.lanes.first().turns.load(), (half, waiting));
        }
        drop(end);
        for read in reads {
            timeout(PATIENCE, read).await.unwrap();
        }
        drop(slow);
        store.close().await;
    }
}
