//! Access to a data directory, and the owner and mode of its files.
//!
//! A volume does not always belong to the user of the server. Kubernetes mounts it as `root:2000`, mode
//! 2775, for a process of group 2000 (`fsGroup`); `OpenShift` mounts it as `root:root`, mode 0770, for a
//! random user of group 0. So a mode that cannot be changed is not an error.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown, fchown,
};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::geteuid;

use super::data_files::DATABASE;
use super::directory_error::DirectoryError;

/// `mkfs` creates it in the root of a file system. A directory that holds nothing else counts as empty.
const LOST_AND_FOUND: &str = "lost+found";

const MODE: u32 = 0o7777;
const SET_GROUP_ID: u32 = 0o2000;
const GROUP_WRITES: u32 = 0o030;
const OTHERS: u32 = 0o007;
const OTHERS_WRITE: u32 = 0o002;
const ALL_BUT_OWNER: u32 = 0o077;

/// Which users share a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    /// Its owner alone.
    Owner,
    /// The members of its group: the next start can run as another member.
    Group,
}

impl Sharing {
    fn of(directory: &Metadata, user: u32) -> Self {
        let mode = directory.mode();
        // A directory of another user that everyone can write to is not meant for a group.
        let lent = directory.uid() != user && mode & OTHERS_WRITE == 0;
        if mode & GROUP_WRITES == GROUP_WRITES && (lent || mode & SET_GROUP_ID != 0) {
            Self::Group
        } else {
            Self::Owner
        }
    }

    /// The mode of a new directory.
    const fn directory_mode(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Group => 0o770 | SET_GROUP_ID,
        }
    }

    /// The mode of a file in it.
    const fn file_mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group => 0o660,
        }
    }

    /// The mode to which a directory of this mode is restricted.
    const fn tightened(self, mode: u32) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Group => mode & !OTHERS,
        }
    }
}

/// A directory for a store.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    path: PathBuf,
    owner: u32,
    group: u32,
    sharing: Sharing,
}

impl Volume {
    /// Creates the directory if it is missing, and removes the access of other users as far as the file
    /// system allows. Logs one warning if others still have access.
    ///
    /// # Errors
    ///
    /// If the directory cannot be created or entered.
    pub(crate) fn prepare(path: &Path) -> Result<Self, DirectoryError> {
        let user = geteuid().as_raw();
        let unusable = |source| unusable(path, source);
        make(path, user).map_err(unusable)?;
        // SQLite rejects a path with a symbolic link. A link to the directory is the operator's choice.
        let real = path.canonicalize().map_err(unusable)?;
        let directory = fs::metadata(&real).map_err(unusable)?;
        if !directory.is_dir() {
            return Err(unusable(ErrorKind::NotADirectory.into()));
        }
        let sharing = Sharing::of(&directory, user);
        tighten(&real, &directory, sharing).map_err(unusable)?;
        Ok(Self {
            path: real,
            owner: directory.uid(),
            group: directory.gid(),
            sharing,
        })
    }

    /// The path of one of its files, without a symbolic link in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens or creates one of its files for reading and writing. It follows no link and waits for no pipe
    /// that another user put there.
    ///
    /// # Errors
    ///
    /// If the file is not a regular file, or this process may not use it.
    pub(crate) fn open(&self, name: &str) -> Result<File, DirectoryError> {
        let path = self.file(name);
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        options.custom_flags(i32::try_from(flags.bits()).expect("flags of open fit an int"));
        let found = match options.open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let new = options
                    .create_new(true)
                    .mode(self.sharing.file_mode())
                    .open(&path);
                let new = new.map_err(|error| unusable(&self.path, error))?;
                self.adopt(&new);
                return Ok(new);
            }
            found => found,
        };
        let file = found.map_err(|error| self.fault_of(&path, error))?;
        let metadata = file.metadata().map_err(|error| unusable(&path, error))?;
        if !metadata.is_file() {
            return Err(DirectoryError::Planted { path });
        }
        let mode = metadata.mode() & MODE;
        let tightened = mode & self.sharing.file_mode();
        if mode != tightened {
            // Fails if the file belongs to another user, who has to restrict it.
            let _ = file.set_permissions(Permissions::from_mode(tightened));
        }
        Ok(file)
    }

    /// Rejects anything but a regular file under a name that SQLite will open.
    pub(crate) fn check(&self, name: &str) -> Result<(), DirectoryError> {
        let path = self.file(name);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(()),
            Ok(_) => Err(DirectoryError::Planted { path }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(unusable(&path, error)),
        }
    }

    /// Gives a new file the mode of the directory's files. A file that the superuser created gets the
    /// directory's owner, because the next server runs as that user.
    pub(crate) fn adopt(&self, file: &File) {
        let user = geteuid().as_raw();
        // If this fails, the file belongs to this process, which can use it.
        if user == 0 && self.owner != 0 {
            let _ = fchown(file, Some(self.owner), Some(self.group));
        } else if self.sharing == Sharing::Group {
            let _ = fchown(file, None, Some(self.group));
        }
        // The process's mask has restricted the mode of the new file.
        let _ = file.set_permissions(Permissions::from_mode(self.sharing.file_mode()));
    }

    fn fault_of(&self, path: &Path, error: io::Error) -> DirectoryError {
        let found = fs::symlink_metadata(path);
        match found {
            Ok(file) if !file.is_file() => DirectoryError::Planted {
                path: path.to_owned(),
            },
            Ok(file) if error.kind() == ErrorKind::PermissionDenied => DirectoryError::Foreign {
                path: path.to_owned(),
                owner: file.uid(),
                group: file.gid(),
                mode: file.mode() & MODE,
                user: geteuid().as_raw(),
                source: error,
            },
            _ => unusable(&self.path, error),
        }
    }
}

/// Creates a directory and its parents. In a directory that a group shares, the new ones are shared, too.
/// Directories that the superuser creates for another user belong to that user.
fn make(path: &Path, user: u32) -> io::Result<()> {
    let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
    let Some(topmost) = missing.last() else {
        return Ok(());
    };
    let parent = match topmost.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let parent = fs::metadata(parent)?;
    let sharing = Sharing::of(&parent, user);
    DirBuilder::new()
        .recursive(true)
        .mode(sharing.directory_mode())
        .create(path)?;
    for made in missing {
        if user == 0 && parent.uid() != 0 {
            let _ = chown(made, Some(parent.uid()), Some(parent.gid()));
        }
        let mode = Permissions::from_mode(sharing.directory_mode());
        let _ = fs::set_permissions(made, mode);
        // A new directory is durable once its parent is synced.
        sync_parent(made)?;
    }
    Ok(())
}

/// Removes the access of others to a directory that is empty or holds only our files. A directory with
/// other files keeps its mode, since other users may need them; our files have their own mode.
fn tighten(path: &Path, directory: &Metadata, sharing: Sharing) -> io::Result<()> {
    let mode = directory.mode() & MODE;
    let wanted = sharing.tightened(mode);
    if mode & 0o777 == wanted & 0o777 && mode & ALL_BUT_OWNER == 0 {
        return Ok(());
    }
    let ours = path.join(DATABASE).exists();
    let mut entries = fs::read_dir(path)?;
    let empty = entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == LOST_AND_FOUND));
    let rejected = if !ours && !empty {
        Some("it holds other files".to_owned())
    } else if mode & 0o777 == wanted & 0o777 {
        None
    } else {
        let changed = fs::set_permissions(path, Permissions::from_mode(wanted));
        changed.err().map(|error| error.to_string())
    };
    // Some file systems accept a mode without an error and do not keep it.
    let mode = fs::metadata(path)?.mode() & MODE;
    if mode & ALL_BUT_OWNER == 0 {
        return Ok(());
    }
    let (directory, owner, group) = (path.display(), directory.uid(), directory.gid());
    let mode = format!("{mode:o}");
    let unchanged = rejected.as_deref().unwrap_or("it is shared with its group");
    tracing::warn!(
        %directory,
        owner,
        group,
        mode,
        unchanged,
        "users other than the server's can reach the data directory; its mode is left as it is"
    );
    Ok(())
}

/// Syncs the directory entry of `path`. Some network file systems cannot sync a directory, and a directory
/// without read permission cannot be opened; then it does nothing.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if is_condition(&error) => {
            tracing::debug!(directory = %folder.display(), %error, "could not sync a directory");
            Ok(())
        }
        synced => synced,
    }
}

/// Whether the file system does not support an operation, as opposed to failing at it.
fn is_condition(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::ACCESS | Errno::PERM | Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::ROFS
        )
    )
}

/// The advice for a directory that cannot be used.
pub(crate) fn unusable(path: &Path, source: io::Error) -> DirectoryError {
    let user = geteuid().as_raw();
    let remedy = match source.kind() {
        ErrorKind::PermissionDenied => {
            let whose = match fs::metadata(path) {
                Ok(found) => format!(
                    "it belongs to user {} and group {} with mode {:o}; ",
                    found.uid(),
                    found.gid(),
                    found.mode() & MODE
                ),
                Err(_) => String::new(),
            };
            format!(
                "{whose}let user {user} write to it, by its owner or by a group \
                 (in Kubernetes: securityContext.fsGroup), or choose another directory"
            )
        }
        ErrorKind::ReadOnlyFilesystem => {
            "choose a directory on a volume that can be written".to_owned()
        }
        _ => "choose another directory".to_owned(),
    };
    DirectoryError::Unusable {
        path: path.to_owned(),
        remedy,
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & MODE
    }

    fn with_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn removes_access_to_its_own_directory() {
        let place = tempfile::tempdir().unwrap();
        for (before, after, file) in [
            (0o755, 0o700, 0o600),
            (0o777, 0o700, 0o600),
            // A set-group-ID bit shares it with a group.
            (0o2775, 0o2770, 0o660),
            (0o2770, 0o2770, 0o660),
            // Members of the group cannot write, so it is not shared with them.
            (0o2755, 0o700, 0o600),
        ] {
            let path = place.path().join(format!("{before:o}"));
            fs::create_dir(&path).unwrap();
            fs::create_dir(path.join(LOST_AND_FOUND)).unwrap();
            with_mode(&path, before);
            let volume = Volume::prepare(&path).unwrap();
            // The kernel can drop or keep a set-group-ID bit that was not requested.
            assert_eq!(mode_of(&path) & 0o777, after & 0o777, "{before:o}");
            volume.open("file").unwrap();
            assert_eq!(mode_of(&path.join("file")), file, "{before:o}");
        }
    }

    #[test]
    fn keeps_the_mode_of_a_directory_with_other_files() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("notes"), "").unwrap();
        with_mode(place.path(), 0o755);
        let volume = Volume::prepare(place.path()).unwrap();
        assert_eq!(mode_of(place.path()), 0o755);
        volume.open("file").unwrap();
        assert_eq!(mode_of(&place.path().join("file")), 0o600);
    }

    #[test]
    fn restricts_a_file_of_an_earlier_start() {
        let place = tempfile::tempdir().unwrap();
        let volume = Volume::prepare(place.path()).unwrap();
        let path = place.path().join("file");
        fs::write(&path, "").unwrap();
        with_mode(&path, 0o644);
        volume.open("file").unwrap();
        assert_eq!(mode_of(&path), 0o600);
    }

    #[test]
    fn follows_no_link_and_waits_for_no_pipe() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("target");
        fs::write(&target, "precious").unwrap();
        let path = place.path().join("data");
        fs::create_dir(&path).unwrap();
        symlink(&target, path.join("link")).unwrap();
        symlink(place.path().join("missing"), path.join("dangling")).unwrap();
        fs::create_dir(path.join("directory")).unwrap();
        let fifo = path.join("fifo");
        let mode = rustix::fs::Mode::from(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let volume = Volume::prepare(&path).unwrap();
        for name in ["link", "dangling", "directory", "fifo"] {
            for rejected in [volume.open(name).map(drop), volume.check(name)] {
                assert!(
                    matches!(&rejected, Err(DirectoryError::Planted { path }) if path.ends_with(name)),
                    "{name}: {rejected:?}"
                );
            }
        }
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert!(!place.path().join("missing").exists());
    }

    #[test]
    fn follows_a_link_to_the_directory() {
        let place = tempfile::tempdir().unwrap();
        let real = place.path().join("real");
        fs::create_dir(&real).unwrap();
        let link = place.path().join("link");
        symlink(&real, &link).unwrap();
        let volume = Volume::prepare(&link).unwrap();
        assert!(volume.file("file").ends_with("real/file"));
    }
}
