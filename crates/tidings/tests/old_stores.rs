//! Stores that old engines made hold for today's engine what they held for those.
//!
//! `old_stores/README.md` tells how they were made.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use tidings::{
    Change, ChangeOutcome, Config, EventFilter, OwnerId, PageRequest, Selection, Sort, SortKey,
    SortOrder, Start, Status, StreamItem, Tidings,
};
use tidings_event::{EventId, Severity};
use uuid::Uuid;

/// The schemas of the stores.
const SCHEMAS: [u32; 6] = [2, 3, 4, 5, 6, 8];

const ALICE: u128 = 0xA11C_E000;
const BOB: u128 = 0xA11C_E001;

fn owner(number: u128) -> OwnerId {
    OwnerId::from(Uuid::from_u128(number))
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_stores");
    fs::read_to_string(path.join(name)).expect("readable")
}

/// Makes the data directory of an old store, and returns what its engine said about it.
fn make(schema: u32, directory: &Path) -> Value {
    let database: PathBuf = directory.join("tidings.db");
    let connection = Connection::open(database).expect("a database");
    let sql = file(&format!("schema_{schema}.sql"));
    connection.execute_batch(&sql).expect("the SQL is accepted");
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("readable");
    assert_eq!(version, schema);
    serde_json::from_str(&file(&format!("schema_{schema}.json"))).expect("JSON")
}

async fn open(directory: &Path) -> Tidings {
    let mut config = Config::new(directory);
    // The deletions are as old as the files.
    config.retention.deleted_age = Duration::from_secs(1_000_000 * 24 * 60 * 60);
    Tidings::open(config).await.expect("the engine opens it")
}

#[tokio::test]
async fn an_old_store_says_what_it_said_before_the_upgrade() {
    for schema in SCHEMAS {
        let directory = tempfile::tempdir().expect("a directory");
        let expected = make(schema, directory.path());
        let tidings = open(directory.path()).await;
        check_views(&tidings, &expected).await;
        check_replays(&tidings, &expected).await;
        check_changes(&tidings, &expected).await;
        tidings.close().await;
        let audit = tidings::sqlite::audit(directory.path(), Duration::from_secs(60));
        let audit = audit.expect("a closed store of today's schema");
        assert!(
            audit.complete && audit.wrong.is_empty(),
            "{schema}: {audit:?}"
        );
    }
}

#[tokio::test]
async fn an_old_store_says_the_same_after_a_rebuild() {
    for schema in SCHEMAS {
        let directory = tempfile::tempdir().expect("a directory");
        let expected = make(schema, directory.path());
        tidings::sqlite::rebuild(directory.path()).expect("it is rebuilt");
        let tidings = open(directory.path()).await;
        check_views(&tidings, &expected).await;
        check_replays(&tidings, &expected).await;
        tidings.close().await;
    }
}

/// The lists that were written down, by their names.
fn lists() -> [(&'static str, EventFilter, Sort); 7] {
    let newest = Sort::default();
    let changed = Sort {
        key: SortKey::UpdatedAt,
        order: SortOrder::Ascending,
    };
    let mut unread = EventFilter::default();
    unread.status = Some(Status::Unread);
    let mut grave = EventFilter::default();
    grave.severity = vec![Severity::Error, Severity::Critical];
    let search = EventFilter::default().with_search("größe");
    [
        ("all", EventFilter::default(), newest),
        ("unread", unread.clone(), newest),
        ("grave", grave, newest),
        ("backups", backups(), newest),
        ("search", search, newest),
        ("changed", EventFilter::default(), changed),
        ("unread, changed", unread, changed),
    ]
}

fn backups() -> EventFilter {
    let mut backups = EventFilter::default();
    backups.category = vec!["backup".parse().expect("a category")];
    backups
}

/// Whether `value` has everything that `old` has. New versions add fields.
fn contains(value: &Value, old: &Value) -> bool {
    match (value, old) {
        (Value::Object(value), Value::Object(old)) => old
            .iter()
            .all(|(name, old)| value.get(name).is_some_and(|value| contains(value, old))),
        _ => value == old,
    }
}

async fn check_views(tidings: &Tidings, expected: &Value) {
    for (name, number) in [("alice", ALICE), ("bob", BOB)] {
        let expected = &expected[name];
        for (list, filter, sort) in lists() {
            let mut page = PageRequest::default().with_size(PageRequest::MAX_SIZE);
            page.sort = sort;
            let page = tidings.list(owner(number), filter, page).await;
            let events = page.expect("readable").events;
            let ids: Vec<_> = events.iter().map(|event| event.id).collect();
            assert_eq!(json!(ids), expected[list], "{name}: {list}");
            if list == "all" {
                let old = expected["events"].as_array().expect("a list");
                for (event, old) in events.iter().zip(old) {
                    assert!(contains(&json!(event), old), "{event:?} was {old}");
                }
            }
        }
        let summary = tidings.summary(owner(number)).await.expect("readable");
        let old = &expected["summary"];
        assert!(contains(&json!(summary), old), "{summary:?} was {old}");
        let types = tidings.types(owner(number)).await.expect("readable");
        assert_eq!(json!(types), expected["types"]);
    }
}

/// A reader of before the upgrade continues at its cursor.
async fn check_replays(tidings: &Tidings, expected: &Value) {
    for replay in expected["replays"].as_array().expect("a list") {
        let start = match replay["after"].as_str() {
            Some(cursor) => Start::After(cursor.parse().expect("a cursor")),
            None => Start::Earliest,
        };
        assert_eq!(replayed(tidings, start).await, replay["replay"]);
    }
}

async fn replayed(tidings: &Tidings, start: Start) -> Value {
    let opened = tidings.subscribe(owner(ALICE), start).await;
    let mut stream = opened.expect("readable");
    let (mut created, mut marked, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match stream.next().await.expect("readable").expect("open") {
            StreamItem::Reset { reason, .. } => panic!("the cursor is not accepted: {reason:?}"),
            StreamItem::Created { event, .. } => created.push(event.id),
            StreamItem::Status { change, .. } => {
                marked.extend(change.ids.iter().map(|id| json!([id, change.status])));
            }
            StreamItem::Deleted { deletion, .. } => deleted.extend(deletion.ids),
            StreamItem::Live { .. } => break,
            _ => {}
        }
    }
    json!({ "created": created, "marked": marked, "deleted": deleted })
}

/// Changes reach the events that an old engine wrote, and the counts follow.
async fn check_changes(tidings: &Tidings, expected: &Value) {
    let alice = owner(ALICE);
    let old = &expected["alice"];
    let unread = ids(&old["unread"]);
    let marked = tidings.set_status(alice, unread[0], Status::Read).await;
    assert_eq!(marked.expect("marked"), ChangeOutcome::Done);
    let deleted = tidings.delete(alice, *unread.last().expect("some")).await;
    assert_eq!(deleted.expect("deleted"), ChangeOutcome::Done);
    let selection = Selection::Filter {
        filter: Box::new(backups()),
        up_to: tidings.summary(alice).await.expect("readable").cursor,
    };
    let gone = tidings.change(alice, selection, Change::Delete).await;
    gone.expect("deleted");

    let backups = ids(&old["backups"]);
    let is_left = |id: &EventId| !backups.contains(id) && *id != *unread.last().expect("some");
    let left: Vec<_> = ids(&old["all"]).into_iter().filter(is_left).collect();
    let page = PageRequest::default().with_size(PageRequest::MAX_SIZE);
    let page = tidings.list(alice, EventFilter::default(), page).await;
    let events = page.expect("readable").events;
    let listed: Vec<_> = events.iter().map(|event| event.id).collect();
    assert_eq!(listed, left);
    let summary = tidings.summary(alice).await.expect("readable");
    let is_unread = |id: &&EventId| unread[1..].contains(id);
    let still_unread = left.iter().filter(is_unread).count() as u64;
    assert_eq!(
        (summary.total_count, summary.unread_count),
        (left.len() as u64, still_unread)
    );
}

fn ids(list: &Value) -> Vec<EventId> {
    serde_json::from_value(list.clone()).expect("ids")
}
