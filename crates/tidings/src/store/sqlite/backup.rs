//! A data directory as one file and back.

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Row};
use tidings_event::{Epoch, SystemId};
use uuid::Uuid;

use super::connection::SCHEMA_VERSION;
use super::directory::{DATABASE, DataDirectory, DirectoryError, owner_only_file, sync_parent};

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
    /// A file could not be written.
    #[error("could not write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
}

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
    #[error("it has no schema of Tidings")]
    NoSchema,
    #[error("SQLite finds it damaged: {0}")]
    Damaged(String),
}

/// Writes all that is committed in `data_dir` at one moment into the new file `to`, also while a
/// server runs there and goes on publishing. Blocks.
///
/// The file is whole or not there: it is written under another name, put on disk, then renamed. Only
/// its owner can read it.
///
/// # Errors
///
/// When there is no store, the file exists, or it cannot be written.
pub fn backup(data_dir: &Path, to: &Path) -> Result<StoreSummary, BackupError> {
    let database = data_dir.join(DATABASE);
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    if !fs::metadata(&database).is_ok_and(|file| file.len() > 0) {
        return Err(BackupError::NoStore(data_dir.to_owned()));
    }
    let draft = Draft::create(to)?;
    // Neither creates nor migrates: the store may be a running server's, even of another version.
    let source = open(&database).map_err(|error| not_a_store(&database, error))?;
    check_schema(&source, &database)?;
    draft
        .path
        .to_str()
        .ok_or(rusqlite::Error::InvalidPath(draft.path.clone()))
        .and_then(|path| source.execute("VACUUM INTO ?1", [path]))
        .map_err(|error| draft.fault(error))?;
    let summary = judge(&draft.path)?;
    draft.finish()?;
    Ok(summary)
}

/// Makes `data_dir` the store that the backup `from` holds, with a new epoch: cursors given out
/// before get a reset, since what was published after the backup is gone. Blocks.
///
/// The directory must be empty or missing. It holds all or nothing, also after a crash.
///
/// # Errors
///
/// When the file is no backup, the directory holds events or is in use, or cannot be written.
pub fn restore(from: &Path, data_dir: &Path) -> Result<StoreSummary, BackupError> {
    // Before the directory is touched.
    let mut source = File::open(from).map_err(|error| not_a_store(from, error))?;
    let directory = DataDirectory::lock(data_dir)?;
    let database = directory.database();
    let log = data_dir.join(format!("{DATABASE}-wal"));
    if [&database, &log]
        .iter()
        .any(|path| fs::metadata(path).is_ok_and(|file| file.len() > 0))
    {
        return Err(BackupError::NotEmpty(data_dir.to_owned()));
    }
    let mut draft = Draft::create(&database)?;
    io::copy(&mut source, &mut draft.file).map_err(|error| draft.fault(error))?;
    let summary = judge(&draft.path).map_err(|error| match error {
        // The copy is as good as what it was made of; that is the one to name.
        BackupError::NotAStore { source, .. } => not_a_store(from, source),
        BackupError::Newer(_) => BackupError::Newer(from.to_owned()),
        other => other,
    })?;
    renew_epoch(&draft.path).map_err(|error| draft.fault(error))?;
    draft.finish()?;
    Ok(summary)
}

/// A file that is written under another name, and removed unless it is finished.
struct Draft {
    file: File,
    path: PathBuf,
    target: PathBuf,
    finished: bool,
}

impl Draft {
    fn create(target: &Path) -> Result<Self, BackupError> {
        let mut path = target.as_os_str().to_owned();
        path.push(".partial");
        let path = PathBuf::from(path);
        let file = owner_only_file(&path)
            // One of an earlier attempt that was cut off.
            .and_then(|file| file.set_len(0).map(|()| file))
            .map_err(|source| BackupError::Write {
                path: target.to_owned(),
                source: source.into(),
            })?;
        Ok(Self {
            file,
            path,
            target: target.to_owned(),
            finished: false,
        })
    }

    /// Puts it on disk under its right name.
    fn finish(mut self) -> Result<(), BackupError> {
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, &self.target))
            .and_then(|()| sync_parent(&self.target))
            .map_err(|error| self.fault(error))?;
        self.finished = true;
        Ok(())
    }

    fn fault(&self, source: impl Into<Box<dyn Error + Send + Sync>>) -> BackupError {
        BackupError::Write {
            path: self.target.clone(),
            source: source.into(),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            // It is of no use, and does no harm where it cannot be removed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

fn not_a_store(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> BackupError {
    BackupError::NotAStore {
        path: path.to_owned(),
        source: source.into(),
    }
}

fn check_schema(connection: &Connection, path: &Path) -> Result<(), BackupError> {
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| not_a_store(path, error))?;
    match usize::try_from(version).unwrap_or(usize::MAX) {
        0 => Err(not_a_store(path, Unfit::NoSchema)),
        1..=SCHEMA_VERSION => Ok(()),
        _ => Err(BackupError::Newer(path.to_owned())),
    }
}

/// Reads a whole store through, and says what it holds.
fn judge(path: &Path) -> Result<StoreSummary, BackupError> {
    let connection = open(path).map_err(|error| not_a_store(path, error))?;
    check_schema(&connection, path)?;
    let verdict: String = connection
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .map_err(|error| not_a_store(path, error))?;
    if verdict != "ok" {
        return Err(not_a_store(path, Unfit::Damaged(verdict)));
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
