//! The data directory: inaccessible to other users, and locked by one process at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::data_files::DATABASE;
use super::directory_error::DirectoryError;
use super::volume::{Volume, unusable};

/// A data directory that this process has locked. Dropping it unlocks it.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    volume: Volume,
    _lock: File,
}

/// The file whose space is released when the disk is full.
pub(crate) const RESERVE: &str = "reserve";
const LOCK: &str = "lock";

/// The suffixes that SQLite adds to the database's name for the files beside it.
const SQLITE_SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The space of the largest event with its share of the indexes and a margin.
const PROBE_BYTES: usize = 512 * 1024;

/// More than a process id and a line feed need.
const MAX_LOCK_BYTES: u64 = 32;

impl DataDirectory {
    /// Creates the directory if it is missing, removes the access of others, and locks it.
    pub(crate) fn lock(path: &Path) -> Result<Self, DirectoryError> {
        let volume = Volume::prepare(path)?;
        let unusable = |source| unusable(path, source);
        let mut lock = volume.open(LOCK)?;
        let mut text = String::new();
        let bytes = (&lock).take(MAX_LOCK_BYTES).read_to_string(&mut text);
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DirectoryError::InUse {
                    path: path.to_owned(),
                    holder: text.trim().parse().ok(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        // A file of another program with this name, or a hard link to one, must keep its content.
        let is_pid = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'\n');
        let links = lock.metadata().map_err(unusable)?.nlink();
        if bytes.is_err() || text.len() as u64 == MAX_LOCK_BYTES || !is_pid || links != 1 {
            return Err(DirectoryError::Planted {
                path: volume.file(LOCK),
            });
        }
        // The id only informs a process that finds the lock. A full disk must not prevent a start.
        let _ = lock.set_len(0).and_then(|()| lock.rewind());
        let _ = writeln!(lock, "{}", std::process::id());
        // SQLite gives its other files the mode of this one.
        volume.open(DATABASE)?;
        for suffix in SQLITE_SUFFIXES {
            volume.check(&format!("{DATABASE}{suffix}"))?;
        }
        Ok(Self {
            volume,
            _lock: lock,
        })
    }

    /// Its path, and the owner and mode of its files.
    pub(crate) const fn volume(&self) -> &Volume {
        &self.volume
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.volume.file(DATABASE)
    }
}

/// Writes as many bytes as an event may need beside the database, and removes them.
pub(crate) fn probe(database: &Path) -> io::Result<()> {
    let folder = database
        .parent()
        .expect("the database lies in its directory");
    // Its name cannot be guessed, so nobody can have put a link there. It disappears with its handle.
    let mut file = tempfile::Builder::new()
        .prefix("probe-")
        .tempfile_in(folder)?;
    file.write_all(&vec![0; PROBE_BYTES])?;
    file.as_file().sync_all()
}
