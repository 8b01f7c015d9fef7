//! The configuration of an engine.

use std::path::PathBuf;

use tidings_event::Limits;

use crate::clock::Clock;
use crate::retention::Retention;

/// The configuration of an engine, for [`Tidings::open`](crate::Tidings::open).
///
/// ```
/// use tidings::{Config, Reserve, Retention};
///
/// let config = Config::new("./tidings-data")
///     .with_retention(Retention::default().with_owner_events(10_000))
///     .with_reserve(Reserve::Automatic);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The directory of the store. The engine creates it with mode 0700 if it does not exist.
    pub data_dir: PathBuf,
    /// The maximum sizes of an event and of a batch.
    pub limits: Limits,
    /// The maximum size of one window in bytes: the newest frames of a feed, kept in memory for subscribers
    /// that are a little behind. A subscriber that is further behind reads the store. 1 MiB by default.
    pub window_bytes: usize,
    /// The approximate maximum of bytes of JSON that one read of a page returns; always at least one event.
    /// A page that can end early ends there. 1 MiB by default.
    pub page_bytes: usize,
    /// Which events are kept, and for how long.
    pub retention: Retention,
    /// The maximum bytes of the events of one owner, for events that the owner publishes. Other publishers
    /// can store up to twice as much. The system has no maximum. `None`, the default, sets no maximum.
    pub owner_bytes: Option<u64>,
    /// The disk space that is kept free, so that events can be deleted when the disk is full.
    pub reserve: Reserve,
    /// The most events of an owner that are in none of the lists in the store yet. Every value stores the same;
    /// tests choose small ones.
    #[doc(hidden)]
    pub newest_events: usize,
    /// The source of the time. Tests set a [`ManualClock`](crate::ManualClock).
    pub clock: Clock,
}

/// The disk space that is kept free, so that marking, deleting and retention work when the disk is full. The
/// engine refuses new events while less is free.
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

impl Config {
    /// 1 MiB, which is a few thousand events.
    pub const DEFAULT_WINDOW_BYTES: usize = 1024 * 1024;

    /// 1 MiB, which is a thousand events with a line or two of metadata.
    pub const DEFAULT_PAGE_BYTES: usize = 1024 * 1024;

    /// 256 MiB, for a server on which users publish to themselves: about 300,000 events with a sentence
    /// each.
    pub const DEFAULT_OWNER_BYTES: u64 = 256 * 1024 * 1024;

    /// 64: an event takes about 30 bytes, so that the row of an owner stays below a page of the store.
    #[doc(hidden)]
    pub const DEFAULT_NEWEST_EVENTS: usize = 64;

    /// The default configuration with its store in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            limits: Limits::default(),
            window_bytes: Self::DEFAULT_WINDOW_BYTES,
            page_bytes: Self::DEFAULT_PAGE_BYTES,
            retention: Retention::default(),
            owner_bytes: None,
            reserve: Reserve::Nothing,
            newest_events: Self::DEFAULT_NEWEST_EVENTS,
            clock: Clock::default(),
        }
    }

    /// Sets the maximum sizes of an event and of a batch.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the maximum size of one window in bytes.
    #[must_use]
    pub fn with_window_bytes(mut self, bytes: usize) -> Self {
        self.window_bytes = bytes;
        self
    }

    /// Sets [`Config::newest_events`].
    #[doc(hidden)]
    #[must_use]
    pub const fn with_newest_events(mut self, number: usize) -> Self {
        self.newest_events = number;
        self
    }

    /// Sets the approximate maximum of bytes that one read of a page returns.
    #[must_use]
    pub fn with_page_bytes(mut self, bytes: usize) -> Self {
        self.page_bytes = bytes;
        self
    }

    /// Sets which events are kept, and for how long.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Sets the maximum bytes of the events of one owner.
    #[must_use]
    pub fn with_owner_bytes(mut self, bytes: u64) -> Self {
        self.owner_bytes = Some(bytes);
        self
    }

    /// Sets the disk space that is kept free.
    #[must_use]
    pub fn with_reserve(mut self, reserve: Reserve) -> Self {
        self.reserve = reserve;
        self
    }

    /// Sets the source of the time.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}
