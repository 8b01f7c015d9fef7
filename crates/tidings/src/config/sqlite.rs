//! The configuration of a store in SQLite.

use std::path::PathBuf;

/// A store in SQLite: one database in a directory of its own, for one process at a time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// The directory of the store. The engine creates it with mode 0700 if it does not exist.
    pub data_dir: PathBuf,
    /// The disk space that is kept free, so that events can be deleted when the disk is full.
    pub reserve: Reserve,
    /// The most events of an owner that are in none of the lists in the store yet. Every value stores the same;
    /// tests choose small ones.
    #[doc(hidden)]
    pub newest_events: usize,
}

/// The disk space that is kept free, so that marking, deleting and retention work when the disk is full. The
/// engine rejects new events while less is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reserve {
    /// None. If the disk is full, the engine cannot delete events.
    #[default]
    Nothing,
    /// 64 MiB, or a sixteenth of the file system if that is less.
    Automatic,
    /// This many bytes twice: in a file of this size, and as free space.
    Bytes(u64),
}

impl SqliteConfig {
    /// 64: an event takes about 30 bytes, so that the row of an owner stays below a page of the store.
    #[doc(hidden)]
    pub const DEFAULT_NEWEST_EVENTS: usize = 64;

    /// The default configuration of a store in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            reserve: Reserve::Nothing,
            newest_events: Self::DEFAULT_NEWEST_EVENTS,
        }
    }

    /// Sets the disk space that is kept free.
    #[must_use]
    pub const fn with_reserve(mut self, reserve: Reserve) -> Self {
        self.reserve = reserve;
        self
    }

    /// Sets [`SqliteConfig::newest_events`].
    #[doc(hidden)]
    #[must_use]
    pub const fn with_newest_events(mut self, number: usize) -> Self {
        self.newest_events = number;
        self
    }
}
