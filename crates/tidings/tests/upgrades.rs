//! Stores of every earlier schema open with today's engine, and hold what they held.
//!
//! `upgrades/schema_N.sql` is a small store of schema version N as SQL text. To add the one of a new
//! migration, open the newest of them with the new engine, close it, and write the output of the SQLite
//! shell's `.dump` with `PRAGMA user_version = N;` before its `COMMIT`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use tidings::{
    Config, Event, EventFilter, PageRequest, PublishError, Receipt, Start, Status, StreamItem,
    Tidings,
};
use tidings_event::{EventId, OwnerId, Rev, Severity, Timestamp};
use uuid::Uuid;

const ALICE: u128 = 0xA11C_E000;
const BOB: u128 = 0xA11C_E001;

/// The events of Alice (1 to 5), Bob (6) and the system (7 to 10), as they were published. Version 1 has no
/// changes. In the others Alice has read 2 and 7 and deleted 3 and 8, and the system has deleted 9.
const EVENTS: [(u128, Option<u128>, Severity, &str, i64); 10] = [
    (1, Some(ALICE), Severity::Informational, "unread", 1),
    (2, Some(ALICE), Severity::Success, "read", 2),
    (3, Some(ALICE), Severity::Warning, "deleted", 3),
    (4, Some(ALICE), Severity::Error, "with a cause", 4),
    (
        5,
        Some(ALICE),
        Severity::Debug,
        "from the future",
        2_335_219_200,
    ),
    (6, Some(BOB), Severity::Informational, "of another", 6),
    (7, None, Severity::Alert, "of the system, read", 7),
    (8, None, Severity::Alert, "of the system, deleted", 8),
    (9, None, Severity::Critical, "deleted by the system", 9),
    (10, None, Severity::Emergency, "of the system", 10),
];

fn owner(number: u128) -> OwnerId {
    OwnerId::from(Uuid::from_u128(number))
}

fn id(number: u128) -> EventId {
    EventId::from_uuid(Uuid::from_u128(
        0x0190_0000_0000_7000_8000_0000_0000_0000 + number,
    ))
}

fn event(number: u128) -> Event {
    let events = EVENTS.iter().find(|(one, ..)| *one == number);
    let (_, owner, severity, text, seconds) = *events.expect("it is one of the events");
    let mut builder = Event::builder()
        .acted_upon(Uuid::from_u128(0xD00))
        .with_category("deployment")
        .with_action("apply")
        .with_severity(severity)
        .with_description(text);
    if let Some(owner) = owner {
        builder = builder.from_user(Uuid::from_u128(owner));
    }
    if severity == Severity::Error {
        let metadata = serde_json::json!({
            "error": {
                "Code": "1234", "Severity": "error", "ShortDescription": ["it broke"],
                "LongDescription": [], "ProbableCause": ["a fault"],
                "SuggestedRemediation": ["retry"],
            },
            "n": [1, 2.50],
        });
        builder = builder.with_metadata(metadata.as_object().expect("an object").clone());
    }
    let created_at = Timestamp::from_second(1_767_225_600 + seconds).expect("a time");
    let draft = builder.build().expect("the event keeps the rules");
    let mut event = draft.into_event();
    event.id = id(number);
    event.operation_id = Uuid::from_u128(0xABC).into();
    event.created_at = created_at;
    event.updated_at = created_at;
    event
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The versions of the schema that have a store here.
fn versions() -> BTreeSet<u32> {
    let files = fs::read_dir(folder("tests/upgrades")).expect("readable");
    let names = files.map(|file| file.expect("readable").file_name());
    names
        .map(|name| {
            let name = name.to_str().expect("ASCII");
            let version = name.strip_prefix("schema_").expect("a schema");
            version
                .strip_suffix(".sql")
                .expect("SQL")
                .parse()
                .expect("a number")
        })
        .collect()
}

/// Makes the database of the store of a version.
fn make(version: u32, database: &Path) {
    let file = folder("tests/upgrades").join(format!("schema_{version}.sql"));
    let sql = fs::read_to_string(file).expect("readable");
    let connection = Connection::open(database).expect("a database");
    connection.execute_batch(&sql).expect("the SQL is accepted");
    let stored: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("readable");
    assert_eq!(stored, version);
}

async fn open(directory: &Path) -> Tidings {
    let mut config = Config::new(directory);
    // The deletions are as old as the files.
    config.retention.deleted_age = Duration::from_secs(1_000_000 * 24 * 60 * 60);
    Tidings::open(config).await.expect("the engine opens it")
}

#[test]
fn every_migration_has_a_store() {
    let migrations = fs::read_dir(folder("migrations/sqlite")).expect("readable");
    let names = migrations.map(|file| file.expect("readable").path());
    let files = names.filter(|path| path.extension().is_some_and(|end| end == "sql"));
    let newest = u32::try_from(files.count()).expect("there are few");
    assert_eq!(versions(), (1..=newest).collect());
}

#[tokio::test]
async fn stores_of_every_schema_keep_their_events() {
    for version in versions() {
        let directory = tempfile::tempdir().expect("a directory");
        make(version, &directory.path().join("tidings.db"));
        let differences = tidings::sqlite::schema_differences(directory.path()).expect("readable");
        assert_eq!(differences, [""; 0], "schema {version}");
        let tidings = open(directory.path()).await;
        check_list(&tidings, version).await;
        check_replay(&tidings, version).await;
        check_cursor(&tidings, version).await;
        check_ids(&tidings, version).await;
        tidings.close().await;
        let audit = tidings::sqlite::audit(directory.path(), Duration::from_secs(60));
        let audit = audit.expect("a closed store of today's schema");
        assert!(
            audit.complete && audit.wrong.is_empty(),
            "{version}: {audit:?}"
        );
    }
}

#[tokio::test]
async fn backups_of_every_schema_are_restored() {
    for version in versions() {
        let directory = tempfile::tempdir().expect("a directory");
        let (backup, copy) = (
            directory.path().join("backup"),
            directory.path().join("copy"),
        );
        make(version, &backup);
        let summary = tidings::sqlite::restore(&backup, &copy).expect("it is restored");
        let tidings = open(&copy).await;
        assert_eq!(summary.system, tidings.system_id());
        check_list(&tidings, version).await;
        tidings.close().await;
    }
}

#[tokio::test]
async fn stores_of_every_schema_can_be_rebuilt() {
    for version in versions() {
        let directory = tempfile::tempdir().expect("a directory");
        make(version, &directory.path().join("tidings.db"));
        tidings::sqlite::rebuild(directory.path()).expect("it is rebuilt");
        let differences = tidings::sqlite::schema_differences(directory.path()).expect("readable");
        assert_eq!(differences, [""; 0], "schema {version}");
        let audit = tidings::sqlite::audit(directory.path(), Duration::from_secs(60));
        let audit = audit.expect("a closed store of today's schema");
        assert!(
            audit.complete && audit.wrong.is_empty(),
            "{version}: {audit:?}"
        );
        let tidings = open(directory.path()).await;
        check_list(&tidings, version).await;
        check_replay(&tidings, version).await;
        tidings.close().await;
    }
}

/// Alice's inbox: the numbers of the events, and whether they are read.
fn seen(version: u32) -> Vec<(u128, Status)> {
    let numbers: &[(u128, bool)] = match version {
        1 => &[5, 10, 9, 8, 7, 4, 3, 2, 1].map(|number| (number, false)),
        _ => &[
            (5, false),
            (10, false),
            (7, true),
            (4, false),
            (2, true),
            (1, false),
        ],
    };
    let status = |is_read| {
        if is_read {
            Status::Read
        } else {
            Status::Unread
        }
    };
    let events = numbers.iter();
    events
        .map(|(number, is_read)| (*number, status(*is_read)))
        .collect()
}

async fn check_list(tidings: &Tidings, version: u32) {
    let request = PageRequest::default();
    let page = tidings
        .list(owner(ALICE), EventFilter::default(), request)
        .await;
    let page = page.expect("readable");
    let listed: Vec<_> = page
        .events
        .iter()
        .map(|event| (event.id, event.status))
        .collect();
    let expected = seen(version);
    let ids: Vec<_> = expected
        .iter()
        .map(|(number, status)| (id(*number), *status))
        .collect();
    assert_eq!(listed, ids, "schema {version}");
    for (number, listed) in expected.iter().map(|(number, _)| number).zip(&page.events) {
        let sent = event(*number);
        assert_eq!(listed.description, sent.description);
        assert_eq!(
            (listed.created_at, &listed.metadata),
            (sent.created_at, &sent.metadata)
        );
        let got = tidings
            .get(owner(ALICE), listed.id)
            .await
            .expect("readable");
        assert_eq!(got.as_ref(), Some(listed));
    }
    let summary = tidings.summary(owner(ALICE)).await.expect("readable");
    let read = expected
        .iter()
        .filter(|(_, status)| *status == Status::Read)
        .count() as u64;
    assert_eq!(summary.read_count, read, "schema {version}");
    assert_eq!(
        summary.total_count,
        expected.len() as u64,
        "schema {version}"
    );
    let search = EventFilter::default().with_search("CAUSE");
    let found = tidings
        .list(owner(ALICE), search, request)
        .await
        .expect("readable");
    assert_eq!(found.events.len(), 1);
    let bobs = tidings
        .list(owner(BOB), EventFilter::default(), request)
        .await;
    let bobs: Vec<_> = bobs
        .expect("readable")
        .events
        .iter()
        .map(|event| event.id)
        .collect();
    let expected: &[u128] = match version {
        1 => &[10, 9, 8, 7, 6],
        _ => &[10, 8, 7, 6],
    };
    assert_eq!(bobs, expected.iter().copied().map(id).collect::<Vec<_>>());
}

async fn check_replay(tidings: &Tidings, version: u32) {
    let opened = tidings.subscribe(owner(ALICE), Start::Earliest).await;
    let mut stream = opened.expect("readable");
    let (mut created, mut marked, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    let head = loop {
        match stream
            .next()
            .await
            .expect("readable")
            .expect("the engine is open")
        {
            StreamItem::Created { event, .. } => created.push(event.id),
            StreamItem::Status { change, .. } => marked.extend(change.ids),
            StreamItem::Deleted { deletion, .. } => deleted.extend(deletion.ids),
            StreamItem::Live { cursor, .. } => break cursor,
            _ => {}
        }
    };
    created.sort_unstable();
    let mut all: Vec<_> = seen(version)
        .iter()
        .map(|(number, _)| id(*number))
        .collect();
    all.sort_unstable();
    assert_eq!(created, all, "schema {version}");
    let heads = (head.own.get(), head.system.get());
    if version == 1 {
        assert_eq!((heads, marked, deleted), ((5, 4), vec![], vec![]));
    } else {
        assert_eq!(heads, (9, 5), "schema {version}");
        assert_eq!(marked, [id(2), id(7)], "schema {version}");
        assert_eq!(deleted, [id(9), id(3), id(8)], "schema {version}");
    }
}

/// A reader of before the upgrade continues at its cursor.
async fn check_cursor(tidings: &Tidings, version: u32) {
    let mut cursor = tidings
        .summary(owner(ALICE))
        .await
        .expect("readable")
        .cursor;
    (cursor.own, cursor.system) = (Rev::new(3), Rev::new(2));
    let opened = tidings.subscribe(owner(ALICE), Start::After(cursor)).await;
    let mut stream = opened.expect("readable");
    let (mut created, mut changed) = (Vec::new(), Vec::new());
    loop {
        match stream
            .next()
            .await
            .expect("readable")
            .expect("the engine is open")
        {
            StreamItem::Reset { reason, .. } => panic!("schema {version}: {reason:?}"),
            StreamItem::Created { event, .. } => created.push(event.id),
            StreamItem::Status { change, .. } => changed.extend(change.ids),
            StreamItem::Deleted { deletion, .. } => changed.extend(deletion.ids),
            StreamItem::Live { .. } => break,
            _ => {}
        }
    }
    if version == 1 {
        assert_eq!(created, [9, 10, 4, 5].map(id));
    } else {
        assert_eq!(created, [10, 4, 5].map(id), "schema {version}");
        assert_eq!(changed, [9, 2, 3, 7, 8].map(id), "schema {version}");
    }
}

async fn check_ids(tidings: &Tidings, version: u32) {
    for (number, was_deleted) in [(1, false), (3, version > 1), (9, version > 1), (4, false)] {
        let again = tidings.publish(event(number)).await.expect("a repeat");
        assert!(again.repeated, "schema {version}, event {number}");
        assert_eq!(again.event().deleted_at.is_some(), was_deleted);
        let mut other = event(number);
        other.description = "other".to_owned();
        let rejected = tidings.publish(other).await;
        assert!(matches!(rejected, Err(PublishError::Conflict { .. })));
    }
    // Ids are unique for each owner, whichever schema they were stored with.
    let copies = [1, 3, 5].map(|number| {
        let mut copy = event(number);
        copy.owner = Some(owner(BOB));
        copy
    });
    let receipts = tidings
        .publish_batch(copies.to_vec())
        .await
        .expect("new events");
    let revs: Vec<_> = receipts
        .iter()
        .map(|one: &Receipt| (one.repeated, one.rev.map_or(0, Rev::get)))
        .collect();
    assert_eq!(
        revs,
        [(false, 2), (false, 3), (false, 4)],
        "schema {version}"
    );
    let deleted = tidings
        .delete(owner(ALICE), id(1))
        .await
        .expect("it answers");
    assert_eq!(deleted, tidings::ChangeOutcome::Done);
}
