//! A watched file with keys or revocations.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use crate::watched_files::{Loaded, WatchedFiles};

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) struct FileFault(pub(super) Box<dyn Error + Send + Sync>);

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for FileFault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// The file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("it cannot be read")]
struct Unreadable(#[source] io::Error);

pub(super) type TokenFile = WatchedFiles<1, FileFault>;

/// Reads a file for the first time. `take` gets its contents now, and again after each change.
pub(super) fn open_file(
    path: &Path,
    what: &'static str,
    limit: u64,
    mut take: impl FnMut(Loaded) -> Result<(), Box<dyn Error + Send + Sync>> + Send + 'static,
) -> Result<TokenFile, FileFault> {
    WatchedFiles::open([path.to_owned()], what, limit, move |[file]| {
        let loaded = file.map_err(|error| FileFault(Unreadable(error).into()))?;
        take(loaded).map_err(FileFault)
    })
}
