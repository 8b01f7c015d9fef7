//! Checks that the counters of a store agree with its rows.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tidings_event::OwnerId;

use super::connection::distrust;
use super::counts::number;
use super::data_files::DATABASE;
use super::migrations::SCHEMA_VERSION;
use super::row::{STORED_BYTES, uuid};

/// How many of SQLite's virtual instructions run between looks at the time.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 10_000;

/// The result of [`audit`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// How many owners were checked.
    pub owners: u64,
    /// Whether these were all owners.
    pub complete: bool,
    /// The counters that are wrong.
    pub wrong: Vec<WrongCount>,
}

/// A counter of an owner that does not agree with the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrongCount {
    /// The owner.
    pub owner: OwnerId,
    /// What the counter counts.
    pub what: &'static str,
    /// The value of the counter.
    pub kept: u64,
    /// The value that was counted.
    pub found: u64,
}

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
    /// The store cannot be read.
    #[error("could not read the event store")]
    Unreadable(#[source] rusqlite::Error),
}

/// Compares the counters of each owner of the store in `data_dir` with its rows: events, their bytes, and
/// remembered deletions. Takes at most `time`. A server can use the store meanwhile. Writes nothing. Blocks.
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

fn compare(connection: &Connection, audit: &mut Audit) -> rusqlite::Result<()> {
    let next = "SELECT key, owner FROM feed WHERE key > ?1 ORDER BY key LIMIT 1";
    let mut next = connection.prepare(next)?;
    // One statement per owner sees one snapshot, even if a server writes meanwhile.
    let sql = format!(
        "SELECT feed.bytes, coalesce((SELECT sum({STORED_BYTES}) FROM event \
           WHERE event.feed = feed.key AND (created_rev <= measured_rev OR created_rev > measure_to)), 0), \
         feed.deletions, (SELECT count(*) FROM tombstone WHERE tombstone.feed = feed.key), \
         coalesce((SELECT sum(number) FROM counter WHERE counter.feed = feed.key), 0), \
         (SELECT count(*) FROM event WHERE event.feed = feed.key) \
         FROM feed WHERE key = ?1"
    );
    let mut counts = connection.prepare(&sql)?;
    let mut key: i64 = i64::MIN;
    loop {
        let feed = next.query_row([key], |row| Ok((row.get(0)?, OwnerId::from(uuid(row, 1)?))));
        let owner = match feed {
            Ok((feed, owner)) => {
                key = feed;
                owner
            }
            Err(rusqlite::Error::QueryReturnedNoRows) => return Ok(()),
            Err(error) => return Err(error),
        };
        let pairs = counts.query_row([key], |row| {
            let pair = |index| -> rusqlite::Result<(u64, u64)> {
                Ok((number(row, index)?, number(row, index + 1)?))
            };
            Ok([
                ("bytes", pair(0)?),
                ("remembered deletions", pair(2)?),
                ("events", pair(4)?),
            ])
        })?;
        audit.owners += 1;
        for (what, (kept, found)) in pairs.into_iter().filter(|(_, (one, two))| one != two) {
            audit.wrong.push(WrongCount {
                owner,
                what,
                kept,
                found,
            });
        }
    }
}
