//! The file of the reserve.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::Disk;
use crate::store::sqlite::directory::RESERVE;

/// The default reserve: space for thousands of changes.
pub(super) const MOST_RESERVE: u64 = 64 * 1024 * 1024;

impl Disk {
    /// Creates the missing part of the reserve once there is space for it.
    pub(crate) fn make_reserve(&self) {
        if self.wanted == 0 {
            self.release();
            return;
        }
        let missing = self.wanted.saturating_sub(self.reserved());
        let has_room = self
            .free()
            .is_some_and(|free| free >= self.wanted.saturating_add(missing));
        if missing == 0 || !has_room {
            return;
        }
        if let Err(error) = self.allocate(self.wanted) {
            self.release();
            tracing::debug!(%error, "could not make the reserve");
        }
    }

    /// Takes the free space of a disk that is nearly full into the reserve, for the next start.
    pub(crate) fn take_what_is_left(&self) {
        let free = self.free().unwrap_or_default();
        let most = self.wanted.min(MOST_RESERVE);
        let bytes = most.min(self.reserved().saturating_add(free));
        if bytes > self.reserved() && self.allocate(bytes).is_err() {
            self.release();
        }
    }

    /// Releases the reserve, and returns whether there was one.
    pub(crate) fn release(&self) -> bool {
        let had = self.reserved() > 0;
        had && fs::remove_file(&self.reserve).is_ok()
    }

    pub(super) fn reserved(&self) -> u64 {
        length(&self.reserve)
    }

    /// Gives the reserve this size, with all its blocks.
    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let file = self.volume.open(RESERVE).map_err(io::Error::other)?;
        match fallocate(&file, FallocateFlags::empty(), 0, bytes) {
            Ok(()) => Ok(()),
            // The file system cannot allocate blocks, so the bytes are written.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => fill(&file, bytes),
            Err(error) => Err(error.into()),
        }
    }
}

pub(super) fn length(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |file| file.len())
}

fn fill(mut file: &fs::File, bytes: u64) -> io::Result<()> {
    let block = vec![0xA5; 64 * 1024];
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    while left > 0 {
        let now = left.min(block.len());
        file.write_all(&block[..now])?;
        left -= now;
    }
    file.sync_data()
}
