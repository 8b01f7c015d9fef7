//! Lanes, time limits and turns of reads.

use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

use futures_util::FutureExt as _;
use tidings_event::{EventFilter, EventId, EventRef, PageRequest};
use tokio::time::timeout;

use super::*;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::opening::LISTS;
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
