//! A store that is moved away while nodes are cut off, or in the middle of a commit.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tidings_event::{Change, EventRef, OwnerId, Status};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::gate::{Gate, Way};
use super::{Database, moment, open, publishing, submission, unless_ended};
use crate::config::{Config, PostgresConfig, SqliteConfig, StoreConfig};
use crate::moving::{MoveError, Moved, MovedTokens, move_store};
use crate::store::postgres::exclusive::ExclusivePostgres;
use crate::store::postgres::open_fault::{JoinFault, OpenFault, SideFault};
use crate::store::postgres::{PostgresStore, renew_epoch};
use crate::store::{ChangeStep, Committed, Group, RevokedToken, Store as _, StoreError};
use crate::{OpenError, Tidings};

/// Longer than anything here waits for, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the sessions that tell that a node is there. A row for each that is left.
const END_MEMBERSHIP: &str = "SELECT pg_terminate_backend(pid) FROM pg_locks \
     WHERE locktype = 'advisory' AND granted \
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

fn owner() -> OwnerId {
    OwnerId::from_uuid(Uuid::from_u128(0xA))
}

/// A group that publishes the event with a number.
fn event(store: &PostgresStore, number: u64) -> Group {
    let id = Uuid::from_u128(0xE000 + u128::from(number)).into();
    let system = store.identity().system;
    publishing(vec![submission(id, owner(), number, system)])
}

/// A group that marks it.
fn mark(number: u64) -> Group {
    let id = tidings_event::EventId::from(Uuid::from_u128(0xE000 + u128::from(number)));
    Group {
        steps: vec![ChangeStep {
            owner: owner(),
            targets: vec![EventRef::from(id).into()],
            change: Change::Status(Status::Read),
            only: None,
            systems: None,
            at: moment(2_000),
        }],
        ..Group::default()
    }
}

async fn commit(store: &PostgresStore, group: Group) -> Result<Committed, StoreError> {
    store.commit(Box::new(|| group)).await
}

/// A session of the test.
async fn session(database: &Database) -> Client {
    let (client, driver) = tokio_postgres::connect(&database.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(driver);
    client
}

/// Waits until a statement that has this text waits for a lock.
async fn waits(database: &Database, text: &str) {
    let watch = session(database).await;
    let sql = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
               AND datname = current_database() AND position($1 IN query) > 0";
    while watch.query(sql, &[&text]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

/// Checks that a node says that it has to be restarted.
fn is_refused<T: std::fmt::Debug>(done: Result<T, StoreError>) {
    match done {
        Err(StoreError::Unavailable(cause)) if cause.to_string().contains("restart the node") => {}
        other => panic!("{other:?}"),
    }
}

/// Moves a store, once the server has seen that the connections of a node were cut.
async fn move_away(from: &StoreConfig, to: &StoreConfig) -> Result<Moved, MoveError> {
    loop {
        let mut keep = |_| Ok(());
        let tokens = MovedTokens {
            listed: Vec::new(),
            keep: &mut keep,
        };
        match move_store(from, to, tokens, |_| {}).await {
            Err(MoveError::Source(OpenError::Store(cause)))
                if cause.to_string().contains("servers use the database") => {}
            moved => return moved,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_cut_off_commits_nothing_to_a_store_that_was_moved() {
    let database = Database::create();
    let gate = Gate::before(&database).await;
    let store = PostgresStore::open(&gate.config(PATIENCE)).await.unwrap();
    commit(&store, event(&store, 1)).await.unwrap();
    gate.set(Way::Closed);
    let place = tempfile::tempdir().unwrap();
    let from = StoreConfig::Postgres(PostgresConfig::new(database.url()));
    let to = StoreConfig::Sqlite(SqliteConfig::new(place.path().join("new")));
    let moved = move_away(&from, &to).await.unwrap();
    assert_eq!(moved.events, 1);
    gate.set(Way::Open);

    // New events in one statement, a repeat and a change in more of them.
    is_refused(commit(&store, event(&store, 2)).await);
    is_refused(commit(&store, event(&store, 1)).await);
    is_refused(commit(&store, mark(1)).await);
    let token = RevokedToken {
        id: "token".to_owned(),
        until: None,
        ended_by: None,
    };
    is_refused(store.revoke(token).await);
    is_refused(store.snapshot(owner()).await);
    is_refused(store.check().await);
    let rejoined = store.leads().await.unwrap_err();
    assert!(chain(&rejoined).contains("tidings move"), "{rejoined:?}");
    store.close().await;
    let left = database.query("SELECT count(*), sum(head) FROM event, feed");
    assert_eq!(left, [Some("1".to_owned()), Some("1".to_owned())]);

    // The move can be told again that it is complete, and no server starts with the old store by mistake.
    assert_eq!(move_away(&from, &to).await.unwrap(), moved);
    let opened = PostgresStore::open(&PostgresConfig::new(database.url())).await;
    let is_moved = matches!(&opened, Err(OpenFault::Join(JoinFault::MovedAway)));
    assert!(is_moved, "{opened:?}");
    let new = Tidings::open(Config::for_store(to)).await.unwrap();
    assert_eq!(new.summary(owner()).await.unwrap().total_count, 1);
    new.close().await;
    let before = store.identity();
    renew_epoch(&PostgresConfig::new(database.url()))
        .await
        .unwrap();
    let again = open(&database).await;
    let after = again.identity();
    assert_eq!(after.system, before.system);
    assert_ne!(after.epoch, before.epoch);
    commit(&again, event(&again, 2)).await.unwrap();
    again.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_waits_for_commits_that_have_begun() {
    let database = Database::create();
    let config = PostgresConfig::new(database.url()).with_timeout(PATIENCE);
    let store = Arc::new(PostgresStore::open(&config).await.unwrap());
    // The next new event takes one statement.
    for number in 1..=2 {
        commit(&store, event(&store, number)).await.unwrap();
    }
    while !database.query(END_MEMBERSHIP).is_empty() {}
    let holder = session(&database).await;
    let lock = "BEGIN; SELECT FROM feed FOR UPDATE";
    holder.batch_execute(lock).await.unwrap();
    let (node, group) = (Arc::clone(&store), event(&store, 3));
    let mut committing = tokio::spawn(async move { commit(&node, group).await });
    unless_ended(&mut committing, waits(&database, "WITH feeds")).await;

    // Not within this time.
    let hasty = PostgresConfig::new(database.url()).with_timeout(Duration::from_secs(1));
    let rejected = ExclusivePostgres::source(&hasty).await.unwrap_err();
    assert!(matches!(rejected, SideFault::Busy(_)), "{rejected:?}");
    assert!(rejected.to_string().contains("within 2 s"), "{rejected}");

    let mut moving = tokio::spawn(async move { ExclusivePostgres::source(&config).await });
    unless_ended(&mut moving, waits(&database, "LOCK TABLE")).await;
    holder.batch_execute("COMMIT").await.unwrap();
    committing.await.unwrap().unwrap();
    let side = moving.await.unwrap().unwrap().unwrap();
    let head = side.head().await.unwrap();
    assert_eq!((head.events, head.identity), (3, store.identity()));
    is_refused(commit(&store, event(&store, 4)).await);
    side.release().await;
    is_refused(commit(&store, mark(1)).await);
    store.close().await;
}

/// A statement that waits while the move has the locks must see the new epoch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_wait_for_a_move_are_refused() {
    let database = Database::create();
    let config = PostgresConfig::new(database.url()).with_timeout(PATIENCE);
    let store = Arc::new(PostgresStore::open(&config).await.unwrap());
    for number in 1..=2 {
        commit(&store, event(&store, number)).await.unwrap();
    }
    for (group, statement) in [
        (event(&store, 3), "WITH feeds"),
        (event(&store, 1), "WITH feeds"),
        (mark(2), "SELECT feed.owner"),
    ] {
        let mover = session(&database).await;
        let lock = "BEGIN; LOCK TABLE feed, last_revocation IN EXCLUSIVE MODE; \
                    CREATE TABLE kept AS SELECT epoch FROM installation; \
                    UPDATE installation SET epoch = gen_random_uuid()";
        mover.batch_execute(lock).await.unwrap();
        let node = Arc::clone(&store);
        let mut committing = tokio::spawn(async move { commit(&node, group).await });
        unless_ended(&mut committing, waits(&database, statement)).await;
        mover.batch_execute("COMMIT").await.unwrap();
        is_refused(committing.await.unwrap());
        let back = "UPDATE installation SET epoch = (SELECT epoch FROM kept); DROP TABLE kept";
        mover.batch_execute(back).await.unwrap();
    }
    let left = database.query("SELECT count(*), max(head) FROM event, feed");
    assert_eq!(left, [Some("2".to_owned()), Some("2".to_owned())]);
    store.close().await;
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
