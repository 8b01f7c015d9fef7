//! The data directory: made for its owner only, and locked by one process at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It could not be made or entered.
    #[error("the data directory {} cannot be used", .path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it: a second one would not see the first one's subscribers.
    #[error(
        "the data directory {} is in use by another Tidings{}; stop it, or choose another directory",
        .path.display(),
        .holder.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process that has it, where it could be read.
        holder: Option<u32>,
    },
}

/// A data directory that this process has locked; dropping it unlocks it.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

/// The database's name in its directory.
pub(crate) const DATABASE: &str = "tidings.db";
const LOCK: &str = "lock";
const PROBE: &str = "probe";

/// What the largest event takes with its share of the indexes, and some.
const PROBE_BYTES: usize = 512 * 1024;

const OWNER_ONLY_DIRECTORY: u32 = 0o700;
const OWNER_ONLY_FILE: u32 = 0o600;

impl DataDirectory {
    /// Makes the directory if need be, closes it to others, and locks it.
    pub(crate) fn lock(path: &Path) -> Result<Self, DirectoryError> {
        let unusable = |source| DirectoryError::Unusable {
            path: path.to_owned(),
            source,
        };
        prepare(path).map_err(unusable)?;
        let mut lock = owner_only_file(&path.join(LOCK)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let holder = lock
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| text.trim().parse().ok());
                return Err(DirectoryError::InUse {
                    path: path.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        // Only informs whoever meets the lock; a full disk is no reason not to start.
        let _ = lock.set_len(0).and_then(|()| lock.rewind());
        let _ = writeln!(lock, "{}", std::process::id());
        // SQLite gives its other files the mode of this one.
        owner_only_file(&path.join(DATABASE)).map_err(unusable)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

/// Puts on disk that `path` is where it is.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// Writes as much as an event may need beside the database, and takes it away again.
pub(crate) fn probe(database: &Path) -> io::Result<()> {
    let path = database.with_file_name(PROBE);
    let mut file = owner_only_file(&path)?;
    let written = file
        .write_all(&vec![0; PROBE_BYTES])
        .and_then(|()| file.sync_all());
    fs::remove_file(&path)?;
    written
}

/// A directory that is new, empty or already ours is closed to others. One that holds something
/// else keeps its mode, since others may need to reach that; our files in it are closed anyway.
fn prepare(path: &Path) -> io::Result<()> {
    let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY_DIRECTORY)
        .create(path)?;
    // A new directory is on disk only when its parent is.
    for made in missing {
        sync_parent(made)?;
    }
    let ours = path.join(DATABASE).exists();
    let empty = fs::read_dir(path)?.next().is_none();
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode == OWNER_ONLY_DIRECTORY {
        return Ok(());
    }
    if ours || empty {
        return fs::set_permissions(path, fs::Permissions::from_mode(OWNER_ONLY_DIRECTORY));
    }
    tracing::warn!(
        directory = %path.display(),
        mode = format!("{mode:o}"),
        "the data directory holds other files, so its mode is left as it is"
    );
    Ok(())
}

/// Opens or makes a file that only its owner can read.
pub(crate) fn owner_only_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(OWNER_ONLY_FILE)
        .open(path)
}
