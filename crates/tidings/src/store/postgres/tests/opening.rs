//! Opening a store: its schema, its identity and the node that leads.

use std::error::Error as _;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;

use super::gate::{Gate, Way};
use super::{Database, open};
use crate::config::PostgresConfig;
use crate::store::postgres::fault::ConnectError;
use crate::store::postgres::open_fault::{JoinFault, OpenFault};
use crate::store::postgres::{PostgresStore, migrate};
use crate::store::{Store as _, StoreError};

/// The output of a future that is ready now.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_have_one_identity() {
    let database = Database::create();
    let stores = join_all((0..4).map(|_| open(&database))).await;
    let first = stores[0].identity();
    for store in &stores {
        let identity = store.identity();
        assert_eq!(identity.system, first.system);
        assert_eq!(identity.epoch.as_uuid(), first.epoch.as_uuid());
        store.close().await;
    }
    let again = open(&database).await.identity();
    assert_eq!(again.epoch.as_uuid(), first.epoch.as_uuid());
}

/// A node of the store before a restore must not count as ready: it rejects all reads.
#[tokio::test]
async fn a_store_with_another_epoch_is_not_that_of_the_node() {
    let database = Database::create();
    let store = open(&database).await;
    store.check().await.unwrap();
    database.query("UPDATE installation SET epoch = gen_random_uuid()");
    let checked = store.check().await;
    let Err(StoreError::Unavailable(cause)) = &checked else {
        panic!("{checked:?}");
    };
    assert!(cause.to_string().contains("restart the node"), "{cause}");
    store.close().await;
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_rejected() {
    let database = Database::create();
    open(&database).await;
    let known = database.query("SELECT max(version) FROM tidings_migration");
    let known: i32 = known[0].as_ref().unwrap().parse().unwrap();
    assert_eq!(known, migrate::known_version());
    database.query(
        "INSERT INTO tidings_migration (version, name, applied_on, checksum) \
         SELECT version + 1, 'next', applied_on, checksum FROM tidings_migration \
         ORDER BY version DESC LIMIT 1",
    );
    let rejected = PostgresStore::open(&PostgresConfig::new(database.url())).await;
    let found = known + 1;
    assert!(
        matches!(&rejected, Err(OpenFault::Newer { found: one, known: other })
            if *one == found && *other == known),
        "{rejected:?}"
    );
}

#[tokio::test]
async fn commits_that_could_be_lost_are_rejected_unless_wanted() {
    let database = Database::create();
    let name = database.url();
    let name = name.rsplit('/').next().unwrap();
    database.query(&format!(
        "ALTER DATABASE {name} SET synchronous_commit = off"
    ));
    let config = PostgresConfig::new(database.url());
    let rejected = PostgresStore::open(&config).await;
    assert!(
        matches!(
            &rejected,
            Err(OpenFault::Join(JoinFault::Connect(
                ConnectError::LossyCommit
            )))
        ),
        "{rejected:?}"
    );
    let store = PostgresStore::open(&config.with_lossy_commit(true)).await;
    store.unwrap().close().await;
}

#[tokio::test]
async fn one_node_leads_until_it_ends() {
    let database = Database::create();
    let stores = [open(&database).await, open(&database).await];
    assert!(stores[0].leads().await.unwrap());
    assert!(!stores[1].leads().await.unwrap());
    assert!(stores[0].leads().await.unwrap());
    stores[0].close().await;
    let closed = stores[0].leads().await;
    assert!(matches!(closed, Err(StoreError::Closed)), "{closed:?}");
    // The server has to notice the end of the connection.
    while !stores[1].leads().await.unwrap() {
        tokio::task::yield_now().await;
    }
    stores[1].close().await;
}

/// The server is not told that a machine has lost its power, or that a process hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_says_nothing_loses_the_lead() {
    let database = Database::create();
    let gate = Gate::before(&database).await;
    let mut config = gate.config(PostgresConfig::DEFAULT_TIMEOUT);
    config.silence = Duration::from_millis(300);
    let silent = PostgresStore::open(&config).await.unwrap();
    // It may have been slow itself.
    while !silent.leads().await.is_ok_and(|leads| leads) {}
    let other = open(&database).await;
    gate.set(Way::Silent);
    while !other.leads().await.unwrap() {
        tokio::task::yield_now().await;
    }
    gate.set(Way::Closed);
    silent.leads().await.unwrap_err();
    gate.set(Way::Open);
    // It joins the others again, and does not lead.
    while silent.leads().await.is_err() {
        tokio::task::yield_now().await;
    }
    assert!(!silent.leads().await.is_ok_and(|leads| leads));
    assert!(other.leads().await.unwrap());
    silent.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_host_that_says_nothing_is_waited_for_once() {
    let database = Database::create();
    // The system accepts connections, and nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = database.url();
    let (user, host) = address.split_once('@').unwrap();
    let url = format!("{user}@{},{host}", silent.local_addr().unwrap());
    let store = PostgresStore::open(&PostgresConfig::new(url))
        .await
        .unwrap();
    store.check().await.unwrap();
    store.close().await;
    silent.accept().await.unwrap();
    let another = poll_once(silent.accept()).await;
    assert!(another.is_none(), "{another:?}");
}

#[tokio::test]
async fn the_address_is_not_told_by_an_error() {
    // Nothing listens on port 1.
    let config = PostgresConfig::new("postgres://someone:geheim@127.0.0.1:1/tidings");
    assert_eq!(config.url.expose_secret().matches("geheim").count(), 1);
    let error = PostgresStore::open(&config).await.unwrap_err();
    let source = error.source().map(ToString::to_string);
    let text = format!("{config:?} {error} {source:?} {error:?}");
    assert!(!text.contains("geheim"), "{text}");
}
