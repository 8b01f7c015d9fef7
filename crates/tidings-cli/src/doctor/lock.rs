//! Finds the process that holds a data directory.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{major, minor};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// The use of a data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// No server has used the directory.
    Never,
    /// The process with this id holds the lock.
    By(u32),
    /// No process holds the lock. The value is the id of the last process, if readable.
    Free(Option<u32>),
    /// The lock is not a regular file, and a server rejects the directory. Opening a FIFO could block
    /// forever.
    Foreign,
}

/// Reads the state without taking the lock. Taking it, even for a moment, could keep a server from
/// starting.
pub(super) fn use_of(lock: &Path) -> Use {
    // The server does not follow a link either.
    let Ok(metadata) = fs::symlink_metadata(lock) else {
        return Use::Never;
    };
    if !metadata.is_file() {
        return Use::Foreign;
    }
    let text = fs::read_to_string(lock).unwrap_or_default();
    let last: Option<u32> = text.trim().parse().ok();
    let holder = match fs::read_to_string("/proc/locks") {
        Ok(table) => {
            let device = (major(metadata.dev()), minor(metadata.dev()));
            holder(&table, device, metadata.ino(), last)
        }
        // Other systems have no `/proc/locks`. By now another process can have this id.
        Err(_) => last.filter(|pid| is_alive(*pid)),
    };
    holder.map_or(Use::Free(last), Use::By)
}

/// Finds the process that holds a file's lock in the kernel's table. On some file systems the table
/// shows another device than `stat`. Then the process id in the lock file decides.
fn holder(table: &str, device: (u32, u32), inode: u64, last: Option<u32>) -> Option<u32> {
    table.lines().find_map(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let [_, "FLOCK", _, _, pid, file, ..] = fields[..] else {
            return None;
        };
        let pid: u32 = pid.parse().ok()?;
        let mut parts = file.split(':');
        let mut hex = || u32::from_str_radix(parts.next()?, 16).ok();
        let its_device = (hex()?, hex()?);
        let its_inode: u64 = parts.next()?.parse().ok()?;
        let same = its_inode == inode && (its_device == device || last == Some(pid));
        same.then_some(pid)
    })
}

fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // `EPERM` means that the process exists and belongs to another user.
    pid.is_some_and(|pid| matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const TABLE: &str = "\
1: POSIX  ADVISORY  READ 10 fe:00:77 128 128
2: FLOCK  ADVISORY  WRITE 20 fe:00:77 0 EOF
2: -> FLOCK  ADVISORY  WRITE 21 fe:00:88 0 EOF
3: FLOCK  ADVISORY  WRITE 30 00:2a:99 0 EOF
4: odd";

    #[test]
    fn finds_the_holder_by_device_and_inode() {
        for (device, inode, last, expected) in [
            ((0xfe, 0), 77, None, Some(20)),
            ((0xfe, 1), 77, None, None),
            ((0xfe, 1), 77, Some(20), Some(20)),
            ((0xfe, 0), 88, Some(21), None),
            ((0, 0x2a), 99, Some(1), Some(30)),
            ((0xfe, 0), 1, Some(20), None),
        ] {
            assert_eq!(holder(TABLE, device, inode, last), expected, "{inode}");
        }
    }

    #[test]
    fn reads_a_lock_without_taking_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        assert_eq!(use_of(&path), Use::Never);
        let mut file = fs::File::create(&path).unwrap();
        writeln!(file, "{}", std::process::id()).unwrap();
        let me = std::process::id();
        assert_eq!(use_of(&path), Use::Free(Some(me)));
        file.try_lock().unwrap();
        assert_eq!(use_of(&path), Use::By(me));
        file.unlock().unwrap();
        assert_eq!(use_of(&path), Use::Free(Some(me)));
    }

    #[test]
    fn knows_a_running_process() {
        assert!(is_alive(std::process::id()));
        // Larger than any process id.
        assert!(!is_alive(5_000_000));
    }
}
