//! A file that is written where no other user can reach it, and appears under its name when complete.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tempfile::TempDir;

use super::volume::sync_parent;

/// The end of the name of an unfinished file's directory, which begins with a full stop and the name of the file.
const SUFFIX: &str = ".partial";

/// A file in a directory of its own beside its target. The name of the directory cannot be guessed, so
/// nobody can have put a link there. Both are removed unless the file is finished.
#[derive(Debug)]
pub(super) struct UnfinishedFile {
    file: File,
    path: PathBuf,
    target: PathBuf,
    // Dropped after the file.
    _directory: TempDir,
}

impl UnfinishedFile {
    /// Creates an unfinished file of `target`.
    pub(super) fn create(target: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(&prefix(target))
            .suffix(SUFFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(folder(target))?;
        let path = directory.path().join("draft");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        Ok(Self {
            file: options.open(&path)?,
            path,
            target: target.to_owned(),
            _directory: directory,
        })
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file, for writing.
    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Syncs the file and gives it the name of its target, which must not exist.
    pub(super) fn finish_new(self) -> io::Result<()> {
        self.file.sync_all()?;
        match renameat_with(CWD, &self.path, CWD, &self.target, RenameFlags::NOREPLACE) {
            // Some file systems do not support this flag. A link never replaces a file either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                fs::hard_link(&self.path, &self.target)?;
            }
            renamed => renamed?,
        }
        sync_parent(&self.target)
    }

    /// Syncs the file and replaces its target.
    pub(super) fn replace(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        sync_parent(&self.target)
    }

    /// Removes the leftovers of drafts of `target` whose process was killed. Only for a target that no other
    /// process can be writing.
    pub(super) fn remove_leftovers(target: &Path) {
        let prefix = prefix(target);
        let Ok(entries) = fs::read_dir(folder(target)) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&prefix) && name.ends_with(SUFFIX) {
                // A leftover that cannot be removed only takes space.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

fn prefix(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default();
    format!(".{}.", name.to_string_lossy())
}

fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_draft_appears_complete_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("target");
        let unfinished = UnfinishedFile::create(&target).unwrap();
        unfinished.file().write_all(b"half").unwrap();
        assert!(!target.exists());
        drop(unfinished);
        assert!(names(place.path()).is_empty());

        let unfinished = UnfinishedFile::create(&target).unwrap();
        unfinished.file().write_all(b"whole").unwrap();
        unfinished.finish_new().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"whole");
        assert_eq!(names(place.path()), ["target"]);
    }

    #[test]
    fn a_new_file_replaces_nothing() {
        let place = tempfile::tempdir().unwrap();
        let (target, other) = (place.path().join("target"), place.path().join("other"));
        fs::write(&other, "precious").unwrap();
        let unfinished = UnfinishedFile::create(&target).unwrap();
        symlink(&other, &target).unwrap();
        let rejected = unfinished.finish_new().unwrap_err();
        assert_eq!(rejected.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&other).unwrap(), b"precious");
        assert_eq!(names(place.path()), ["other", "target"]);
    }

    #[test]
    fn removes_leftovers_of_a_killed_process() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("target");
        fs::create_dir(place.path().join(".target.XYZ.partial")).unwrap();
        fs::create_dir(place.path().join(".other.XYZ.partial")).unwrap();
        UnfinishedFile::remove_leftovers(&target);
        assert_eq!(names(place.path()), [".other.XYZ.partial"]);
    }
}
