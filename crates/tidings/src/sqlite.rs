//! Backups, audits and repairs of data directories.

use std::path::Path;

use crate::error::OpenError;
pub use crate::store::audit::{Audit, WrongCount};
use crate::store::sqlite::SqliteStore;
pub use crate::store::sqlite::{
    AuditError, BackupError, DirectoryError, StoreSummary, audit, backup, backup_to_writer,
    restore, restore_from_reader, schema_differences,
};

/// Makes the lists and counts of the store in `data_dir` again from its events, and upgrades an old schema.
/// Each user's own counts of system events stay as they are.
/// No engine may use it. Blocks, for about 10 seconds per million events. If it is interrupted, the next
/// start of an engine finishes it.
///
/// [`audit`] finds out whether that is needed, which only a fault of the program or the disk can cause.
///
/// # Errors
///
/// If the directory or the store cannot be used.
pub fn rebuild(data_dir: &Path) -> Result<(), OpenError> {
    Ok(SqliteStore::rebuild(data_dir)?)
}
