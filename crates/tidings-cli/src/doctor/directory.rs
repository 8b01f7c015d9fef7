//! The checks of a data directory. Nothing is opened for writing.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};
use rustix::process::geteuid;

use super::finding::{Finding, Report};
use super::lock::{self, Use};

/// The files of a data directory, as the engine names them.
const LOCK: &str = "lock";
const DATABASE: &str = "tidings.db";
const FILES: [&str; 4] = [LOCK, DATABASE, "tidings.db-wal", "tidings.db-shm"];

/// Below this, the next checkpoint of the database may find no room.
const FULL_BYTES: u64 = 64 * 1024 * 1024;

/// Below this, it is time to look for more.
const LITTLE_BYTES: u64 = 1024 * 1024 * 1024;

/// Makes the checks of the directory at `path`.
pub(super) fn examine(path: &Path, report: &mut Report) -> anyhow::Result<()> {
    let directory = match directory(path) {
        Ok(directory) => directory,
        Err(finding) => return report.add(&finding),
    };
    report.add(&Finding::ok("directory", path.display().to_string()))?;
    report.add(&access(path, &directory))?;
    report.add(&space(path))?;
    report.add(&in_use(path))?;
    report.add(&database(path))?;
    if let Some(finding) = strangers(path, &directory) {
        report.add(&finding)?;
    }
    Ok(())
}

fn directory(path: &Path) -> Result<Metadata, Finding> {
    let name = path.display();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(metadata),
        Ok(_) => Err(Finding::fail(
            "directory",
            format!("{name} is not a directory"),
            "give the directory that `tidings serve --data-dir` was given",
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Finding::fail(
            "directory",
            format!("there is no {name}"),
            "give the directory of the server; `tidings serve` makes it when it is missing",
        )),
        Err(error) => Err(Finding::fail(
            "directory",
            format!("{name} cannot be looked at: {error}"),
            "run this as the user the server runs as",
        )),
    }
}

fn access(path: &Path, directory: &Metadata) -> Finding {
    const CHECK: &str = "access";
    let (owner, me) = (directory.uid(), geteuid().as_raw());
    let mode = directory.permissions().mode() & 0o777;
    let chmod = format!("chmod 700 {}", path.display());
    if owner != me {
        let text = format!("the directory belongs to user {owner}, and you are user {me}");
        let remedy = "run this, and the server, as the user the directory belongs to";
        // For the superuser nothing is closed.
        return match me {
            0 => Finding::warn(CHECK, text, remedy),
            _ => Finding::fail(CHECK, text, remedy),
        };
    }
    if mode & 0o700 != 0o700 {
        let text = format!("its owner cannot use the directory (mode {mode:o})");
        return Finding::fail(CHECK, text, chmod);
    }
    match mode {
        0o700 => Finding::ok(CHECK, "only its owner can enter the directory"),
        _ => Finding::warn(
            CHECK,
            format!("other users can look into the directory (mode {mode:o})"),
            chmod,
        ),
    }
}

fn space(path: &Path) -> Finding {
    match statvfs(path) {
        Ok(file_system) => judge_space(&file_system),
        Err(error) => Finding::warn(
            "space",
            format!("the free space is not known: {error}"),
            "run this as the user the server runs as",
        ),
    }
}

fn judge_space(file_system: &StatVfs) -> Finding {
    const CHECK: &str = "space";
    if file_system.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Finding::fail(
            CHECK,
            "the file system can only be read",
            "mount it for writing, or move the directory",
        );
    }
    // Not what is free for the superuser alone.
    let free = file_system.f_bavail.saturating_mul(file_system.f_frsize);
    let text = format!("{} MiB are free", free / (1024 * 1024));
    match free {
        0..FULL_BYTES => Finding::fail(
            CHECK,
            text,
            "make room: a server whose disk is full refuses events",
        ),
        FULL_BYTES..LITTLE_BYTES => Finding::warn(CHECK, text, "make room before the disk is full"),
        _ => Finding::ok(CHECK, text),
    }
}

fn in_use(path: &Path) -> Finding {
    let text = match lock::use_of(&path.join(LOCK)) {
        Use::Never => "no server has used it".to_owned(),
        Use::By(pid) => format!("in use by process {pid}"),
        Use::Free(Some(pid)) => format!("not in use; process {pid} was the last to use it"),
        Use::Free(None) => "not in use".to_owned(),
    };
    Finding::ok("lock", text)
}

fn database(path: &Path) -> Finding {
    const CHECK: &str = "database";
    let database = path.join(DATABASE);
    let name = database.display();
    match fs::metadata(&database) {
        Ok(file) if !file.is_file() => Finding::fail(
            CHECK,
            format!("{name} is not a file"),
            "give another directory",
        ),
        Ok(file) if file.permissions().mode() & 0o077 != 0 => Finding::warn(
            CHECK,
            format!("other users may read {name}"),
            format!("chmod 600 {name}"),
        ),
        Ok(_) => Finding::ok(
            CHECK,
            format!("{name}, {} KiB with its log", size(path) / 1024),
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => Finding::warn(
            CHECK,
            "there is no event store in the directory",
            "start the server with this directory, or restore a backup into it; if there should be \
             one, it is another directory",
        ),
        Err(error) => Finding::fail(
            CHECK,
            format!("{name} cannot be looked at: {error}"),
            "run this as the user the server runs as",
        ),
    }
}

/// How large the database is; what was published last is in its log.
fn size(path: &Path) -> u64 {
    let files = FILES.iter().filter(|name| name.starts_with(DATABASE));
    let sizes = files.filter_map(|name| fs::metadata(path.join(name)).ok());
    sizes.map(|file| file.len()).sum()
}

/// A server that was once started as another user leaves files that the right one cannot open.
fn strangers(path: &Path, directory: &Metadata) -> Option<Finding> {
    let owner = directory.uid();
    let strangers: Vec<_> = FILES
        .into_iter()
        .filter(|name| fs::metadata(path.join(name)).is_ok_and(|file| file.uid() != owner))
        .collect();
    (!strangers.is_empty()).then(|| {
        Finding::fail(
            "files",
            format!("{} do not belong to user {owner}", strangers.join(", ")),
            format!("chown -R {owner} {}", path.display()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn space_is_judged_by_what_is_free() {
        let mut file_system = statvfs("/").unwrap();
        file_system.f_flag = StatVfsMountFlags::empty();
        file_system.f_frsize = 4096;
        for (free_bytes, verdict) in [
            (0, Verdict::Fail),
            (FULL_BYTES - 4096, Verdict::Fail),
            (FULL_BYTES, Verdict::Warn),
            (LITTLE_BYTES, Verdict::Ok),
        ] {
            file_system.f_bavail = free_bytes / 4096;
            let finding = judge_space(&file_system);
            assert_eq!(finding.verdict, verdict, "{free_bytes}: {finding:?}");
        }
        file_system.f_flag = StatVfsMountFlags::RDONLY;
        assert_eq!(judge_space(&file_system).verdict, Verdict::Fail);
    }
}
