//! Maintenance beside commits.

use std::sync::Arc;
use std::time::Duration;

use tidings_event::{Change, EventId, EventRef, OwnerId, Status};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::{Database, moment, publishing, submission};
use crate::config::PostgresConfig;
use crate::store::postgres::PostgresStore;
use crate::store::{ChangeStep, Group, Store as _};

fn id(number: u128) -> EventId {
    Uuid::from_u128(0xE000 + number).into()
}

fn owner(number: u128) -> OwnerId {
    OwnerId::from_uuid(Uuid::from_u128(0xA000 + number))
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
        at: moment(5_000),
    };
    let group = Group {
        publications: Vec::new(),
        steps: vec![step],
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
    let tidying = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.tidy().await }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
         AND datname = current_database() AND starts_with(query, 'SELECT feed.owner')";
    while watch
        .query_one(waiting, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        == 0
    {
        tokio::task::yield_now().await;
    }
    // It waits for the first one before it has the last one.
    watch.execute(lock, &[last.as_uuid()]).await.unwrap();
    other.batch_execute("COMMIT").await.unwrap();
    tidying.await.unwrap().unwrap();
    let left = watch.query_one("SELECT count(*) FROM overlay", &[]).await;
    assert_eq!(left.unwrap().get::<_, i64>(0), 0);
    store.close().await;
}
