//! The schema: what its keys must begin with, and its upgrade while older nodes use it.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join;
use tidings_event::{Change, EventId, OwnerId, PageRequest, Status};
use uuid::Uuid;

use super::{Database, moment, open, publishing, submission};
use crate::config::PostgresConfig;
use crate::store::postgres::connect::Connector;
use crate::store::postgres::open_fault::OpenFault;
use crate::store::postgres::{PostgresStore, migrate};
use crate::store::{ChangeStep, Group, PublishOutcome, Store as _, Target};

/// The tables that belong to no owner, or to several. Each server of a distributed database has them whole.
const REFERENCE_TABLES: [&str; 7] = [
    "audience",
    "installation",
    "last_revocation",
    "last_use",
    "revocation",
    "shared_content",
    "tidings_migration",
];

/// The possible additions of a newer version: columns of tables in use, an index and a table.
const NEXT: &str = "\
    ALTER TABLE event ADD COLUMN later text NOT NULL DEFAULT 'nothing';
    ALTER TABLE feed ADD COLUMN later bigint;
    ALTER TABLE recent_change ADD COLUMN later bigint;
    ALTER TABLE revocation ADD COLUMN later bigint;
    CREATE INDEX event_by_later ON event (owner, later);
    CREATE TABLE later (owner uuid PRIMARY KEY);";

/// One text of all that a query returns in its only column.
fn listed(database: &Database, query: &str) -> String {
    let sql =
        format!("SELECT string_agg(entry, ', ' ORDER BY entry) FROM ({query}) AS found (entry)");
    database.query(&sql)[0].clone().unwrap_or_default()
}

#[tokio::test]
async fn the_schema_can_be_distributed_by_owner() {
    let database = Database::create();
    open(&database).await.close().await;
    let mut names = String::new();
    for name in REFERENCE_TABLES {
        let _ = write!(
            names,
            "{}'{name}'",
            if names.is_empty() { "" } else { ", " }
        );
    }
    let public = "relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')";
    let listed_tables =
        format!("SELECT relname FROM pg_class WHERE {public} AND relname IN ({names})");
    assert_eq!(
        listed(&database, &listed_tables),
        REFERENCE_TABLES.join(", ")
    );

    let owned = format!("SELECT oid FROM pg_class WHERE {public} AND relname NOT IN ({names})");
    let without_key = format!(
        "SELECT relname FROM pg_class WHERE oid IN ({owned}) \
         AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)"
    );
    assert_eq!(
        listed(&database, &without_key),
        "",
        "tables without a primary key"
    );
    // A column of number 0 is an expression.
    let other_keys = format!(
        "SELECT indexrelid::regclass || ' (' || coalesce(attname, 'an expression') || ')' FROM pg_index \
         LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] \
         WHERE indrelid IN ({owned}) AND (indisunique OR indisexclusion) AND attname IS DISTINCT FROM 'owner'"
    );
    assert_eq!(
        listed(&database, &other_keys),
        "",
        "keys that begin with another column"
    );
    let references =
        format!("SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid IN ({owned})");
    assert_eq!(
        listed(&database, &references),
        "",
        "references from one table to another"
    );
}

fn owner() -> OwnerId {
    OwnerId::from_uuid(Uuid::from_u128(0xA001))
}

fn id(number: u64) -> EventId {
    Uuid::from_u128(0xE000 + u128::from(number)).into()
}

/// Publishes an event, marks it, and reads both back by all kinds of reads.
async fn use_once(store: &PostgresStore, number: u64) {
    let system = store.identity().system;
    let event = submission(id(number), owner(), number, system);
    let published = store
        .commit(Box::new(|| publishing(vec![event])))
        .await
        .unwrap();
    assert!(
        matches!(published.published[0], PublishOutcome::Stored(_)),
        "{published:?}"
    );
    let step = ChangeStep {
        owner: owner(),
        targets: vec![Target {
            id: id(number),
            side: None,
        }],
        change: Change::Status(Status::Read),
        only: None,
        systems: None,
        at: moment(10_000 + number),
    };
    let mark = Group {
        steps: vec![step],
        ..Group::default()
    };
    store.commit(Box::new(|| mark)).await.unwrap();
    let head = 2 * (number + 1);
    let heads = store.heads(&[owner()]).await.unwrap();
    assert_eq!(heads[0].1.get(), head);
    let page = PageRequest::default();
    let list = store
        .list(
            owner(),
            tidings_event::EventFilter::default(),
            page,
            1 << 20,
        )
        .await
        .unwrap();
    assert_eq!(list.total, Some(number + 1));
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_node_continues_while_a_newer_one_upgrades_the_schema() {
    let database = Database::create();
    let running = open(&database).await;
    use_once(&running, 0).await;
    let connector = Connector::new(&PostgresConfig::new(database.url())).unwrap();

    let mut number = 1;
    let mut next = migrate::MIGRATIONS.to_vec();
    next.push(("V999__next", NEXT));
    let is_upgraded = AtomicBool::new(false);
    let upgrade = async {
        let prepared = migrate::prepare_with(&connector, &next).await;
        is_upgraded.store(true, Ordering::Relaxed);
        prepared.unwrap()
    };
    let uses = async {
        while !is_upgraded.load(Ordering::Relaxed) {
            use_once(&running, number).await;
            number += 1;
        }
    };
    let (identity, ()) = join(upgrade, uses).await;
    assert_eq!(identity.system, running.identity().system);
    running.revoked(0).await.unwrap();
    use_once(&running, number).await;
    number += 1;
    let rejected = PostgresStore::open(&PostgresConfig::new(database.url())).await;
    let text = rejected.as_ref().map_err(ToString::to_string).err();
    assert!(
        matches!(&rejected, Err(OpenFault::Newer { found: 999, known }) if *known == migrate::known_version()),
        "{rejected:?}"
    );
    assert!(text.is_some_and(|text| text.contains("a newer Tidings wrote it")));
    use_once(&running, number).await;
    running.close().await;
}

#[tokio::test]
async fn a_migration_that_locks_in_another_order_begins_again() {
    let database = Database::create();
    open(&database).await.close().await;
    let connector = Connector::new(&PostgresConfig::new(database.url())).unwrap();
    let (node, driver) = connector.open().await.unwrap();
    let driver = tokio::spawn(driver);
    // The migration finds the deadlock, not the node.
    let lock = "SET deadlock_timeout = '1min'; BEGIN; LOCK TABLE feed IN ROW EXCLUSIVE MODE";
    node.batch_execute(lock).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid \
         WHERE datname = current_database() AND relation = 'feed'::regclass AND NOT granted";
    let mut next = migrate::MIGRATIONS.to_vec();
    next.push(("V999__next", NEXT));
    let wait_for_each_other = async {
        while node.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
        let lock = "LOCK TABLE event IN ROW EXCLUSIVE MODE; COMMIT";
        node.batch_execute(lock).await.unwrap();
    };
    let (upgraded, ()) = join(
        migrate::prepare_with(&connector, &next),
        wait_for_each_other,
    )
    .await;
    upgraded.unwrap();
    let last = database.query("SELECT max(version) FROM tidings_migration");
    assert_eq!(last[0].as_deref(), Some("999"));
    drop(node);
    driver.await.unwrap().unwrap();
}
