//! Backs up a data directory into one file, and restores it.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, Row};
use tidings_event::SystemId;
use tidings_event::wire::Epoch;
use uuid::Uuid;

use super::audit;
use super::connection::distrust;
use super::data_files::DATABASE;
use super::directory::DataDirectory;
use super::directory_error::DirectoryError;
use super::fault::is_full;
use super::migrations::SCHEMA_VERSION;
use super::schema;
use super::unfinished_file::UnfinishedFile;

/// Why a backup or a restore failed. Existing files are unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The data directory cannot be used, or a server uses it.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// There is no event store in the directory.
    #[error("there is no event store in {}", .0.display())]
    NoStore(PathBuf),
    /// The file of the backup exists already.
    #[error("{} already exists; move it away or choose another name", .0.display())]
    Exists(PathBuf),
    /// The directory holds events, which a restore would lose.
    #[error("{} already holds events; restore into an empty directory", .0.display())]
    NotEmpty(PathBuf),
    /// The file is not an event store, or is damaged.
    #[error("{} is not a whole event store", .path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// The fault that was found.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file was written by a newer version.
    #[error("{} was written by a newer Tidings; use that one", .0.display())]
    Newer(PathBuf),
    /// The backup could not be written to its destination.
    #[error("could not write the backup")]
    Stream(#[source] io::Error),
    /// A file could not be written.
    #[error("could not write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// The first bytes of every SQLite database.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// How many bytes of a backup are read at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// The contents of a store in numbers.
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

/// Why a file is not a usable store.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("it is not an SQLite database")]
    NoDatabase,
    #[error("it does not have the schema of Tidings")]
    NoSchema,
    #[error("SQLite reports that it is damaged: {0}")]
    Damaged(String),
    #[error("its schema differs from that of Tidings: {0}")]
    ForeignSchema(String),
}

/// Writes all that is committed in `data_dir` at one moment into the new file `to`. A server can run there
/// and store events meanwhile. Blocks.
///
/// The file is complete or does not exist: it is written in a directory of its own beside `to` that no
/// other user can enter, synced, then renamed. Only its owner can read it.
///
/// # Errors
///
/// If there is no store, the file exists, or it cannot be written.
pub fn backup(data_dir: &Path, to: &Path) -> Result<StoreSummary, BackupError> {
    // A dangling link exists, too.
    if fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let (unfinished, summary) = copy(data_dir, to)?;
    unfinished
        .finish_new()
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
            _ => not_written(to, error),
        })?;
    Ok(summary)
}

/// Writes a backup into a pipe or another destination. The copy is made in `data_dir` first, and written
/// once it is complete. Blocks.
///
/// # Errors
///
/// If there is no store, it cannot be copied, or `to` fails. The bytes that `to` has received are then not
/// a backup.
pub fn backup_to_writer(data_dir: &Path, to: &mut impl Write) -> Result<StoreSummary, BackupError> {
    let (unfinished, summary) = copy(data_dir, &data_dir.join("backup"))?;
    let mut file = unfinished.file();
    file.rewind()
        .and_then(|()| io::copy(&mut file, to))
        .and_then(|_| to.flush())
        .map_err(BackupError::Stream)?;
    Ok(summary)
}

/// A copy of a store, as an unfinished file of `target`.
fn copy(data_dir: &Path, target: &Path) -> Result<(UnfinishedFile, StoreSummary), BackupError> {
    let database = data_dir.join(DATABASE);
    if !fs::metadata(&database).is_ok_and(|file| file.len() > 0) {
        return Err(BackupError::NoStore(data_dir.to_owned()));
    }
    let unfinished = UnfinishedFile::create(target).map_err(|error| not_written(target, error))?;
    // Neither creates nor migrates: a server can be running on the store, even of another version.
    let source = open(&database).map_err(|error| not_a_store(&database, error))?;
    check_version(&source, &database)?;
    let path = unfinished.path();
    path.to_str()
        .ok_or(rusqlite::Error::InvalidPath(path.to_owned()))
        .and_then(|path| source.execute("VACUUM INTO ?1", [path]))
        .map_err(|error| not_written(target, error))?;
    let summary = judge(path).map_err(|error| named(error, &database))?;
    Ok((unfinished, summary))
}

/// Restores the backup `from` into `data_dir`, with a new epoch: older cursors get a reset, since events
/// that were published after the backup are gone. Blocks.
///
/// The directory must be empty or missing. It holds the whole store or nothing, also after a crash. A file
/// whose schema is not exactly that of its version is rejected: a trigger in it could change stored events.
///
/// # Errors
///
/// If the file is not a backup, or if the directory holds events, is in use or cannot be written.
pub fn restore(from: &Path, data_dir: &Path) -> Result<StoreSummary, BackupError> {
    // Checked before the directory is touched.
    let mut source = File::open(from).map_err(|error| not_a_store(from, error))?;
    restore_from_reader(&mut source, from, data_dir)
}

/// Restores a backup from a pipe or another source, which errors call `name`. Blocks.
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
    UnfinishedFile::remove_leftovers(&database);
    let written = |error| not_written(&database, error);
    let unfinished = UnfinishedFile::create(&database).map_err(written)?;
    take(source, name, &mut unfinished.file(), &database)?;
    // A fault of the copy is a fault of the source, so the error names the source.
    let summary = judge(unfinished.path()).map_err(|error| named(error, name))?;
    renew_epoch(unfinished.path()).map_err(|error| not_written(&database, error))?;
    directory.volume().adopt(unfinished.file());
    unfinished.replace().map_err(written)?;
    Ok(summary)
}

/// Copies a backup. A source that does not begin as one is rejected at once, so that its length does not
/// matter.
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

/// Lists how the schema of the store in `data_dir` differs from the one that Tidings makes, as sentences.
/// An intact store has no differences. A server can run there meanwhile. Blocks.
///
/// # Errors
///
/// If there is no store or it cannot be read.
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
    // Other faults appear when it is read.
    match probe(&connection) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            // On a read-only file system, SQLite cannot create a log.
            Ok(audit::open(path).unwrap_or(connection))
        }
        Err(error) if is_full(&error) => {
            let connection = open_shared(path)?;
            // No server has it open, and there is no space for the file by which connections share the
            // log's index. A connection that is alone keeps the index in memory.
            connection.pragma_update(None, "locking_mode", "exclusive")?;
            Ok(connection)
        }
        _ => Ok(connection),
    }
}

/// As [`open`], but leaves all files unchanged if possible: the last connection that may write would move
/// the rest of a log into the database.
fn open_to_look(path: &Path) -> rusqlite::Result<Connection> {
    match audit::open(path) {
        Ok(connection) if probe(&connection).is_ok() => Ok(connection),
        _ => open(path),
    }
}

/// Whether the database can be read.
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

/// Turns an error about a copy into one about its source.
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

/// The version of the schema, if it is a schema of Tidings.
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

/// Reads and checks a whole store.
fn judge(path: &Path) -> Result<StoreSummary, BackupError> {
    let unfit = |error| not_a_store(path, error);
    let connection = open(path).map_err(|error| not_a_store(path, error))?;
    let version = check_version(&connection, path)?;
    // First, so that the other checks use nothing of a foreign schema.
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
