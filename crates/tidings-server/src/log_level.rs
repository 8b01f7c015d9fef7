//! The level of the log, and a handle that changes it at run time.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;

/// A log level as existing clients name it. Their scale is finer than the log's: `panic` and `fatal`
/// are the same as `error`.
// The wire contract defines exactly these words, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(rename_all = "lowercase")
)]
pub enum Level {
    /// Failures that end the program at once.
    Panic,
    /// Failures that end the program after a clean shutdown.
    Fatal,
    /// Failures.
    Error,
    /// Conditions that need attention although the server continues.
    Warning,
    /// Normal operation.
    Info,
    /// Details for developers.
    Debug,
    /// All details.
    Trace,
}

/// The text is not a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log level")]
#[non_exhaustive]
pub struct LevelError;

impl Level {
    /// All levels, from the least to the most verbose.
    pub const ALL: [Self; 7] = [
        Self::Panic,
        Self::Fatal,
        Self::Error,
        Self::Warning,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    /// The name of the level in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The filter of the log for this level. `tracing` has no level above errors, so `Panic` and
    /// `Fatal` are the same as [`Level::Error`].
    pub const fn filter(self) -> LevelFilter {
        match self {
            Self::Panic | Self::Fatal | Self::Error => LevelFilter::ERROR,
            Self::Warning => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

impl From<LevelFilter> for Level {
    /// The level of a log with this filter. A log that is switched off has the level `Panic`.
    fn from(filter: LevelFilter) -> Self {
        match filter {
            LevelFilter::ERROR => Self::Error,
            LevelFilter::WARN => Self::Warning,
            LevelFilter::INFO => Self::Info,
            LevelFilter::DEBUG => Self::Debug,
            LevelFilter::TRACE => Self::Trace,
            _ => Self::Panic,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        let known = Self::ALL.into_iter().find(|level| level.as_str() == text);
        known.ok_or(LevelError)
    }
}

type Apply = dyn Fn(Level) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync;

/// Reads and sets the level of the program's log, for `/api/system/events/config`. Clones share it.
///
/// The server does not know how the program logs. The program creates the handle with a function that
/// changes its filter:
///
/// ```
/// use tidings_server::{Config, Level, LogLevel};
/// use tracing_subscriber::filter::LevelFilter;
/// use tracing_subscriber::prelude::*;
///
/// let (filter, reload) = tracing_subscriber::reload::Layer::new(LevelFilter::INFO);
/// let subscriber = tracing_subscriber::registry().with(filter);
/// # drop(subscriber.with(tracing_subscriber::fmt::layer()));
/// let log_level = LogLevel::new(Level::Info, move |level| Ok(reload.reload(level.filter())?));
/// let mut config = Config::default();
/// config.log_level = Some(log_level);
/// ```
#[derive(Clone)]
pub struct LogLevel {
    shared: Arc<Shared>,
}

struct Shared {
    level: Mutex<Level>,
    apply: Box<Apply>,
}

impl LogLevel {
    /// A handle for a log with the current level `now`. `apply` sets another level.
    ///
    /// Calls of `apply` never overlap. `apply` must not use this handle, or it would deadlock.
    pub fn new(
        now: Level,
        apply: impl Fn(Level) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        let shared = Shared {
            level: Mutex::new(now),
            apply: Box::new(apply),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The current level.
    pub fn get(&self) -> Level {
        *self.lock()
    }

    /// Sets the level of the log.
    ///
    /// # Errors
    ///
    /// If `apply` fails. The level then stays unchanged.
    pub fn set(&self, level: Level) -> Result<(), Box<dyn Error + Send + Sync>> {
        // The lock is held while `apply` runs, so that of two concurrent calls the last one applied is
        // stored.
        let mut now = self.lock();
        (self.shared.apply)(level)?;
        *now = level;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Level> {
        // A panic of `apply` leaves the previous level, which is valid.
        self.shared
            .level
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogLevel").field(&self.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_level_if_apply_fails() {
        let level = LogLevel::new(Level::Info, |level| match level {
            Level::Trace => Err("no".into()),
            _ => Ok(()),
        });
        let clone = level.clone();
        assert!(level.set(Level::Debug).is_ok());
        assert!(level.set(Level::Trace).is_err());
        assert_eq!(clone.get(), Level::Debug);
    }

    #[test]
    fn parses_every_level_that_it_displays() {
        for level in Level::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
        }
        assert_eq!("warn".parse::<Level>(), Err(LevelError));
        assert_eq!(Level::from(Level::Warning.filter()), Level::Warning);
    }
}
