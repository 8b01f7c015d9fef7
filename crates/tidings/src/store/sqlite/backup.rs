//! A data directory as one file and back.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, Row};
use tidings_event::SystemId;
use tidings_event::wire::Epoch;
use uuid::Uuid;

use super::audit;
use super::connection::{SCHEMA_VERSION, distrust};
use super::directory::{DATABASE, DataDirectory, DirectoryError};
use super::draft::Draft;
use super::fault::is_full;
use super::schema;

/// Why a backup or a restore was not done. What was there before is untouched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The data directory cannot be used, or a server uses it.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// There is no event store in the directory.
    #[error("there is no event store in {}", .0.display())]
    NoStore(PathBuf),
    /// There is something already where the backup should be.
    #[error("{} already exists; move it away or choose another name", .0.display())]
    Exists(PathBuf),
    /// The directory holds events, which a restore would lose.
    #[error("{} already holds events; restore into an empty directory", .0.display())]
    NotEmpty(PathBuf),
    /// The file is not an event store, or it is damaged.
    #[error("{} is not a whole event store", .path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file was written by a newer version.
    #[error("{} was written by a newer Tidings; use that one", .0.display())]
    Newer(PathBuf),
    /// A backup could not be written to where it was sent.
    #[error("could not write the backup")]
    Stream(#[source] io::Error),
    /// A file could not be written.
    #[error("could not write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// How every database of SQLite begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// How much of a backup is read at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// What a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreSummary {
    /// The installation.
    pub system: SystemId,
    /// How many events it holds.
    pub events: u64,
    /// How many owners have a feed, the system among them.
    pub feeds: u64,
}

/// What is wrong with a file that should be a store.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("it is no SQLite database")]
    NoDatabase,
    #[error("it has no schema of Tidings")]
    NoSchema,
    #[error("SQLite finds it damaged: {0}")]
    Damaged(String),
    #[error("its schema is not that of Tidings: {0}")]
    ForeignSchema(String),
}

/// Writes all that is committed in `data_dir` at one moment into the new file `to`, also while a
/// server runs there and goes on publishing. Blocks.
///
/// The file is whole or not there: it is written in a directory of its own beside `to` that nobody else
/// can enter, put on disk, then renamed. Only its owner can read it.
///
/// # Errors
///
/// When there is no store, the file exists, or it cannot be written.
pub fn backup(data_dir: &Path, to: &Path) -> Result<StoreSummary, BackupError> {
    // A link that leads nowhere is there, too.
    if fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let (draft, summary) = copy(data_dir, to)?;
    draft.finish_new().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => not_written(to, error),
    })?;
    Ok(summary)
}

/// The same into a pipe or wherever else `to` leads. It is written once it is whole, and until then
/// takes its room in `data_dir`. Blocks.
///
/// # Errors
///
/// When there is no store, it cannot be copied, or `to` takes no more. What `to` has taken by then is
/// no backup.
pub fn backup_to_writer(data_dir: &Path, to: &mut impl Write) -> Result<StoreSummary, BackupError> {
    let (draft, summary) = copy(data_dir, &data_dir.join("backup"))?;
    let mut file = draft.file();
    file.rewind()
        .and_then(|()| io::copy(&mut file, to))
        .and_then(|_| to.flush())
        .map_err(BackupError::Stream)?;
    Ok(summary)
}

/// A copy of a store that will be `target`.
fn copy(data_dir: &Path, target: &Path) -> Result<(Draft, StoreSummary), BackupError> {
    let database = data_dir.join(DATABASE);
    if !fs::metadata(&database).is_ok_and(|file| file.len() > 0) {
        return Err(BackupError::NoStore(data_dir.to_owned()));
    }
    let draft = Draft::create(target).map_err(|error| not_written(target, error))?;
    // Neither creates nor migrates: the store may be a running server's, even of another version.
    let source = open(&database).map_err(|error| not_a_store(&database, error))?;
    check_version(&source, &database)?;
    let path = draft.path();
    path.to_str()
        .ok_or(rusqlite::Error::InvalidPath(path.to_owned()))
        .and_then(|path| source.execute("VACUUM INTO ?1", [path]))
        .map_err(|error| not_written(target, error))?;
    let summary = judge(path).map_err(|error| named(error, &database))?;
    Ok((draft, summary))
}

/// Makes `data_dir` the store that the backup `from` holds, with a new epoch: cursors given out
/// before get a reset, since what was published after the backup is gone. Blocks.
///
/// The directory must be empty or missing. It holds all or nothing, also after a crash. A file whose
/// schema is not exactly that of its version is refused: a trigger in it could change what it is
/// asked to store.
///
/// # Errors
///
/// When the file is no backup, the directory holds events or is in use, or cannot be written.
pub fn restore(from: &Path, data_dir: &Path) -> Result<StoreSummary, BackupError> {
    // Before the directory is touched.
    let mut source = File::open(from).map_err(|error| not_a_store(from, error))?;
    restore_from_reader(&mut source, from, data_dir)
}

/// The same from a pipe or wherever else the backup comes from; errors call it `name`. Blocks.
///
/// # Errors
///
/// As [`restore`].
pub fn restore_from_reader(
    source: &mut impl Read,
    name: &Path,
    data_dir: &Path,
) -> Result<StoreSummary, BackupError> {
    let directory = DataDirectory::lock(data_dir)?;
    let database = directory.database();
    let log = data_dir.join(format!("{DATABASE}-wal"));
    if [&database, &log]
        .iter()
        .any(|path| fs::metadata(path).is_ok_and(|file| file.len() > 0))
    {
        return Err(BackupError::NotEmpty(data_dir.to_owned()));
    }
    Draft::remove_leftovers(&database);
    let written = |error| not_written(&database, error);
    let draft = Draft::create(&database).map_err(written)?;
    take(source, name, &mut draft.file(), &database)?;
    // The copy is as good as what it was made of; that is the one to name.
    let summary = judge(draft.path()).map_err(|error| named(error, name))?;
    renew_epoch(draft.path()).map_err(|error| not_written(&database, error))?;
    directory.volume().adopt(draft.file());
    draft.replace().map_err(written)?;
    Ok(summary)
}

/// Copies a backup. What does not begin as one is refused at once, however long it is.
fn take(
    source: &mut impl Read,
    name: &Path,
    file: &mut impl Write,
    database: &Path,
) -> Result<(), BackupError> {
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    let mut is_begun = false;
    loop {
        piece.clear();
        let mut next = source.by_ref().take(PIECE_BYTES as u64);
        next.read_to_end(&mut piece)
            .map_err(|error| not_a_store(name, error))?;
        if !is_begun && !piece.starts_with(SQLITE) {
            return Err(not_a_store(name, Unfit::NoDatabase));
        }
        is_begun = true;
        if piece.is_empty() {
            return Ok(());
        }
        file.write_all(&piece)
            .map_err(|error| not_written(database, error))?;
    }
}

/// What the schema of the store in `data_dir` has or lacks beside what Tidings makes, in words; a store
/// has none of it. Also while a server runs there. Blocks.
///
/// # Errors
///
/// When there is no store or it cannot be read.
pub fn schema_differences(data_dir: &Path) -> Result<Vec<String>, BackupError> {
    let database = data_dir.join(DATABASE);
    if !fs::metadata(&database).is_ok_and(|file| file.len() > 0) {
        return Err(BackupError::NoStore(data_dir.to_owned()));
    }
    let connection = open_to_look(&database).map_err(|error| not_a_store(&database, error))?;
    let version = check_version(&connection, &database)?;
    let differences =
        schema::differences(&connection, version).map_err(|error| not_a_store(&database, error))?;
    Ok(differences.iter().map(ToString::to_string).collect())
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open_shared(path)?;
    // What else is wrong shows when it is read in earnest.
    match probe(&connection) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            // On a file system that can only be read, where SQLite can make no log.
            Ok(audit::open(path).unwrap_or(connection))
        }
        Err(error) if is_full(&error) => {
            let connection = open_shared(path)?;
            // No server has it open, and the file by which connections share the log's index finds no
            // room: alone, SQLite keeps the index in memory.
            connection.pragma_update(None, "locking_mode", "exclusive")?;
            Ok(connection)
        }
        _ => Ok(connection),
    }
}

/// As [`open`], and leaves all files as they are if that is possible: the last connection that may write
/// takes what is left of a log into the database.
fn open_to_look(path: &Path) -> rusqlite::Result<Connection> {
    match audit::open(path) {
        Ok(connection) if probe(&connection).is_ok() => Ok(connection),
        _ => open(path),
    }
}

/// Whether it can be read.
fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_query_value(None, "schema_version", |_| Ok(()))
}

fn open_shared(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    distrust(&connection)?;
    Ok(connection)
}

fn not_written(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> BackupError {
    BackupError::Write {
        path: path.to_owned(),
        source: source.into(),
    }
}

/// An error of a copy, as one of what it was copied from.
fn named(error: BackupError, path: &Path) -> BackupError {
    match error {
        BackupError::NotAStore { source, .. } => not_a_store(path, source),
        BackupError::Newer(_) => BackupError::Newer(path.to_owned()),
        other => other,
    }
}

fn not_a_store(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> BackupError {
    BackupError::NotAStore {
        path: path.to_owned(),
        source: source.into(),
    }
}

/// The version of the schema, if it is one of ours.
fn check_version(connection: &Connection, path: &Path) -> Result<usize, BackupError> {
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| not_a_store(path, error))?;
    match usize::try_from(version).unwrap_or(usize::MAX) {
        0 => Err(not_a_store(path, Unfit::NoSchema)),
        version @ 1..=SCHEMA_VERSION => Ok(version),
        _ => Err(BackupError::Newer(path.to_owned())),
    }
}

/// Reads a whole store through, and says what it holds.
fn judge(path: &Path) -> Result<StoreSummary, BackupError> {
    let unfit = |error| not_a_store(path, error);
    let connection = open(path).map_err(|error| not_a_store(path, error))?;
    let version = check_version(&connection, path)?;
    // First, so that nothing of a schema that is not ours is used by the checks after it.
    let differences =
        schema::differences(&connection, version).map_err(|error| not_a_store(path, error))?;
    if !differences.is_empty() {
        let texts: Vec<_> = differences.iter().map(ToString::to_string).collect();
        return Err(unfit(Unfit::ForeignSchema(texts.join(", "))));
    }
    // An index that does not fit its table would show events under other owners than a scan does.
    let verdict: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .map_err(|error| not_a_store(path, error))?;
    if verdict != "ok" {
        return Err(unfit(Unfit::Damaged(verdict)));
    }
    connection
        .query_row(
            "SELECT system_id, (SELECT count(*) FROM event), (SELECT count(*) FROM feed) \
             FROM installation",
            [],
            |row| {
                Ok(StoreSummary {
                    system: SystemId::from_uuid(Uuid::from_bytes(row.get(0)?)),
                    events: count(row, 1)?,
                    feeds: count(row, 2)?,
                })
            },
        )
        .map_err(|error| not_a_store(path, error))
}

fn count(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(index)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number))
}

fn renew_epoch(path: &Path) -> rusqlite::Result<()> {
    let epoch = Epoch::mint();
    open(path)?.execute(
        "UPDATE installation SET epoch = ?1",
        [epoch.as_uuid().as_bytes()],
    )?;
    Ok(())
}
