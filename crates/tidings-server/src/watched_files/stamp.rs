//! The metadata by which a change of a file is noticed.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

/// A file that changed less long ago is read again although its metadata is the same: two changes within
/// a tick of the file system's clock look like one.
const UNSETTLED: Duration = Duration::from_secs(2);

/// The metadata that shows a change. A replaced file has another inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: (i64, i64),
    changed: (i64, i64),
    bytes: u64,
    inode: (u64, u64),
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            bytes: metadata.len(),
            inode: (metadata.dev(), metadata.ino()),
        }
    }
}

impl Stamp {
    /// Whether another change can have the same stamp.
    pub(super) fn is_recent(self) -> bool {
        is_recent(self.changed) || is_recent(self.modified)
    }
}

/// Whether a time is so close to now that another change can have the same.
fn is_recent((seconds, nanoseconds): (i64, i64)) -> bool {
    let (Ok(seconds), Ok(nanoseconds)) = (u64::try_from(seconds), u32::try_from(nanoseconds))
    else {
        return false;
    };
    let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds);
    // The clock can also reach a time in the future again.
    time.elapsed().map_or(true, |age| age < UNSETTLED)
}
