//! Checks that the counters and the lists of a store agree with its events.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tidings_event::OwnerId;

use super::audit_feed::{next_feed, stray_events};
use super::connection::distrust;
use super::data_files::DATABASE;
use super::migrations::SCHEMA_VERSION;
use super::row::{number, uuid};
use crate::store::audit::{Audit, WrongCount};

/// How many events are looked at in one snapshot, so that the log does not grow meanwhile.
const EVENTS_AT_A_TIME: usize = 4_096;

/// How many of SQLite's virtual instructions run between looks at the time.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 10_000;

/// Why a store could not be audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The store has another schema version, or none.
    #[error("the store has schema {found}, and this version reads {SCHEMA_VERSION}")]
    Version {
        /// The version of its schema.
        found: u32,
    },
    /// The server did not shut down cleanly. The next start reads its log.
    #[error("the server did not shut down cleanly; start it once, then try again")]
    Unfinished,
    /// The counts or the newest events in the row of a feed cannot be read. A rebuild makes them again.
    #[error("the row of a feed is damaged")]
    Damaged(#[source] rusqlite::Error),
    /// The store cannot be read.
    #[error("could not read the event store")]
    Unreadable(#[source] rusqlite::Error),
}

/// Compares the counters and lists of each owner of the store in `data_dir` with the events: their number
/// by severity, status and type, their bytes, their entries in the lists, and remembered deletions. Takes
/// at most `time`. A server can use the store meanwhile. Writes nothing. Blocks.
///
/// # Errors
///
/// If there is no store of this schema version, or it cannot be read.
pub fn audit(data_dir: &Path, time: Duration) -> Result<Audit, AuditError> {
    let database = data_dir.join(DATABASE);
    let connection = open(&database)?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let found: u32 = version.map_err(AuditError::Unreadable)?;
    if usize::try_from(found) != Ok(SCHEMA_VERSION) {
        return Err(AuditError::Version { found });
    }
    let end = Instant::now() + time;
    let mut audit = Audit::default();
    match connection
        .progress_handler(
            INSTRUCTIONS_BETWEEN_LOOKS,
            Some(move || Instant::now() > end),
        )
        .and_then(|()| compare(&connection, &mut audit))
    {
        Ok(()) => audit.complete = true,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {}
        Err(error @ rusqlite::Error::FromSqlConversionFailure(..)) => {
            return Err(AuditError::Damaged(error));
        }
        Err(error) => return Err(AuditError::Unreadable(error)),
    }
    Ok(audit)
}

/// Opens a connection that creates no files: files of the superuser would lock the server out.
pub(super) fn open(database: &Path) -> Result<Connection, AuditError> {
    let beside = |suffix: &str| {
        let mut path = database.as_os_str().to_owned();
        path.push(suffix);
        fs::exists(PathBuf::from(path)).unwrap_or(false)
    };
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = match (beside("-wal"), beside("-shm")) {
        (true, true) => Connection::open_with_flags(database, read_only),
        (true, false) => return Err(AuditError::Unfinished),
        // No process has it open, and the database file is complete.
        (false, _) => Connection::open_with_flags(
            format!("file:{}?immutable=1", uri_path(database)),
            read_only | OpenFlags::SQLITE_OPEN_URI,
        ),
    };
    let connection = opened.map_err(AuditError::Unreadable)?;
    distrust(&connection).map_err(AuditError::Unreadable)?;
    Ok(connection)
}

/// Escapes a path for a URI.
fn uri_path(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    let mut text = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                text.push(char::from(*byte));
            }
            // Writing to a `String` cannot fail.
            other => drop(write!(text, "%{other:02X}")),
        }
    }
    text
}

/// As [`audit`], of an open store of this schema version, however long it takes.
#[cfg(feature = "postgres")]
pub(super) fn audit_open(connection: &Connection) -> rusqlite::Result<Audit> {
    let mut audit = Audit::default();
    compare(connection, &mut audit)?;
    audit.complete = true;
    Ok(audit)
}

/// The numbers of events that share contents and are in audiences, each with the publisher or the installation, and the
/// events whose content is missing.
const RECIPIENTS: [(&str, &str); 4] = [
    (
        "events with a shared content",
        "SELECT (SELECT system_id FROM installation), rows, coalesce(number, 0) FROM shared_content \
         LEFT JOIN (SELECT shared, count(*) AS number FROM event WHERE shared IS NOT NULL GROUP BY shared) \
         ON shared = key WHERE rows <> coalesce(number, 0)",
    ),
    (
        "shared contents that nothing uses",
        "SELECT (SELECT system_id FROM installation), count(*), 0 FROM shared_content WHERE rows = 0 \
         AND NOT EXISTS (SELECT 1 FROM audience WHERE content = shared_content.key) HAVING count(*) > 0",
    ),
    (
        "events without their shared content",
        "SELECT feed.owner, 0, count(*) FROM event JOIN feed ON feed.key = event.feed \
         WHERE shared <> x'' AND NOT EXISTS (SELECT 1 FROM shared_content \
         WHERE shared_content.key = event.shared) GROUP BY feed.owner",
    ),
    (
        "owners of a published event",
        "SELECT coalesce(audience.system_id, counted.system_id), coalesce(members, 0), coalesce(number, 0) \
         FROM audience FULL JOIN (SELECT id, system_id, count(*) AS number FROM event \
         WHERE shared IS NOT NULL GROUP BY id, system_id) AS counted \
         ON counted.id = audience.id AND counted.system_id = audience.system_id \
         WHERE coalesce(members, 0) <> coalesce(number, 0)",
    ),
];

fn recipients(connection: &Connection, audit: &mut Audit) -> rusqlite::Result<()> {
    for (what, sql) in RECIPIENTS {
        let mut select = connection.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            audit.wrong.push(WrongCount {
                owner: OwnerId::from(uuid(row, 0)?),
                what,
                kept: number(row, 1)?,
                found: number(row, 2)?,
            });
        }
    }
    Ok(())
}

fn compare(connection: &Connection, audit: &mut Audit) -> rusqlite::Result<()> {
    let mut key = i64::MIN;
    while let Some(feed) = next_feed(connection, key)? {
        key = feed.key;
        audit.owners += 1;
        for (what, kept, found) in feed.compared {
            audit.wrong.push(WrongCount {
                owner: feed.owner,
                what,
                kept,
                found,
            });
        }
    }
    recipients(connection, audit)?;
    // The events themselves, in case nothing leads to them.
    let mut strays: BTreeMap<OwnerId, u64> = BTreeMap::new();
    let mut after = Some(i64::MIN);
    while let Some(last) = after {
        let (owners, next) = stray_events(connection, last, EVENTS_AT_A_TIME)?;
        for owner in owners {
            *strays.entry(owner).or_default() += 1;
        }
        after = next;
    }
    for (owner, found) in strays {
        audit.wrong.push(WrongCount {
            owner,
            what: "events in no list",
            kept: 0,
            found,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tidings_event::{Event, Severity};
    use uuid::Uuid;

    use super::*;
    use crate::{Config, SqliteConfig, Tidings};

    /// A store in which an owner has 40 listed events, of which some are read, and 3 newest ones, one of them
    /// read.
    async fn store(directory: &Path) -> OwnerId {
        let owner = OwnerId::mint();
        let config = SqliteConfig::new(directory).with_newest_events(40);
        let tidings = Tidings::open(Config::for_store(config)).await.unwrap();
        for batch in [40, 3] {
            let events = (0..batch).map(|number| {
                let builder = Event::builder()
                    .from_user(*owner.as_uuid())
                    .acted_upon(Uuid::from_u128(1))
                    .with_category("deployment")
                    .with_action(if number % 2 == 0 { "apply" } else { "undo" })
                    .with_severity(Severity::Success);
                builder.build().unwrap()
            });
            let receipts = tidings.publish_batch(events.collect()).await.unwrap();
            for receipt in receipts.iter().take(2) {
                tidings
                    .set_status(owner, receipt.id, crate::Status::Read)
                    .await
                    .unwrap();
            }
            tidings.delete(owner, receipts[2].id).await.unwrap();
        }
        tidings
            .publish(
                Event::builder()
                    .acted_upon(Uuid::from_u128(1))
                    .with_category("deployment")
                    .with_action("apply")
                    .with_severity(Severity::Success)
                    .build()
                    .unwrap(),
            )
            .await
            .unwrap();
        tidings.close().await;
        owner
    }

    /// A copy of a closed store with a fault in one row.
    fn with_fault(store: &Path, fault: &str) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        let database = copy.path().join(DATABASE);
        fs::copy(store.join(DATABASE), &database).unwrap();
        let connection = Connection::open(database).unwrap();
        assert_eq!(connection.execute(fault, []).unwrap(), 1, "{fault}");
        copy
    }

    fn audited(store: &Path) -> Audit {
        let audit = audit(store, Duration::from_secs(60)).unwrap();
        assert!(audit.complete);
        audit
    }

    #[tokio::test]
    async fn finds_each_fault_and_a_rebuild_repairs_it() {
        let directory = tempfile::tempdir().unwrap();
        let owner = store(directory.path()).await;
        let sound = audited(directory.path());
        assert_eq!((sound.owners, sound.wrong), (2, vec![]));
        let lists = "entries of lists";
        let there = "entries of events in their lists";
        for (fault, found) in [
            (
                "UPDATE feed SET bytes = bytes + 1 WHERE key = 1",
                &["bytes"][..],
            ),
            (
                "UPDATE feed SET deletions = 0 WHERE key = 1",
                &["remembered deletions"],
            ),
            (
                "UPDATE feed SET counts = x'' WHERE key = 1",
                &["events", "events of a severity and status"],
            ),
            // An entry of a kind is in the list of another.
            (
                "UPDATE listed SET list = 0 WHERE feed = 1 AND list = 10 AND event = 20",
                &[there],
            ),
            (
                "DELETE FROM listed WHERE feed = 1 AND list = 32 AND event = 7",
                &[lists, there],
            ),
            (
                "DELETE FROM listed WHERE feed = 1 AND list = 34 AND event = 1",
                &[lists, there],
            ),
            ("INSERT INTO listed VALUES (1, 34, 1000, x'', 9)", &[lists]),
            (
                "UPDATE type_counter SET number = number + 1 WHERE feed = 1 AND action = 'undo'",
                &["events of a category and action"],
            ),
            (
                "INSERT INTO type_counter VALUES (1, 'deployment', 'redo', 1)",
                &["events of a category and action"],
            ),
            // The feed has the newest events of before a change.
            (
                "UPDATE event SET updated_at = updated_at + 1 WHERE key = 42",
                &["newest events"],
            ),
            (
                "UPDATE event SET action = 'redo' WHERE key = 42",
                &["newest events"],
            ),
        ] {
            let copy = with_fault(directory.path(), fault);
            let audit = audited(copy.path());
            let wrong: Vec<_> = audit.wrong.iter().map(|wrong| wrong.what).collect();
            assert_eq!(wrong, found, "{fault}");
            assert!(audit.wrong.iter().all(|wrong| wrong.owner == owner));
            repair(copy.path()).await;
            assert_eq!(audited(copy.path()).wrong, [], "{fault}");
        }
    }

    #[tokio::test]
    async fn a_rebuild_makes_a_damaged_row_of_a_feed_again() {
        let directory = tempfile::tempdir().unwrap();
        store(directory.path()).await;
        for fault in [
            "UPDATE feed SET counts = x'ff' WHERE key = 1",
            "UPDATE feed SET newest = x'ff' WHERE key = 1",
        ] {
            let copy = with_fault(directory.path(), fault);
            let damaged = audit(copy.path(), Duration::from_secs(60));
            assert!(matches!(damaged, Err(AuditError::Damaged(_))), "{fault}");
            repair(copy.path()).await;
            assert_eq!(audited(copy.path()).wrong, [], "{fault}");
        }
    }

    #[tokio::test]
    async fn finds_events_that_nothing_leads_to() {
        let directory = tempfile::tempdir().unwrap();
        let owner = store(directory.path()).await;
        for fault in [
            "DELETE FROM listed WHERE feed = 1 AND list = 33 AND event = 20",
            "UPDATE feed SET newest = x'' WHERE key = 1",
        ] {
            let copy = with_fault(directory.path(), fault);
            let audit = audited(copy.path());
            let strays = audit
                .wrong
                .iter()
                .find(|wrong| wrong.what == "events in no list");
            let strays = strays.expect("they are found");
            assert_eq!(strays.owner, owner);
            assert!(strays.found > 0);
            repair(copy.path()).await;
            assert_eq!(audited(copy.path()).wrong, [], "{fault}");
        }
    }

    /// Makes the lists and counts again. The bytes are measured in the background.
    async fn repair(directory: &Path) {
        use crate::store::{Progress, Store as _};

        crate::sqlite::rebuild(directory).unwrap();
        let store = super::super::SqliteStore::open(directory).unwrap();
        while store.tidy().await.unwrap() == Progress::More {}
        store.close().await;
    }
}
