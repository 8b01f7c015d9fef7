//! The file with the list of revoked tokens.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};

use super::revocation_list as list;
use crate::regular_file;

/// The room that is reserved behind the end of the file, so that hundreds of tokens can be revoked on a
/// full disk too.
const KEPT_BYTES: u64 = 64 * 1024;

/// Reserves room behind the end of the file. On a file system that cannot do that nothing changes.
pub(super) fn keep_room(file: &File, end: u64) {
    let _ = fallocate(file, FallocateFlags::KEEP_SIZE, end, KEPT_BYTES);
}

/// Appends a line in one write, and waits until it is on the disk. The file must exist: a new one would
/// lack every earlier revocation.
pub(super) fn append(path: &Path, line: &str) -> io::Result<()> {
    let (mut file, _) = regular_file::open_with(OpenOptions::new().read(true).append(true), path)?;
    let end = file.seek(SeekFrom::End(0))?;
    if end + line.len() as u64 >= list::MAX_LIST_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!(
                "{} has {end} bytes: remove the lines whose time has passed",
                path.display()
            ),
        ));
    }
    // Editors can leave the last line without a line feed.
    let mut last = [b'\n'];
    if end > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let begin = if last == [b'\n'] { "" } else { "\n" };
    if let Err(error) = file.write_all(format!("{begin}{line}").as_bytes()) {
        // Half a line, such as an id and half a time, would make the whole list unreadable.
        let _ = file.set_len(end);
        return Err(error);
    }
    file.sync_data()?;
    keep_room(&file, end);
    Ok(())
}
