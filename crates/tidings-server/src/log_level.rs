//! How much the server writes into its log, and the handle by which that is changed while it runs.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;

/// A log level as existing clients name it. Their scale is finer than the log's: `panic` and `fatal`
/// are the same as `error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(rename_all = "lowercase")
)]
pub enum Level {
    /// What ends the program.
    Panic,
    /// What ends the program, in good order.
    Fatal,
    /// What failed.
    Error,
    /// What went on, but not as it should.
    Warning,
    /// What happens.
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

/// A text that is not one of the levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log level")]
pub struct LevelError;

impl Level {
    /// All levels, the quietest first.
    pub const ALL: [Self; 7] = [
        Self::Panic,
        Self::Fatal,
        Self::Error,
        Self::Warning,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    /// The word used in JSON.
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

    /// What the log has to let through. It has nothing above errors, so the two gravest levels are the
    /// same as [`Level::Error`].
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
    /// The level that a log with this filter has; one that is switched off has the quietest.
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
/// The server does not know how the program logs; whoever set that up makes the handle, with what
/// changes the filter:
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
    /// A handle on a log that has the level `now`, and is given another by `apply`.
    ///
    /// Calls of `apply` never overlap. It must not come back to this handle.
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

    /// The level now.
    pub fn get(&self) -> Level {
        *self.lock()
    }

    /// Gives the log another level.
    ///
    /// # Errors
    ///
    /// When it could not be applied; the level is then the one before.
    pub fn set(&self, level: Level) -> Result<(), Box<dyn Error + Send + Sync>> {
        // Held while it is applied: of two that are set at once, the one that stays is shown.
        let mut now = self.lock();
        (self.shared.apply)(level)?;
        *now = level;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Level> {
        // A panic of `apply` leaves the level before, which is a good one.
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
    fn a_level_that_could_not_be_applied_is_not_shown() {
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
    fn every_level_reads_back() {
        for level in Level::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
        }
        assert_eq!("warn".parse::<Level>(), Err(LevelError));
        assert_eq!(Level::from(Level::Warning.filter()), Level::Warning);
    }
}
