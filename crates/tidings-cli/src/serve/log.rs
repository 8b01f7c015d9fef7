//! The log of the server, and how its level is changed while it runs.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tidings_server::{Level, LogLevel};
use tracing_subscriber::filter::{LevelFilter, ParseError};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, reload};

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts the log on standard error, and gives the handle that changes its level.
pub(super) fn start(filter: EnvFilter, format: LogFormat) -> LogLevel {
    let filters = Filters::of(&filter);
    let (filter, reload) = reload::Layer::new(filter);
    let log = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with(lines).init(),
        LogFormat::Json => log.with(lines.json().flatten_event(true)).init(),
    }
    LogLevel::new(filters.level, move |level| {
        Ok(reload.reload(filters.with_level(level)?)?)
    })
}

/// What `--log` says: a level for all, and for single modules others.
#[derive(Clone, Debug)]
struct Filters {
    level: Level,
    modules: Vec<String>,
}

impl Filters {
    fn of(filter: &EnvFilter) -> Self {
        let text = filter.to_string();
        let (levels, modules): (Vec<_>, Vec<_>) = text
            .split(',')
            .partition(|part| part.parse::<LevelFilter>().is_ok());
        // Without one, what no module asks for is not logged.
        let level = levels.last().and_then(|level| level.parse().ok());
        Self {
            level: Level::from(level.unwrap_or(LevelFilter::OFF)),
            modules: modules.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The same with another level for all.
    fn with_level(&self, level: Level) -> Result<EnvFilter, ParseError> {
        let level = level.filter().to_string();
        let parts: Vec<_> = self.modules.iter().cloned().chain([level]).collect();
        EnvFilter::try_new(parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_level_leaves_the_modules_theirs() {
        for (text, level, modules) in [
            ("info,rusqlite_migration=warn", Level::Info, 1),
            ("warn", Level::Warning, 0),
            ("tidings=debug", Level::Panic, 1),
            ("tidings_server=debug,error,tidings=trace", Level::Error, 2),
        ] {
            let filters = Filters::of(&EnvFilter::new(text));
            assert_eq!(
                (filters.level, filters.modules.len()),
                (level, modules),
                "{text}"
            );
            let changed = filters.with_level(Level::Debug).unwrap();
            let again = Filters::of(&changed);
            assert_eq!(again.level, Level::Debug, "{changed}");
            let sorted = |mut modules: Vec<String>| {
                modules.sort_unstable();
                modules
            };
            assert_eq!(sorted(again.modules), sorted(filters.modules));
        }
    }
}
