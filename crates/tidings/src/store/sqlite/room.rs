//! The space that the database takes, and the free space beside it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use rustix::fs::statvfs;

use crate::store::DiskSpace;

/// The database, its write-ahead log and the log's index.
const FILES: [&str; 3] = ["", "-wal", "-shm"];

/// The space of the database at this path; `None` if the file system does not tell.
pub(super) fn of(database: &Path) -> Option<DiskSpace> {
    let sizes = FILES.into_iter().filter_map(|suffix| {
        let mut name = OsString::from(database);
        name.push(suffix);
        fs::metadata(name).ok()
    });
    let file_system = statvfs(database).ok()?;
    Some(DiskSpace {
        database_bytes: sizes.map(|file| file.len()).sum(),
        // Without the blocks that are reserved for the superuser.
        free_bytes: file_system.f_bavail.saturating_mul(file_system.f_frsize),
        disk_bytes: file_system.f_blocks.saturating_mul(file_system.f_frsize),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_counts_as_part_of_the_database() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("x.db");
        fs::write(&database, [0; 1000]).unwrap();
        fs::write(directory.path().join("x.db-wal"), [0; 10]).unwrap();
        fs::write(directory.path().join("other"), [0; 10]).unwrap();
        let room = of(&database).unwrap();
        assert_eq!(room.database_bytes, 1010);
        assert!(room.free_bytes <= room.disk_bytes && room.disk_bytes > 0);
        assert_eq!(of(&directory.path().join("none")), None);
    }
}
