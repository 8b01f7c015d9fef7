//! Restores a data directory from a backup.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use tidings_event::wire::Epoch;

use super::backup_error::{BackupError, named, not_a_store, not_written};
use super::data_files::DATABASE;
use super::directory::DataDirectory;
use super::store_file::{self, StoreSummary, Unfit, judge};
use super::unfinished_file::UnfinishedFile;

/// The first bytes of every SQLite database.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// How many bytes of a backup are read at a time.
const PIECE_BYTES: usize = 64 * 1024;

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

fn renew_epoch(path: &Path) -> rusqlite::Result<()> {
    let epoch = Epoch::mint();
    store_file::open(path)?.execute(
        "UPDATE installation SET epoch = ?1",
        [epoch.as_uuid().as_bytes()],
    )?;
    Ok(())
}
