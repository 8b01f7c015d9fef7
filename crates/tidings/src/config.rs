//! How an engine is set up.

use std::path::PathBuf;

use tidings_event::Limits;

use crate::clock::Clock;
use crate::retention::Retention;

/// What [`Tidings::open`](crate::Tidings::open) needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the events are kept. Made when it is missing, with mode 0700.
    pub data_dir: PathBuf,
    /// The sizes an event and a batch must keep to.
    pub limits: Limits,
    /// The most bytes of frames kept in memory for the subscribers of one owner that are a little
    /// behind. Those that are further behind read the store.
    pub window_bytes: usize,
    /// About the most bytes of events' JSON that are read at once for a page of the list; always at
    /// least one event. A page that may end early has no more than these.
    pub page_bytes: usize,
    /// What is kept, and for how long.
    pub retention: Retention,
    /// How many bytes the events of one owner may take that the owner publishes, and half of those that
    /// anybody does; `None` sets no limit. The system's are not limited by this.
    pub owner_bytes: Option<u64>,
    /// How much of the disk is kept for what must work when it is full.
    pub reserve: Reserve,
    /// Where the time is read; tests give a [`ManualClock`](crate::ManualClock).
    pub clock: Clock,
}

/// What is kept of the disk, so that marking, deleting and retention work when it is full. Events are
/// refused before, while as much is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reserve {
    /// Nothing: a disk that is full cannot be emptied through the engine.
    #[default]
    Nothing,
    /// 64 MiB, or a sixteenth of a smaller file system.
    Automatic,
    /// So many bytes, twice: a file of this size, and as much that is free.
    Bytes(u64),
}

impl Config {
    /// 1 MiB: a few thousand events.
    pub const DEFAULT_WINDOW_BYTES: usize = 1024 * 1024;

    /// 1 MiB: a thousand events with a line or two of metadata.
    pub const DEFAULT_PAGE_BYTES: usize = 1024 * 1024;

    /// 256 MiB, for a server on which users publish to themselves: some 300,000 events with a sentence
    /// each.
    pub const DEFAULT_OWNER_BYTES: u64 = 256 * 1024 * 1024;

    /// The default set-up with its data in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            limits: Limits::default(),
            window_bytes: Self::DEFAULT_WINDOW_BYTES,
            page_bytes: Self::DEFAULT_PAGE_BYTES,
            retention: Retention::default(),
            owner_bytes: None,
            reserve: Reserve::Nothing,
            clock: Clock::default(),
        }
    }
}
