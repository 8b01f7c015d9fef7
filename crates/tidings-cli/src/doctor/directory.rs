//! Checks of a data directory. They change nothing in it.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Access, AtFlags, CWD, StatVfs, StatVfsMountFlags, accessat, statvfs};
use rustix::process::geteuid;

use tidings::sqlite::{AuditError, BackupError};

use super::finding::{Finding, Report, Verdict};
use super::lock::{self, Use};
use crate::output::chain;

/// The engine's names of the files in a data directory.
const LOCK: &str = "lock";
const DATABASE: &str = "tidings.db";
const RESERVE: &str = "reserve";
const FILES: [&str; 5] = [LOCK, DATABASE, "tidings.db-wal", "tidings.db-shm", RESERVE];

/// The setgid bit. New files inherit the group of a directory with this bit, so the directory is meant
/// to be shared.
const SET_GROUP_ID: u32 = 0o2000;

/// With less free space than this, or a sixteenth of a smaller file system, a server rejects events
/// unless `--reserve-bytes` sets another reserve.
const FULL_BYTES: u64 = 64 * 1024 * 1024;
const FULL_PART: u64 = 16;

/// With less free space than this, or a quarter of a smaller file system, the check warns.
const LITTLE_BYTES: u64 = 1024 * 1024 * 1024;
const LITTLE_PART: u64 = 4;

/// Checks the directory at `path`.
pub(super) fn examine(path: &Path, report: &mut Report) -> anyhow::Result<()> {
    let directory = match directory(path) {
        Ok(directory) => directory,
        Err(finding) => return report.add(&finding),
    };
    report.add(&Finding::ok("directory", path.display().to_string()))?;
    report.add(&access(path, &directory))?;
    report.add(&space(path))?;
    report.add(&in_use(path))?;
    if let Some(finding) = reserve(path) {
        report.add(&finding)?;
    }
    let database = database(path);
    let is_readable = database.verdict == Verdict::Ok;
    report.add(&database)?;
    if is_readable && let Some(finding) = counts(path) {
        report.add(&finding)?;
    }
    if let Some(finding) = strangers(path) {
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
            format!("{name} does not exist"),
            "give the directory of the server; `tidings serve` creates it if it is missing",
        )),
        Err(error) => Err(Finding::fail(
            "directory",
            format!("could not read {name}: {error}"),
            "run this as the user the server runs as",
        )),
    }
}

/// Checks whether the caller can use the directory, and which other users can reach it. A volume's
/// directory often belongs to another user and is shared with the caller through its group.
fn access(path: &Path, directory: &Metadata) -> Finding {
    const CHECK: &str = "access";
    let (owner, group, me) = (directory.uid(), directory.gid(), geteuid().as_raw());
    let mode = directory.mode() & 0o777;
    let whose = format!("it belongs to user {owner} and group {group}, mode {mode:o}");
    let mut rights = Access::READ_OK | Access::EXEC_OK;
    // The check of the free space reports a read-only file system.
    if !statvfs(path).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY)) {
        rights |= Access::WRITE_OK;
    }
    if !can_use(path, rights) {
        let text = format!("user {me} cannot use the directory: {whose}");
        let remedy = match owner {
            0 => format!(
                "let the server's user in by a group (in Kubernetes: securityContext.fsGroup), or \
                 give it the directory: chown -R {me} {}",
                path.display()
            ),
            owner if owner == me => format!("chmod 700 {}", path.display()),
            _ => format!("run this, and the server, as user {owner}"),
        };
        return Finding::fail(CHECK, text, remedy);
    }
    if mode & 0o007 != 0 {
        return Finding::warn(
            CHECK,
            format!("every user can access the directory: {whose}"),
            format!(
                "chmod o-rwx {}, or set it where the volume is defined",
                path.display()
            ),
        );
    }
    let by_group = owner != me || directory.mode() & SET_GROUP_ID != 0;
    match mode & 0o070 {
        0 => Finding::ok(CHECK, "only its owner can enter the directory"),
        _ if by_group => Finding::ok(
            CHECK,
            format!("the members of group {group} share the directory"),
        ),
        _ => Finding::warn(
            CHECK,
            format!("other users can access the directory: {whose}"),
            format!("chmod 700 {}", path.display()),
        ),
    }
}

/// Checks the rights of the caller, as user and through groups.
fn can_use(path: &Path, rights: Access) -> bool {
    accessat(CWD, path, rights, AtFlags::EACCESS).is_ok()
}

fn space(path: &Path) -> Finding {
    match statvfs(path) {
        Ok(file_system) => judge_space(&file_system),
        Err(error) => Finding::warn(
            "space",
            format!("could not read the free space: {error}"),
            "run this as the user the server runs as",
        ),
    }
}

fn judge_space(file_system: &StatVfs) -> Finding {
    const CHECK: &str = "space";
    if file_system.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Finding::fail(
            CHECK,
            "the file system is read-only",
            "mount it for writing, or move the directory",
        );
    }
    // Excludes the blocks that are reserved for the superuser.
    let free = file_system.f_bavail.saturating_mul(file_system.f_frsize);
    let text = format!("{} MiB are free", free / (1024 * 1024));
    let size = file_system.f_blocks.saturating_mul(file_system.f_frsize);
    if free < FULL_BYTES.min(size / FULL_PART) {
        let remedy = "free some space: a server rejects events while its disk is full";
        Finding::fail(CHECK, text, remedy)
    } else if free < LITTLE_BYTES.min(size / LITTLE_PART) {
        Finding::warn(CHECK, text, "free some space before the disk is full")
    } else {
        Finding::ok(CHECK, text)
    }
}

fn in_use(path: &Path) -> Finding {
    let lock = path.join(LOCK);
    let text = match lock::use_of(&lock) {
        Use::Foreign => {
            return Finding::fail(
                "lock",
                format!("{} is not a file that Tidings made", lock.display()),
                "move it away: a server rejects the directory with it",
            );
        }
        Use::Never => "no server has used it".to_owned(),
        Use::By(pid) => format!("in use by process {pid}"),
        Use::Free(Some(pid)) => format!("not in use; process {pid} was the last to use it"),
        Use::Free(None) => "not in use".to_owned(),
    };
    Finding::ok("lock", text)
}

/// Warns about a missing reserve. A server without one rejects events, unless its `--reserve-bytes` is
/// 0.
fn reserve(path: &Path) -> Option<Finding> {
    let is_used = matches!(lock::use_of(&path.join(LOCK)), Use::By(_));
    let has_store = fs::metadata(path.join(DATABASE)).is_ok_and(|file| file.len() > 0);
    let is_there = fs::metadata(path.join(RESERVE)).is_ok_and(|file| file.len() > 0);
    (is_used && has_store && !is_there).then(|| {
        Finding::warn(
            "reserve",
            "the server keeps no room for a full disk: it was given up, or --reserve-bytes is 0",
            "free some space or delete events: the server makes the reserve again by itself",
        )
    })
}

fn database(path: &Path) -> Finding {
    const CHECK: &str = "database";
    let database = path.join(DATABASE);
    let name = database.display();
    // The server does not follow a link either.
    match fs::symlink_metadata(&database) {
        Ok(file) if !file.is_file() => Finding::fail(
            CHECK,
            format!("{name} is not a file that Tidings made"),
            "move it away, or give another directory",
        ),
        Ok(file) if file.mode() & 0o007 != 0 => Finding::warn(
            CHECK,
            format!("every user can read {name}"),
            format!("chmod o-rwx {name}"),
        ),
        Ok(_) => schema(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Finding::warn(
            CHECK,
            "there is no event store in the directory",
            "start the server with this directory, or restore a backup into it; if there should be \
             one, it is another directory",
        ),
        Err(error) => Finding::fail(
            CHECK,
            format!("could not read {name}: {error}"),
            "run this as the user the server runs as",
        ),
    }
}

/// Checks that Tidings made the database. A trigger or a view could change the result of a query, so
/// the server runs none.
fn schema(path: &Path) -> Finding {
    const CHECK: &str = "database";
    let name = path.join(DATABASE);
    let name = name.display();
    match tidings::sqlite::schema_differences(path) {
        Ok(differences) if differences.is_empty() => Finding::ok(
            CHECK,
            format!("{name}, {} KiB with its log", size(path) / 1024),
        ),
        Ok(differences) => Finding::fail(
            CHECK,
            format!(
                "the schema of {name} was changed: {}",
                differences.join(", ")
            ),
            "find out who changed it; export the events and import them into a new directory",
        ),
        Err(BackupError::NoStore(_)) => Finding::ok(CHECK, format!("{name} is empty")),
        Err(error) => Finding::fail(
            CHECK,
            format!("{name} cannot be read: {}", chain(&error)),
            "run this as the user the server runs as; if the file is damaged, restore a backup",
        ),
    }
}

/// Makes the lists and counts of a store again.
pub(super) fn rebuild(path: &Path) -> Finding {
    const CHECK: &str = "rebuild";
    // Without the check, a mistyped name would become a new store.
    if !path.join(DATABASE).exists() {
        return Finding::fail(
            CHECK,
            format!("there is no event store in {}", path.display()),
            "give the directory that `tidings serve --data-dir` was given",
        );
    }
    match tidings::sqlite::rebuild(path) {
        Ok(()) => Finding::ok(
            CHECK,
            "the lists and counts were made again from the events",
        ),
        Err(error) => Finding::fail(
            CHECK,
            format!(
                "the lists and counts could not be made again: {}",
                chain(&error)
            ),
            "stop the server, and run this as the user the server runs as",
        ),
    }
}

/// The time limit for comparing the counts. With several million events the comparison takes longer and
/// stays incomplete.
const COUNTING_TIME: Duration = Duration::from_secs(10);

/// Compares the counts kept for each user, such as the quota's bytes, and the lists with the events. `None` if the
/// counts are right, if the store has another version, or if the last server was killed; the next start
/// repairs the counts of a killed server.
fn counts(path: &Path) -> Option<Finding> {
    const CHECK: &str = "counts";
    const REBUILD: &str = "stop the server, run `tidings doctor --data-dir DIR --rebuild`, which makes the \
                           counts again from the events, and report this as a bug";
    match tidings::sqlite::audit(path, COUNTING_TIME) {
        Ok(audit) if audit.wrong.is_empty() => (!audit.complete).then(|| {
            let compared = audit.owners;
            Finding::ok(
                CHECK,
                format!("the counts of the first {compared} owners are right"),
            )
        }),
        Ok(audit) => {
            let wrong = audit.wrong.iter().take(3).map(|wrong| {
                let (owner, what) = (wrong.owner, wrong.what);
                format!("{owner} has {} {what} and not {}", wrong.found, wrong.kept)
            });
            Some(Finding::fail(
                CHECK,
                wrong.collect::<Vec<_>>().join(", "),
                REBUILD,
            ))
        }
        Err(AuditError::Version { .. } | AuditError::Unfinished) => None,
        Err(error @ AuditError::Damaged(_)) => Some(Finding::fail(CHECK, chain(&error), REBUILD)),
        Err(error) => Some(Finding::warn(
            CHECK,
            format!("the counts could not be compared: {}", chain(&error)),
            "run this as the user the server runs as",
        )),
    }
}

/// The size of the database with its write-ahead log, which holds the latest events.
fn size(path: &Path) -> u64 {
    let files = FILES.iter().filter(|name| name.starts_with(DATABASE));
    let sizes = files.filter_map(|name| fs::metadata(path.join(name)).ok());
    sizes.map(|file| file.len()).sum()
}

/// Finds files that the server's user cannot open, left by a server that ran as another user. The
/// superuser can open every file, so for the superuser the check asks about the database's owner.
fn strangers(path: &Path) -> Option<Finding> {
    let me = geteuid().as_raw();
    let files = FILES
        .into_iter()
        .filter_map(|name| Some((name, fs::metadata(path.join(name)).ok()?)));
    let database = fs::metadata(path.join(DATABASE)).ok();
    let server = match (me, &database) {
        (0, Some(database)) => database.uid(),
        _ => me,
    };
    let shares = |file: &Metadata| {
        let group = database.as_ref().map(Metadata::gid);
        file.mode() & 0o060 == 0o060 && Some(file.gid()) == group
    };
    let strangers: Vec<_> = files
        .filter(|(name, file)| match me {
            0 => server != 0 && file.uid() != server && !shares(file),
            _ => !can_use(&path.join(name), Access::READ_OK | Access::WRITE_OK),
        })
        .map(|(name, _)| name)
        .collect();
    (!strangers.is_empty()).then(|| {
        Finding::fail(
            "files",
            format!("user {server} cannot use {}", strangers.join(", ")),
            format!("chown -R {server} {}", path.display()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdict_depends_on_the_free_space() {
        let mut file_system = statvfs("/").unwrap();
        file_system.f_flag = StatVfsMountFlags::empty();
        file_system.f_frsize = 4096;
        let (large, small) = (16 * LITTLE_BYTES, FULL_BYTES);
        for (bytes, free_bytes, verdict) in [
            (large, 0, Verdict::Fail),
            (large, FULL_BYTES - 4096, Verdict::Fail),
            (large, FULL_BYTES, Verdict::Warn),
            (large, LITTLE_BYTES, Verdict::Ok),
            (small, small / 16 - 4096, Verdict::Fail),
            (small, small / 16, Verdict::Warn),
            (small, small / 4, Verdict::Ok),
        ] {
            file_system.f_blocks = bytes / 4096;
            file_system.f_bavail = free_bytes / 4096;
            let finding = judge_space(&file_system);
            assert_eq!(finding.verdict, verdict, "{free_bytes}: {finding:?}");
        }
        file_system.f_flag = StatVfsMountFlags::RDONLY;
        assert_eq!(judge_space(&file_system).verdict, Verdict::Fail);
    }
}
