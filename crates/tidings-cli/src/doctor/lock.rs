//! Which process holds a data directory.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{major, minor};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// What is known about the use of a data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// No server has ever used it.
    Never,
    /// This process has locked it.
    By(u32),
    /// Nobody has locked it. This process has used it before, if it could be read.
    Free(Option<u32>),
    /// It is something else than a file, which a server refuses. To open a FIFO could wait for ever.
    Foreign,
}

/// Finds out without touching the lock: taking it, even for a moment, could keep a server from
/// starting.
pub(super) fn use_of(lock: &Path) -> Use {
    // The server follows no link either.
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
        // Another system than Linux. The process may be another one by now that has its number.
        Err(_) => last.filter(|pid| is_alive(*pid)),
    };
    holder.map_or(Use::Free(last), Use::By)
}

/// Who holds the lock of a file, by the kernel's table. On some file systems the device there is not
/// that of the file; then the process that wrote its number into it is believed.
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
    // Of another user it cannot be signalled, but it is there.
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
    fn the_holder_is_found_by_its_file() {
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
    fn a_lock_is_seen_and_not_touched() {
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
    fn this_process_is_alive() {
        assert!(is_alive(std::process::id()));
        // Beyond the largest number a process can have.
        assert!(!is_alive(5_000_000));
    }
}
