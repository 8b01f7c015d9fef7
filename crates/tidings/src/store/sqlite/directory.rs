//! The data directory: inaccessible to other users, and locked by one process at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::volume::{Volume, unusable};

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The directory could not be created, entered or written to.
    #[error("the data directory {} cannot be used: {remedy}", .path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// How to fix it.
        remedy: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// One of its files belongs to a user who does not share it with the user of this process.
    #[error(
        "{} belongs to user {owner} and group {group} with mode {mode:o}, and this process runs as \
         user {user}; run it as user {owner}, or give the directory's files to user {user}",
        .path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The user it belongs to.
        owner: u32,
        /// The group it belongs to.
        group: u32,
        /// Its mode.
        mode: u32,
        /// The user this process runs as.
        user: u32,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Something else, such as a symbolic link, has the name of one of its files. It is unchanged.
    #[error(
        "{} is not a file that Tidings made; move it away, or choose another directory",
        .path.display()
    )]
    Planted {
        /// Its path.
        path: PathBuf,
    },
    /// Another process uses the directory. Two processes would not see each other's subscribers.
    #[error(
        "the data directory {} is in use by another Tidings{}; stop it, or choose another directory",
        .path.display(),
        .holder.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process that uses it, if its id could be read.
        holder: Option<u32>,
    },
}

/// A data directory that this process has locked. Dropping it unlocks it.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    volume: Volume,
    _lock: File,
}

/// The database's name in its directory.
pub(crate) const DATABASE: &str = "tidings.db";
/// The file whose space is released when the disk is full.
pub(crate) const RESERVE: &str = "reserve";
const LOCK: &str = "lock";

/// What SQLite adds to the database's name for the files beside it.
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
