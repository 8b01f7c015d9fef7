//! Files that are read again when they change, so that keys are exchanged and tokens revoked without a
//! restart.

use std::fmt;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use secrecy::zeroize::Zeroizing;
use tokio::time::MissedTickBehavior;

use super::jwks::JwksFault;
use super::revocation_list::ListFault;
use super::secret::ShortSecret;
use crate::error_chain::chain;
use crate::regular_file;

/// How often it is looked whether a file has changed: twice within the second in which a revocation has
/// to be felt.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A file that changed less long ago is read again although nothing tells that it changed since: two
/// changes within a tick of the file system's clock look like one.
const UNSETTLED: Duration = Duration::from_secs(2);

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It cannot be read.
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    /// It is larger than what can be in it.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// How large it may be.
        limit: u64,
    },
    /// The secret in it is too short.
    #[error(transparent)]
    Secret(#[from] ShortSecret),
    /// It holds no keys.
    #[error(transparent)]
    Jwks(#[from] JwksFault),
    /// It is no list of revoked tokens.
    #[error(transparent)]
    List(#[from] ListFault),
}

/// The contents of a file, wiped when they are dropped.
pub(super) type Contents = Zeroizing<Vec<u8>>;

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
///
/// [`FileFault::Io`] and [`FileFault::TooLarge`].
pub(super) fn read(path: &Path, limit: u64) -> Result<(Contents, Metadata), FileFault> {
    let (file, metadata) = regular_file::open(path)?;
    let expected = usize::try_from(metadata.len().min(limit)).unwrap_or_default();
    // With room for all, so that growing leaves no copies of a secret behind.
    let mut contents = Zeroizing::new(Vec::with_capacity(expected + 1));
    file.take(limit + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > limit {
        return Err(FileFault::TooLarge { limit });
    }
    Ok((contents, metadata))
}

/// By what a change of a file is noticed. A file that is replaced has another inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    changed: (i64, i64),
    bytes: u64,
    place: (u64, u64),
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            bytes: metadata.len(),
            place: (metadata.dev(), metadata.ino()),
        }
    }
}

/// What is done with the contents of a file.
type Take = Box<dyn FnMut(Contents, &Metadata) -> Result<(), FileFault> + Send>;

/// A file, what it was when it was last read, and what is done with it.
pub(super) struct WatchedFile {
    path: PathBuf,
    /// What it is to the operator.
    what: &'static str,
    limit: u64,
    take: Take,
    seen: Option<Stamp>,
    unsettled: bool,
    /// Tells whether the contents are the same; none when they could not be read.
    digest: Option<u64>,
    /// What was last logged about it; none while it is good.
    fault: Option<String>,
}

impl WatchedFile {
    /// Reads a file for the first time.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is larger than `limit` bytes, or is refused by `take`.
    pub(super) fn open(
        path: &Path,
        what: &'static str,
        limit: u64,
        take: impl FnMut(Contents, &Metadata) -> Result<(), FileFault> + Send + 'static,
    ) -> Result<Self, FileFault> {
        let mut file = Self {
            path: path.to_owned(),
            what,
            limit,
            take: Box::new(take),
            seen: None,
            unsettled: false,
            digest: None,
            fault: None,
        };
        file.read_changed()?;
        Ok(file)
    }

    /// Reads the file if it has changed. What cannot be used is logged once, and changes nothing.
    fn look(&mut self) {
        let fault = match self.read_changed() {
            Ok(Read::Unchanged) => return,
            Ok(Read::Taken) => None,
            Err(fault) => Some(chain(&fault)),
        };
        if fault == self.fault {
            return;
        }
        let (what, file) = (self.what, self.path.display());
        match &fault {
            Some(cause) => tracing::error!(
                %file,
                cause,
                "the {what} cannot be used any more; what was last read of it still counts"
            ),
            None => tracing::info!(%file, "the {what} can be used again"),
        }
        self.fault = fault;
    }

    fn read_changed(&mut self) -> Result<Read, FileFault> {
        let stamp = std::fs::metadata(&self.path).map(|metadata| Stamp::from(&metadata));
        // Else it is opened, and says why not.
        if let Ok(stamp) = stamp
            && self.seen == Some(stamp)
            && !self.unsettled
        {
            return Ok(Read::Unchanged);
        }
        let read = read(&self.path, self.limit);
        self.seen = stamp.ok();
        let is_recent = |stamp: Stamp| is_recent(stamp.changed) || is_recent(stamp.modified);
        self.unsettled = self.seen.is_some_and(is_recent);
        let digest = read.as_ref().ok().map(|(contents, _)| digest(contents));
        let is_known = digest.is_some() && digest == self.digest;
        self.digest = digest;
        let (contents, metadata) = read?;
        if is_known {
            return Ok(Read::Unchanged);
        }
        (self.take)(contents, &metadata)?;
        Ok(Read::Taken)
    }
}

fn digest(contents: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    contents.hash(&mut hasher);
    hasher.finish()
}

/// What came of looking at a file.
enum Read {
    Unchanged,
    Taken,
}

/// Whether a time is so close to now that another change may bear the same.
fn is_recent((seconds, nanoseconds): (i64, i64)) -> bool {
    let (Ok(seconds), Ok(nanoseconds)) = (u64::try_from(seconds), u32::try_from(nanoseconds))
    else {
        return false;
    };
    let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds);
    // A time in the future may come about again too.
    time.elapsed().map_or(true, |age| age < UNSETTLED)
}

impl fmt::Debug for WatchedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedFile")
            .field("path", &self.path)
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

/// Looks at the files again and again, until the task is aborted.
pub(super) async fn watch(mut files: Vec<WatchedFile>) {
    let mut interval = tokio::time::interval(LOOK_EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let looked = tokio::task::spawn_blocking(move || {
            files.iter_mut().for_each(WatchedFile::look);
            files
        });
        files = match looked.await {
            Ok(files) => files,
            // The runtime ends.
            Err(error) if error.is_cancelled() => return,
            Err(error) => {
                tracing::error!(%error, "changes of the keys' files go unnoticed until a restart");
                return;
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A watched file, and what was taken of it.
    fn watched(path: &Path) -> (WatchedFile, Arc<Mutex<Vec<String>>>) {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let file = WatchedFile::open(path, "test", 8, {
            let taken = Arc::clone(&taken);
            move |contents, _| {
                if *contents == b"bad" {
                    return Err(ShortSecret { bytes: 3 }.into());
                }
                let text = String::from_utf8(contents.to_vec()).unwrap();
                taken.lock().unwrap().push(text);
                Ok(())
            }
        });
        (file.unwrap(), taken)
    }

    fn last(taken: &Mutex<Vec<String>>) -> String {
        taken.lock().unwrap().last().unwrap().clone()
    }

    #[test]
    fn a_changed_file_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let (mut file, taken) = watched(&path);
        assert_eq!(last(&taken), "one");
        // Of the same length and, likely, at the same time.
        std::fs::write(&path, "two").unwrap();
        file.look();
        assert_eq!(last(&taken), "two");
        let new = directory.path().join("new");
        std::fs::write(&new, "six").unwrap();
        std::fs::rename(&new, &path).unwrap();
        file.look();
        assert_eq!(last(&taken), "six");
    }

    #[test]
    fn a_file_that_stays_the_same_is_taken_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let (mut file, taken) = watched(&path);
        file.look();
        file.unsettled = false;
        file.look();
        std::fs::write(&path, "one").unwrap();
        file.look();
        assert_eq!(taken.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_bad_file_changes_nothing_and_is_told_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let (mut file, taken) = watched(&path);
        let mut faults = Vec::new();
        for change in [Some("bad"), Some("far too long"), None] {
            match change {
                Some(text) => std::fs::write(&path, text).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            file.look();
            faults.push(file.fault.clone().unwrap());
            file.look();
            assert_eq!(faults.last(), file.fault.as_ref());
        }
        assert!(faults[0].contains("too short"), "{faults:?}");
        assert!(faults[1].contains("larger than 8"), "{faults:?}");
        assert!(
            faults[2].contains("cannot be read: No such file"),
            "{faults:?}"
        );
        assert_eq!(*taken.lock().unwrap(), ["one"]);
        std::fs::write(&path, "one").unwrap();
        file.look();
        assert_eq!((file.fault.clone(), taken.lock().unwrap().len()), (None, 2));
    }

    #[test]
    fn a_file_that_is_not_there_cannot_be_opened() {
        let directory = tempfile::tempdir().unwrap();
        let opened = WatchedFile::open(&directory.path().join("x"), "test", 8, |_, _| Ok(()));
        assert!(matches!(opened, Err(FileFault::Io(_))), "{opened:?}");
    }
}
