//! The log of the server, and how its level is changed while it runs.

use std::io::IsTerminal as _;
use std::str::FromStr;

use clap::ValueEnum;
use tidings_server::{Level, LogLevel};
use tracing_subscriber::filter::{Directive, LevelFilter};
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
pub(super) fn start(filter: LogFilter, format: LogFormat) -> LogLevel {
    let (layer, reload) = reload::Layer::new(filter.with_level(filter.level));
    let log = tracing_subscriber::registry().with(layer);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with(lines).init(),
        LogFormat::Json => log.with(lines.json().flatten_event(true)).init(),
    }
    LogLevel::new(Level::from(filter.level), move |level| {
        Ok(reload.reload(filter.with_level(level.filter()))?)
    })
}

/// What `--log` says: a level for all, and for single modules others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LogFilter {
    level: LevelFilter,
    modules: Vec<Directive>,
}

impl LogFilter {
    /// The filter with another level for all.
    fn with_level(&self, level: LevelFilter) -> EnvFilter {
        let filter = EnvFilter::default().add_directive(level.into());
        let modules = self.modules.iter().cloned();
        modules.fold(filter, EnvFilter::add_directive)
    }
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Without a level for all, what no module asks for is not logged.
        let mut level = LevelFilter::OFF;
        let mut modules = Vec::new();
        for part in parts(text).filter(|part| !part.is_empty()) {
            match part.parse() {
                Ok(for_all) => level = for_all,
                Err(_) => modules.push(part.parse().map_err(|_| {
                    format!("`{part}` is no level; write it like `info` or `tidings=debug`")
                })?),
            }
        }
        Ok(Self { level, modules })
    }
}

/// The parts between commas; a comma in the brackets of a span, as in `[span{a=1,b=2}]=debug`, parts
/// nothing.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    let between = text.split(move |char| {
        match char {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        char == ',' && depth == 0
    });
    between.map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_level_leaves_the_modules_theirs() {
        for (text, level, modules) in [
            ("info,rusqlite_migration=warn", LevelFilter::INFO, 1),
            ("warn", LevelFilter::WARN, 0),
            ("off", LevelFilter::OFF, 0),
            ("tidings=debug", LevelFilter::OFF, 1),
            (
                "tidings_server=debug, error,tidings=trace",
                LevelFilter::ERROR,
                2,
            ),
            ("tidings[request{a=1,b=2}]=debug,warn", LevelFilter::WARN, 1),
        ] {
            let filter: LogFilter = text.parse().unwrap();
            assert_eq!((filter.level, filter.modules.len()), (level, modules));
            for level in [filter.level, LevelFilter::DEBUG] {
                let changed = filter.with_level(level).to_string();
                let again: LogFilter = changed.parse().unwrap();
                assert_eq!(again.level, level, "{changed}");
                let sorted = |filter: &LogFilter| {
                    let mut modules = filter.modules.clone();
                    modules.sort_unstable();
                    modules
                };
                assert_eq!(sorted(&again), sorted(&filter), "{changed}");
            }
        }
    }

    #[test]
    fn what_is_no_level_is_refused() {
        for text in ["foo=bar", "info,tidings=loud", "tidings==debug"] {
            let error = text.parse::<LogFilter>().unwrap_err();
            assert!(error.contains("is no level"), "{error}");
        }
    }
}
