//! Backup and restore.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tidings::sqlite::BackupError;
use tidings::{Config, Draft, Event, EventFilter, PageRequest, Start, StreamItem, Tidings};
use tidings_event::{OwnerId, ResetReason, Rev, Severity};
use uuid::Uuid;

fn event(owner: OwnerId, text: &str) -> Draft {
    Event::builder()
        .from_user(*owner.as_uuid())
        .acted_upon(Uuid::from_u128(7))
        .with_category("deployment")
        .with_action("apply")
        .with_severity(Severity::Success)
        .with_description(text)
        .build()
        .expect("the test's event keeps the rules")
}

async fn open(directory: &Path) -> Tidings {
    Tidings::open(Config::new(directory))
        .await
        .expect("an engine opens")
}

async fn texts(tidings: &Tidings, owner: OwnerId) -> Vec<String> {
    let page = tidings
        .list(owner, EventFilter::default(), PageRequest::default())
        .await;
    page.expect("readable")
        .events
        .into_iter()
        .map(|event| event.description)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_store_is_complete_and_restoring_renews_the_epoch() {
    let dir = tempfile::tempdir().expect("a directory");
    let (live, file, copy) = (
        dir.path().join("live"),
        dir.path().join("backup"),
        dir.path().join("copy"),
    );
    let owner = OwnerId::mint();
    let tidings = open(&live).await;
    tidings
        .publish(event(owner, "before"))
        .await
        .expect("stored");
    let page = tidings
        .list(owner, EventFilter::default(), PageRequest::default())
        .await;
    let cursor = page.expect("readable").cursor;

    // Another owner's events are published meanwhile.
    let engine = tidings.clone();
    let publisher = tokio::spawn(async move {
        for _ in 0..200 {
            let batch = (0..5)
                .map(|_| event(OwnerId::from(Uuid::from_u128(9)), "busy"))
                .collect();
            engine.publish_batch(batch).await.expect("stored");
        }
    });
    let (from, to) = (live.clone(), file.clone());
    let summary = tokio::task::spawn_blocking(move || tidings::sqlite::backup(&from, &to)).await;
    let summary = summary.expect("no panic").expect("a backup is made");
    publisher.await.expect("no panic");
    tidings
        .publish(event(owner, "after"))
        .await
        .expect("stored");
    assert_eq!(summary.system, tidings.system_id());
    // The backup contains whole batches only.
    assert_eq!((summary.events - 1) % 5, 0);
    assert_eq!(
        fs::metadata(&file)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let names = fs::read_dir(dir.path()).expect("readable").count();
    assert_eq!(names, 2, "the store and its backup, and no draft");
    tidings.close().await;

    let restored = tidings::sqlite::restore(&file, &copy).expect("a restore is made");
    assert_eq!(restored, summary);
    let tidings = open(&copy).await;
    assert_eq!(tidings.system_id(), summary.system);
    assert_eq!(texts(&tidings, owner).await, ["before"]);
    let mut reader = tidings
        .subscribe(owner, Start::After(cursor))
        .await
        .expect("readable");
    assert!(matches!(
        reader.next().await.expect("readable"),
        Some(StreamItem::Reset {
            reason: ResetReason::Foreign,
            ..
        })
    ));
    let receipt = tidings
        .publish(event(owner, "after the restore"))
        .await
        .expect("stored");
    assert_eq!(receipt.rev.map(Rev::get), Some(2));
    tidings.close().await;
}

#[tokio::test]
async fn existing_files_are_not_overwritten() {
    let dir = tempfile::tempdir().expect("a directory");
    let (live, file) = (dir.path().join("live"), dir.path().join("backup"));
    assert!(matches!(
        tidings::sqlite::backup(&live, &file),
        Err(BackupError::NoStore(_))
    ));
    assert!(!live.exists());
    let owner = OwnerId::mint();
    let tidings = open(&live).await;
    tidings.publish(event(owner, "kept")).await.expect("stored");
    tidings::sqlite::backup(&live, &file).expect("a backup is made");
    let before = fs::read(&file).expect("readable");
    assert!(matches!(
        tidings::sqlite::backup(&live, &file),
        Err(BackupError::Exists(_))
    ));
    assert_eq!(fs::read(&file).expect("readable"), before);

    // The directory is in use, and later not empty.
    assert!(matches!(
        tidings::sqlite::restore(&file, &live),
        Err(BackupError::Directory(_))
    ));
    tidings.close().await;
    assert!(matches!(
        tidings::sqlite::restore(&file, &live),
        Err(BackupError::NotEmpty(_))
    ));
    let tidings = open(&live).await;
    assert_eq!(texts(&tidings, owner).await, ["kept"]);
    tidings.close().await;
}

#[tokio::test]
async fn a_file_that_is_not_a_backup_is_rejected() {
    let dir = tempfile::tempdir().expect("a directory");
    let (live, file, copy) = (
        dir.path().join("live"),
        dir.path().join("backup"),
        dir.path().join("copy"),
    );
    let tidings = open(&live).await;
    for _ in 0..200 {
        tidings
            .publish(event(OwnerId::mint(), &"x".repeat(1000)))
            .await
            .expect("stored");
    }
    tidings::sqlite::backup(&live, &file).expect("a backup is made");
    tidings.close().await;
    let whole = fs::read(&file).expect("readable");

    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 4096].fill(0xA5);
    let cut_off = whole[..whole.len() / 2].to_vec();
    for wrong in [Vec::new(), b"not a database".to_vec(), damaged, cut_off] {
        fs::write(&file, &wrong).expect("writable");
        let rejected = tidings::sqlite::restore(&file, &copy);
        assert!(
            matches!(&rejected, Err(BackupError::NotAStore { path, .. }) if *path == file),
            "{rejected:?}"
        );
        // The directory can be used.
        let tidings = open(&copy).await;
        tidings.close().await;
        fs::remove_dir_all(&copy).expect("removable");
    }
    assert!(matches!(
        tidings::sqlite::restore(&dir.path().join("missing"), &copy),
        Err(BackupError::NotAStore { .. })
    ));
    assert!(!copy.exists());
    // The error names the source that cannot be read. An endless source is not a backup.
    let directory = tidings::sqlite::restore(dir.path(), &copy);
    let endless = tidings::sqlite::restore_from_reader(&mut std::io::repeat(0), dir.path(), &copy);
    for rejected in [directory, endless] {
        assert!(
            matches!(&rejected, Err(BackupError::NotAStore { path, .. }) if path == dir.path()),
            "{rejected:?}"
        );
    }
}

#[tokio::test]
async fn a_store_with_a_foreign_schema_is_rejected() {
    let dir = tempfile::tempdir().expect("a directory");
    let (live, file) = (dir.path().join("live"), dir.path().join("backup"));
    let (victim, thief) = (OwnerId::mint(), OwnerId::mint());
    let tidings = open(&live).await;
    for owner in [victim, thief] {
        tidings.publish(event(owner, "own")).await.expect("stored");
    }
    tidings::sqlite::backup(&live, &file).expect("a backup is made");
    tidings.close().await;
    assert_eq!(
        tidings::sqlite::schema_differences(&live).expect("readable"),
        [""; 0]
    );

    for (change, named) in [
        (
            "CREATE TRIGGER steal AFTER INSERT ON event BEGIN \
             UPDATE event SET description = 'stolen'; END",
            "trigger `steal`",
        ),
        ("CREATE VIEW extra AS SELECT * FROM event", "view `extra`"),
        ("CREATE TABLE extra (text)", "table `extra`"),
        ("CREATE INDEX extra ON event (created_at)", "index `extra`"),
        ("DROP INDEX overlay_by_event", "index `overlay_by_event`"),
    ] {
        let (changed, copy) = (dir.path().join("changed"), dir.path().join("copy"));
        fs::copy(&file, &changed).expect("writable");
        let database = rusqlite::Connection::open(&changed).expect("a database");
        database.execute_batch(change).expect("SQL");
        drop(database);
        let rejected = tidings::sqlite::restore(&changed, &copy).expect_err("it is not ours");
        let source = std::error::Error::source(&rejected).expect("there is a reason");
        assert!(source.to_string().contains(named), "{change}: {source}");
        // A store that was changed in place runs none of it either, and the difference is reported.
        fs::remove_dir_all(&copy).expect("removable");
        fs::create_dir(&copy).expect("writable");
        fs::copy(&changed, copy.join("tidings.db")).expect("writable");
        let found = tidings::sqlite::schema_differences(&copy).expect("readable");
        assert!(found[0].contains(named), "{found:?}");
        let tidings = open(&copy).await;
        tidings.publish(event(victim, "own")).await.expect("stored");
        assert_eq!(texts(&tidings, thief).await, ["own"]);
        tidings.close().await;
        fs::remove_dir_all(&copy).expect("removable");
    }
}
