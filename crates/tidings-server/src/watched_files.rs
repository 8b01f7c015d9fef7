//! Files that are read again when they change, so that certificates and keys are replaced and tokens
//! revoked without a restart.
//!
//! The files are polled twice a second. `inotify` would miss changes on network file systems and behind
//! the symbolic links of mounted secrets.

mod stamp;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::time::MissedTickBehavior;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use crate::error_chain::chain;
use crate::regular_file;
use crate::vitals::{Part, Vitals};
use stamp::Stamp;

/// The time between two polls. A revocation must take effect within a second.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The contents of a file, wiped when they are dropped.
pub(crate) type Contents = Zeroizing<Vec<u8>>;

/// A file as it was read.
pub(crate) struct Loaded {
    pub(crate) contents: Contents,
    pub(crate) metadata: Metadata,
}

/// A file has more bytes than its kind can have.
#[derive(Debug, thiserror::Error)]
#[error("it is larger than {limit} bytes")]
struct TooLarge {
    limit: u64,
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
///
/// If the file cannot be read, is not a regular file, or is larger.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Loaded> {
    let (file, metadata) = regular_file::open(path)?;
    let expected = usize::try_from(metadata.len().min(limit)).unwrap_or_default();
    // With room for all bytes, so that growing leaves no copies of a secret behind.
    let mut contents = Zeroizing::new(Vec::with_capacity(expected + 1));
    file.take(limit + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > limit {
        let error = TooLarge { limit };
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, error));
    }
    Ok(Loaded { contents, metadata })
}

/// Applies the contents of the files.
type Take<const N: usize, E> = Box<dyn FnMut([io::Result<Loaded>; N]) -> Result<(), E> + Send>;

/// Files that belong together, such as a certificate and its key.
pub(crate) struct WatchedFiles<const N: usize, E> {
    paths: [PathBuf; N],
    /// Their name in the log.
    what: &'static str,
    limit: u64,
    take: Take<N, E>,
    /// The stamps at the last read; none of a file that is missing.
    seen: [Option<Stamp>; N],
    unsettled: bool,
    /// Shows whether the contents are the same; none if they could not be read.
    digest: Option<u64>,
    /// Files in this state were rejected once. Several files are seldom replaced in one moment, so they
    /// are read a second time before the rejection is logged.
    doubted: Option<[Option<Stamp>; N]>,
    /// The fault that was last logged; none while the files are good.
    fault: Option<String>,
}

/// The outcome of a poll.
enum Polled {
    Unchanged,
    Taken,
}

impl<const N: usize, E: Error + 'static> WatchedFiles<N, E> {
    /// Reads the files for the first time.
    ///
    /// # Errors
    ///
    /// If `take` rejects them.
    pub(crate) fn open(
        paths: [PathBuf; N],
        what: &'static str,
        limit: u64,
        take: impl FnMut([io::Result<Loaded>; N]) -> Result<(), E> + Send + 'static,
    ) -> Result<Self, E> {
        let mut files = Self {
            paths,
            what,
            limit,
            take: Box::new(take),
            seen: [None; N],
            unsettled: true,
            digest: None,
            doubted: None,
            fault: None,
        };
        files.read_changed()?;
        Ok(files)
    }

    /// Reads the files if one has changed. Files that are rejected are logged once and change nothing.
    fn poll(&mut self) {
        let fault = match self.read_changed() {
            Ok(Polled::Unchanged) => return,
            Ok(Polled::Taken) => None,
            Err(_) if N > 1 && self.doubted != Some(self.seen) => {
                self.doubted = Some(self.seen);
                self.unsettled = true;
                self.digest = None;
                return;
            }
            Err(fault) => Some(chain(&fault)),
        };
        self.doubted = None;
        let (what, file) = (self.what, self.paths[0].display());
        match &fault {
            None => tracing::info!(what, %file, "reloaded a changed file"),
            Some(_) if fault == self.fault => {}
            Some(cause) => tracing::error!(
                what,
                %file,
                cause,
                "could not reload a changed file; its last good contents stay in use"
            ),
        }
        self.fault = fault;
    }

    fn read_changed(&mut self) -> Result<Polled, E> {
        let stamps = self.paths.each_ref().map(|path| {
            let metadata = std::fs::metadata(path).ok();
            metadata.as_ref().map(Stamp::from)
        });
        // A file without metadata is opened for the reason.
        if self.seen == stamps && stamps.iter().all(Option::is_some) && !self.unsettled {
            return Ok(Polled::Unchanged);
        }
        let read = self.paths.each_ref().map(|path| read(path, self.limit));
        self.seen = stamps;
        self.unsettled = stamps.into_iter().flatten().any(Stamp::is_recent);
        let digest = digest(&read);
        let is_known = digest.is_some() && digest == self.digest;
        self.digest = digest;
        if is_known {
            return Ok(Polled::Unchanged);
        }
        (self.take)(read)?;
        Ok(Polled::Taken)
    }
}

fn digest(read: &[io::Result<Loaded>]) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    for loaded in read {
        loaded.as_ref().ok()?.contents.hash(&mut hasher);
    }
    Some(hasher.finish())
}

impl<const N: usize, E> fmt::Debug for WatchedFiles<N, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedFiles")
            .field("paths", &self.paths)
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

/// Polls the files until the handle is dropped. `vitals` notes a panic, after which changes are not noticed.
///
/// # Panics
///
/// Outside of a Tokio runtime.
pub(crate) fn watch<const N: usize, E: Error + 'static>(
    files: Vec<WatchedFiles<N, E>>,
    vitals: &Vitals,
) -> AbortOnDropHandle<()> {
    let polling = vitals.watch(Part::Files, keep_polling(files));
    let polling = polling.instrument(tracing::info_span!("watched_files"));
    AbortOnDropHandle::new(tokio::spawn(polling))
}

async fn keep_polling<const N: usize, E: Error + 'static>(
    mut files: Vec<WatchedFiles<N, E>>,
) -> Infallible {
    let mut interval = tokio::time::interval(POLL_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        // A file system can be slow.
        let polled = tokio::task::spawn_blocking(move || {
            files.iter_mut().for_each(WatchedFiles::poll);
            files
        });
        files = match polled.await {
            Ok(files) => files,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime ends.
                Err(_) => std::future::pending().await,
            },
        };
    }
}
