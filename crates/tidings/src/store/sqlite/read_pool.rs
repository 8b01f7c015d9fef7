//! The connections that read beside the writer. Each serves one request at a time.

mod background;
mod slices;
mod tools;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _};
use tidings_event::{OwnerId, SystemId};

use super::connection::open_read_connection;
use super::fault::{OpenFault, store_error};
use super::row::{SEEN_COLUMNS, event_json, overlay_join};
use crate::store::lanes::{Lane, Lanes, Widths};
use crate::store::{Side, StoreError, Target};
use slices::Slice;
use tools::Tools;

/// The limits of the lanes. Most reads take less than a millisecond. The last limit bounds how long a read
/// prevents the write-ahead log from being truncated.
const LIMITS: [Duration; 3] = [
    Duration::from_millis(20),
    Duration::from_millis(250),
    Duration::from_secs(10),
];

/// How many of SQLite's virtual instructions a read runs before it checks whether it is still wanted: some
/// tens of microseconds.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 10_000;

/// A pool of read connections. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct ReadPool {
    lanes: Arc<Lanes>,
    /// Those of each lane.
    tools: Arc<[Tools]>,
    idle: Arc<Idle>,
    /// Set when the store closes: running reads end early.
    closing: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Idle {
    database: PathBuf,
    system: SystemId,
    connections: Mutex<Vec<ReadConnection>>,
}

/// The caller that waits for a read. Dropping it tells the read that nobody waits any more.
#[derive(Debug, Default)]
struct Caller {
    gone: Arc<AtomicBool>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

/// A connection that cannot write, and the installation whose events every owner sees.
#[derive(Debug)]
pub(crate) struct ReadConnection {
    pub(super) connection: Connection,
    pub(super) system: SystemId,
}

/// An attempt to read took longer than its lane allows.
struct TookTooLong;

impl ReadPool {
    /// Opens all connections now: later, no file descriptors might be left for them.
    pub(crate) fn open(
        database: &Path,
        system: SystemId,
        widths: Widths,
    ) -> Result<Self, OpenFault> {
        Self::with_limits(database, system, widths, LIMITS)
    }

    fn with_limits(
        database: &Path,
        system: SystemId,
        widths: Widths,
        limits: [Duration; 3],
    ) -> Result<Self, OpenFault> {
        let lanes = Lanes::new(widths, limits);
        let tools: std::io::Result<_> = lanes.lanes.iter().map(Tools::of).collect();
        let tools = tools.map_err(OpenFault::Thread)?;
        let idle = Idle {
            database: database.to_owned(),
            system,
            connections: Mutex::default(),
        };
        for _ in 0..widths.connections() {
            idle.put(idle.connect()?);
        }
        Ok(Self {
            lanes: Arc::new(lanes),
            tools,
            idle: Arc::new(idle),
            closing: Arc::default(),
        })
    }

    /// Runs `query` for the store itself, on a connection of its own and a thread that may block, without a
    /// time limit. The query is interrupted if its caller is dropped or the store closes.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&ReadConnection) -> rusqlite::Result<T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        match self.attempt(self.lanes.first(), None, query).await? {
            Ok(answer) => Ok(answer),
            Err(TookTooLong) => Err(StoreError::Internal(
                "a read without a limit had one".into(),
            )),
        }
    }

    /// Runs a query about what `owner` sees within the limits of [`Lanes`]. The query can run several
    /// times, each time from its beginning; only the result of the last run counts.
    pub(crate) async fn read_for<T: Send + 'static>(
        &self,
        owner: OwnerId,
        query: impl Fn(&ReadConnection) -> rusqlite::Result<T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let query = Arc::new(query);
        let mut limit = Duration::ZERO;
        for lane in self.lanes.of(owner) {
            let query = Arc::clone(&query);
            let attempt = self.attempt(lane, Some(owner), move |connection| query(connection));
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
        query: impl Fn(&ReadConnection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Result<T, TookTooLong>, StoreError> {
        let turn = lane.take_turn(owner).await?;
        let (idle, lanes) = (Arc::clone(&self.idle), Arc::clone(&self.lanes));
        let caller = Caller::default();
        let gone = Arc::clone(&caller.gone);
        let closing = Arc::clone(&self.closing);
        let limit = owner.map(|_| lane.limit);
        let tools = &self.tools[lane.number];
        let slice = tools.slices.clone().map(Slice::of);
        let job = move || {
            let begun = Instant::now();
            let late = Arc::new(AtomicBool::new(false));
            let is_late = Arc::clone(&late);
            let mut is_unwanted = move || {
                if limit.is_some_and(|limit| begun.elapsed() >= limit) {
                    is_late.store(true, Ordering::Relaxed);
                }
                is_late.load(Ordering::Relaxed)
                    || gone.load(Ordering::Relaxed)
                    || closing.load(Ordering::Relaxed)
            };
            let slice = Arc::new(Mutex::new(slice));
            let in_slices = Arc::clone(&slice);
            let look = move || {
                let mut slice = in_slices.lock().unwrap_or_else(PoisonError::into_inner);
                let goes_on = slice
                    .as_mut()
                    .is_none_or(|slice| slice.go_on(&mut is_unwanted));
                !goes_on || is_unwanted()
            };
            let answer = idle.read(query, look);
            let slice = slice.lock().unwrap_or_else(PoisonError::into_inner).take();
            let waited = slice.map_or(Duration::ZERO, |slice| slice.waited());
            if let Some(owner) = owner {
                lanes.charge(owner, begun.elapsed().saturating_sub(waited));
            }
            // The turn lasts until the query has ended, even if its caller is gone.
            drop(turn);
            match answer {
                Ok(answer) => Ok(Ok(answer)),
                Err(error) if is_interrupted(&error) && late.load(Ordering::Relaxed) => {
                    Ok(Err(TookTooLong))
                }
                Err(error) => Err(error),
            }
        };
        let answer = match &tools.threads {
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

    /// Rejects new reads, waits for running reads, and closes the connections.
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
        query: impl Fn(&ReadConnection) -> rusqlite::Result<T>,
        is_unwanted: impl FnMut() -> bool + Send + 'static,
    ) -> rusqlite::Result<T> {
        let idle = self.connections().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let sqlite = &connection.connection;
        sqlite.progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(is_unwanted))?;
        let read = query(&connection);
        // A connection that failed is closed, in case the fault lies in it.
        if read.as_ref().is_ok() || read.as_ref().is_err_and(is_interrupted) {
            sqlite.progress_handler(0, None::<fn() -> bool>)?;
            if sqlite.is_autocommit() {
                self.put(connection);
            }
        }
        read
    }

    fn connect(&self) -> rusqlite::Result<ReadConnection> {
        Ok(ReadConnection {
            connection: open_read_connection(&self.database)?,
            system: self.system,
        })
    }

    fn put(&self, connection: ReadConnection) {
        self.connections().push(connection);
    }

    fn take_all(&self) {
        self.connections().clear();
    }

    fn connections(&self) -> MutexGuard<'_, Vec<ReadConnection>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadConnection {
    /// The JSON of an event that `owner` sees. An id alone means their own event before the system's.
    pub(crate) fn event(&self, owner: OwnerId, target: Target) -> rusqlite::Result<Option<Bytes>> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let overlay = overlay_join(2, 3);
        let sql = format!(
            "SELECT {SEEN_COLUMNS} FROM event JOIN feed ON feed.key = event.feed {overlay} \
             WHERE event.id = ?1 AND event.feed IN (?4, ?5) AND coalesce(overlay.deleted, 0) = 0 \
             ORDER BY event.feed = ?3 LIMIT 1"
        );
        let (own, of_system) = (viewer.overlay_feed(), viewer.system_feed());
        let [first, second] = match target.side {
            Some(Side::Own) => [own; 2],
            Some(Side::System) => [of_system; 2],
            None => [own, of_system],
        };
        let id = target.id.as_uuid().as_bytes();
        let event = self
            .connection
            .prepare_cached(&sql)?
            .query_row((id, own, of_system, first, second), event_json)
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
    use tidings_event::{EventFilter, EventId, EventRef, PageRequest};
    use tokio::time::timeout;

    use super::super::{LISTS, SqliteStore};
    use super::*;
    use crate::store::{Matching, RevRange, Side, Store as _, Unread};

    /// Far longer than any read here takes.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// A query that lasts until the sender is dropped.
    fn slow_query() -> (
        mpsc::Sender<()>,
        impl Fn(&ReadConnection) -> rusqlite::Result<()> + Clone + Send + 'static,
    ) {
        let (end, ended) = mpsc::channel();
        let ended = Arc::new(Mutex::new(ended));
        let query = move |_: &ReadConnection| {
            let _ = ended.lock().unwrap().recv();
            Ok(())
        };
        (end, query)
    }

    #[tokio::test]
    async fn slow_reads_of_one_owner_do_not_delay_another_owner() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let (greedy, other) = (OwnerId::mint(), OwnerId::mint());
        for pool in [&store.list_pool, &store.stream_pool] {
            let (end, query) = slow_query();
            let mut reads: Vec<_> = (0..2 * LISTS.lanes[0])
                .map(|_| Box::pin(pool.read_for(greedy, query.clone())))
                .collect();
            for read in &mut reads {
                assert!(read.now_or_never().is_none());
            }
            let read = timeout(PATIENCE, pool.read_for(other, |_| Ok("read"))).await;
            assert_eq!(read.unwrap().unwrap(), "read");

            // A caller that is dropped while it waits or reads gives its turn back.
            reads.truncate(LISTS.lanes[0] as usize);
            drop(end);
            for read in reads {
                timeout(PATIENCE, read).await.unwrap().unwrap();
            }
            assert_eq!(pool.lanes.first().turns.owners(), 0);
        }
        store.close().await;
    }

    /// A query that ends only when it is interrupted.
    fn endless(connection: &ReadConnection) -> rusqlite::Result<()> {
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) \
                   SELECT max(n) FROM n";
        connection.connection.query_row(sql, [], |_| Ok(()))
    }

    #[tokio::test]
    async fn long_reads_of_many_owners_leave_connections_for_short_reads() {
        let limits = [5, 5, 3_600_000].map(Duration::from_millis);
        let (pool, store, _directory) = pool_with(limits);
        let reads: Vec<_> = (0..8)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.read_for(OwnerId::mint(), endless).await })
            })
            .collect();
        // Each moves to the last lane, and runs or waits there.
        let last = pool.lanes.lanes.last().unwrap();
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
        let read = timeout(PATIENCE, pool.read_for(OwnerId::mint(), |_| Ok("read"))).await;
        assert_eq!(read.unwrap().unwrap(), "read");
        pool.close().await;
        store.close().await;
    }

    #[tokio::test]
    async fn a_long_read_goes_on_while_others_take_all_their_time() {
        let limits = [5, 5, 3_600_000].map(Duration::from_millis);
        let (pool, store, _directory) = pool_with(limits);
        let endless_reads: Vec<_> = (0..LISTS.lanes[2])
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.read_for(OwnerId::mint(), endless).await })
            })
            .collect();
        let last = pool.lanes.lanes.last().unwrap();
        let all_run = async {
            while last.turns.load().0 < endless_reads.len() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, all_run).await.unwrap();
        let attempts = AtomicUsize::new(0);
        let long = pool.read_for(OwnerId::mint(), move |connection| {
            if attempts.fetch_add(1, Ordering::Relaxed) < 2 {
                endless(connection)?;
            }
            let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 300000) \
                       SELECT max(n) FROM n";
            connection
                .connection
                .query_row(sql, [], |row| row.get::<_, u32>(0))
        });
        assert_eq!(timeout(PATIENCE, long).await.unwrap().unwrap(), 300_000);
        timeout(PATIENCE, pool.close()).await.unwrap();
        for read in endless_reads {
            assert!(matches!(read.await.unwrap(), Err(StoreError::Closed)));
        }
        store.close().await;
    }

    /// A pool on a new store, with these limits of its lanes.
    fn pool_with(limits: [Duration; 3]) -> (ReadPool, SqliteStore, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let pool = ReadPool::with_limits(&store.database, store.identity.system, LISTS, limits);
        (pool.unwrap(), store, directory)
    }

    #[tokio::test]
    async fn a_read_that_takes_too_long_starts_over_and_is_finally_rejected() {
        let limits = [5, 10, 20].map(Duration::from_millis);
        let (pool, store, _directory) = pool_with(limits);
        let owner = OwnerId::mint();
        let rejected = timeout(PATIENCE, pool.read_for(owner, endless)).await;
        let rejected = rejected.unwrap().unwrap_err();
        assert!(
            matches!(rejected, StoreError::TookTooLong { limit } if limit == limits[2]),
            "{rejected:?}"
        );
        // Its connections are back in the pool.
        assert_eq!(pool.idle.connections().len(), LISTS.connections() as usize);
        // The result does not include what an interrupted attempt read.
        let attempts = AtomicUsize::new(0);
        let read = pool.read_for(OwnerId::mint(), move |connection| {
            let attempt = attempts.fetch_add(1, Ordering::Relaxed);
            if attempt < 2 {
                endless(connection)?;
            }
            Ok(attempt)
        });
        assert_eq!(timeout(PATIENCE, read).await.unwrap().unwrap(), 2);
        pool.close().await;
        store.close().await;
    }

    #[tokio::test]
    async fn dropping_a_read_or_closing_the_store_interrupts_it() {
        let limits = [1, 1, 3_600].map(Duration::from_secs);
        let (pool, store, _directory) = pool_with(limits);
        let (dropped, kept) = (OwnerId::mint(), OwnerId::mint());
        let mut read = Box::pin(pool.read_for(dropped, endless));
        assert!((&mut read).now_or_never().is_none());
        drop(read);
        let ended = async {
            while pool.lanes.first().turns.load() != (0, 0) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, ended).await.unwrap();
        let mut read = Box::pin(pool.read_for(kept, endless));
        assert!((&mut read).now_or_never().is_none());
        timeout(PATIENCE, pool.close()).await.unwrap();
        assert!(matches!(read.await, Err(StoreError::Closed)));
        store.close().await;
    }

    #[tokio::test]
    async fn the_number_of_waiting_reads_of_an_owner_is_limited() {
        let (pool, store, _directory) = pool_with([PATIENCE; 3]);
        let (end, query) = slow_query();
        let owner = OwnerId::mint();
        let most = LISTS.lanes[0] as usize / 2 + LISTS.waiting_each;
        let mut reads: Vec<_> = (0..most)
            .map(|_| Box::pin(pool.read_for(owner, query.clone())))
            .collect();
        for read in &mut reads {
            assert!(read.now_or_never().is_none());
        }
        let rejected = pool.read_for(owner, query.clone()).await.unwrap_err();
        assert!(
            matches!(rejected, StoreError::TooManyReads { .. }),
            "{rejected:?}"
        );
        let other = pool.read_for(OwnerId::mint(), |_| Ok("read")).await;
        assert_eq!(other.unwrap(), "read");
        drop((end, reads));
        pool.close().await;
        store.close().await;
    }

    #[tokio::test]
    async fn every_kind_of_read_waits_for_the_owners_turn() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let owner = OwnerId::mint();
        let (end, query) = slow_query();
        let half = LISTS.lanes[0] as usize / 2;
        let all = [&store.list_pool, &store.stream_pool];
        let mut slow: Vec<_> = (0..half)
            .flat_map(|_| all)
            .map(|pool| Box::pin(pool.read_for(owner, query.clone())))
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
            store
                .event(owner, EventRef::from(EventId::mint()).into())
                .map(drop)
                .boxed(),
        ];
        for read in &mut reads {
            assert!(read.now_or_never().is_none());
        }
        for (pool, waiting) in all.into_iter().zip([4, 3]) {
            assert_eq!(pool.lanes.first().turns.load(), (half, waiting));
        }
        drop(end);
        for read in reads {
            timeout(PATIENCE, read).await.unwrap();
        }
        drop(slow);
        store.close().await;
    }
}
