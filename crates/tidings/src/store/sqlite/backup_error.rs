//! Why a backup or a restore fails.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use super::directory_error::DirectoryError;

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

pub(super) fn not_written(
    path: &Path,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> BackupError {
    BackupError::Write {
        path: path.to_owned(),
        source: source.into(),
    }
}

/// Turns an error about a copy into one about its source.
pub(super) fn named(error: BackupError, path: &Path) -> BackupError {
    match error {
        BackupError::NotAStore { source, .. } => not_a_store(path, source),
        BackupError::Newer(_) => BackupError::Newer(path.to_owned()),
        other => other,
    }
}

pub(super) fn not_a_store(
    path: &Path,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> BackupError {
    BackupError::NotAStore {
        path: path.to_owned(),
        source: source.into(),
    }
}
