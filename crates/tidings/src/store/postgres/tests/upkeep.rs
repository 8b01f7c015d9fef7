//! Maintenance beside commits.

use std::sync::Arc;
use std::time::Duration;

use tidings_event::{Change, EventFilter, EventId, EventRef, OwnerId, PageRequest, Status};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::{Database, moment, publishing, submission, unless_ended};
use crate::config::PostgresConfig;
use crate::store::postgres::PostgresStore;
use crate::store::{ChangeStep, Group, Progress, Store as _};

fn id(number: u128) -> EventId {
    Uuid::from_u128(0xE000 + number).into()
}

fn owner(number: u128) -> OwnerId {
    OwnerId::from_uuid(Uuid::from_u128(0xA000 + number))
}

/// Waits until a statement that meets a condition waits for a lock.
async fn waits(watch: &Client, condition: &str) {
    let sql = format!(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
         AND datname = current_database() AND {condition}"
    );
    while watch.query(&sql, &[]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

async fn client(database: &Database) -> Client {
    let (client, driver) = tokio_postgres::connect(&database.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(driver);
    client
}

async fn change(store: &PostgresStore, owner: OwnerId, event: EventId, change: Change) {
    let step = ChangeStep {
        owner,
        targets: vec![EventRef::from(event).into()],
        change,
        only: None,
        systems: None,
        at: moment(5_000),
    };
    let group = Group {
        steps: vec![step],
        ..Group::default()
    };
    let committed = store.commit(Box::new(|| group)).await.unwrap();
    assert_eq!(committed.changed[0].ids, [event]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_overlays_of_several_events_are_removed_in_the_order_of_locks_of_commits() {
    let database = Database::create();
    let mut config = PostgresConfig::new(database.url());
    config.keep_overlays = Duration::ZERO;
    let store = Arc::new(PostgresStore::open(&config).await.unwrap());
    let system = store.identity().system;
    let (first, last) = (owner(1), owner(2));
    // The event that ends first has an overlay of the owner that is locked last.
    for (event, user) in [(id(1), last), (id(2), first)] {
        let published = publishing(vec![submission(event, system.into(), 1, system)]);
        store.commit(Box::new(|| published)).await.unwrap();
        change(&store, user, event, Change::Status(Status::Read)).await;
        change(&store, system.into(), event, Change::Delete).await;
    }
    let [other, watch] = [client(&database).await, client(&database).await];
    let lock = "SELECT FROM feed WHERE owner = $1 FOR UPDATE NOWAIT";
    other.batch_execute("BEGIN").await.unwrap();
    other.execute(lock, &[first.as_uuid()]).await.unwrap();
    let mut tidying = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.tidy().await }
    });
    let waiting = "starts_with(query, 'SELECT feed.owner')";
    unless_ended(&mut tidying, waits(&watch, waiting)).await;
    // It waits for the first one before it has the last one.
    watch.execute(lock, &[last.as_uuid()]).await.unwrap();
    other.batch_execute("COMMIT").await.unwrap();
    tidying.await.unwrap().unwrap();
    let left = watch.query_one("SELECT count(*) FROM overlay", &[]).await;
    assert_eq!(left.unwrap().get::<_, i64>(0), 0);
    store.close().await;
}

/// An update that is committed while a block is made, before it is stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_block_with_an_outdated_text_is_made_again() {
    let database = Database::create();
    let store = Arc::new(super::open(&database).await);
    let system = store.identity().system;
    let event = |number: u64| submission(id(number.into()), owner(1), number, system);
    let events = publishing((0..600).map(event).collect());
    store.commit(Box::new(|| events)).await.unwrap();
    let updating = client(&database).await;
    updating
        .batch_execute(
            "BEGIN; UPDATE feed SET head = head + 1; \
             UPDATE event SET description = 'needle', folded = NULL, content_rev = 601 WHERE created_rev = 3",
        )
        .await
        .unwrap();
    let mut tidying = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.tidy().await })
    };
    let watching = client(&database).await;
    unless_ended(&mut tidying, waits(&watching, "query LIKE '%search_feed%'")).await;
    updating.batch_execute("COMMIT").await.unwrap();
    tidying.await.unwrap().unwrap();
    let blocks = "SELECT count(*)::text FROM search_block";
    assert_eq!(database.query(blocks), [Some("0".to_owned())]);
    while store.tidy().await.unwrap() == Progress::More {}
    assert_ne!(database.query(blocks), [Some("0".to_owned())]);
    let mut filter = EventFilter::default();
    filter.search = Some("needle".to_owned());
    let page = PageRequest::default();
    let found = store.list(owner(1), filter, page, 100_000).await.unwrap();
    assert_eq!(found.total, Some(1));
    store.close().await;
}
