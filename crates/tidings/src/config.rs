//! The configuration of an engine.

mod bus;
#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

use tidings_event::Limits;

use crate::clock::Clock;
use crate::retention::Retention;
pub use bus::BusConfig;
#[cfg(feature = "nats")]
pub use bus::NatsConfig;
#[cfg(feature = "postgres")]
pub use postgres::PostgresConfig;
pub use sqlite::{Reserve, SqliteConfig};

/// The configuration of an engine, for [`Tidings::open`](crate::Tidings::open).
///
/// ```
/// use tidings::{Config, Reserve, Retention, SqliteConfig};
///
/// let store = SqliteConfig::new("./tidings-data").with_reserve(Reserve::Automatic);
/// let config = Config::for_store(store)
///     .with_retention(Retention::default().with_owner_events(10_000));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where the events are stored.
    pub store: StoreConfig,
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
    /// How this node tells the other nodes of a shared store what it commits. None by default.
    pub bus: BusConfig,
    /// How often the feeds with subscribers are compared with a shared store, which finds what the bus has lost.
    /// 5 seconds by default.
    pub heads_interval: Duration,
    /// The source of the time. Tests set a [`ManualClock`](crate::ManualClock).
    pub clock: Clock,
}

/// Where the events are stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreConfig {
    /// In SQLite, for one process.
    Sqlite(SqliteConfig),
    /// In PostgreSQL, for any number of processes.
    #[cfg(feature = "postgres")]
    Postgres(PostgresConfig),
}

impl From<SqliteConfig> for StoreConfig {
    fn from(config: SqliteConfig) -> Self {
        Self::Sqlite(config)
    }
}

#[cfg(feature = "postgres")]
impl From<PostgresConfig> for StoreConfig {
    fn from(config: PostgresConfig) -> Self {
        Self::Postgres(config)
    }
}

impl Config {
    /// 1 MiB, which is a few thousand events.
    pub const DEFAULT_WINDOW_BYTES: usize = 1024 * 1024;

    /// 1 MiB, which is a thousand events with a line or two of metadata.
    pub const DEFAULT_PAGE_BYTES: usize = 1024 * 1024;

    /// 256 MiB, for a server on which users publish to themselves: about 300,000 events with a sentence
    /// each.
    pub const DEFAULT_OWNER_BYTES: u64 = 256 * 1024 * 1024;

    /// 5 seconds: it bounds the delay of an event on other nodes while the bus is down.
    pub const DEFAULT_HEADS_INTERVAL: Duration = Duration::from_secs(5);

    /// The default configuration, with a store in SQLite in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self::for_store(SqliteConfig::new(data_dir))
    }

    /// The default configuration, with this store.
    pub fn for_store(store: impl Into<StoreConfig>) -> Self {
        Self {
            store: store.into(),
            limits: Limits::default(),
            window_bytes: Self::DEFAULT_WINDOW_BYTES,
            page_bytes: Self::DEFAULT_PAGE_BYTES,
            retention: Retention::default(),
            owner_bytes: None,
            bus: BusConfig::None,
            heads_interval: Self::DEFAULT_HEADS_INTERVAL,
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

    /// Sets how this node tells the other nodes of a shared store what it commits.
    #[must_use]
    pub fn with_bus(mut self, bus: BusConfig) -> Self {
        self.bus = bus;
        self
    }

    /// Sets how often the feeds with subscribers are compared with a shared store.
    #[must_use]
    pub const fn with_heads_interval(mut self, interval: Duration) -> Self {
        self.heads_interval = interval;
        self
    }

    /// Sets the source of the time.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}
