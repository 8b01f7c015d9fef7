//! Backs up a data directory into one file.

use std::fs;
use std::io::{self, Seek as _, Write};
use std::path::Path;

use super::backup_error::{BackupError, named, not_a_store, not_written};
use super::data_files::DATABASE;
use super::store_file::{StoreSummary, check_version, judge, open};
use super::unfinished_file::UnfinishedFile;

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
