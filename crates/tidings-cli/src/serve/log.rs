//! The log of the server, whose level can change while the server runs.
//!
//! The server never waits for standard error: lines go into a bounded queue, and a thread of its own writes
//! them. If standard error blocks or fails (a full pipe, a paused terminal, a full disk), lines are lost and
//! counted.

mod layer;
mod line;
mod queue;
mod writer;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal as _};
use std::panic::{self, PanicHookInfo};
use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use tidings_server::{DroppedLines, Level, LogLevel};
use tracing_subscriber::filter::{Directive, LevelFilter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, reload};

use crate::output::escaped;
use layer::LineLayer;
use line::Style;
use queue::Queue;
use writer::StandardError;

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The running log. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Log {
    queue: Arc<Queue>,
    format: LogFormat,
    level: LogLevel,
    dropped: DroppedLines,
}

impl Log {
    /// Starts the log on standard error, and logs panics.
    ///
    /// # Errors
    ///
    /// If the thread or the file descriptor cannot be created.
    pub(super) fn start(filter: LogFilter, format: LogFormat) -> io::Result<Self> {
        let colored = format == LogFormat::Text && io::stderr().is_terminal();
        let style = Style::new(format, colored);
        let dropped = DroppedLines::default();
        let queue = Arc::new(Queue::new(dropped.clone()));
        writer::start(Arc::clone(&queue), style, StandardError::open()?)?;
        let (levels, reload) = reload::Layer::new(filter.with_level(filter.level));
        let lines = LineLayer::new(style, {
            let queue = Arc::clone(&queue);
            move |line: String| queue.push(line.as_bytes())
        });
        tracing_subscriber::registry()
            .with(levels)
            .with(lines)
            .init();
        // The default hook would block on standard error.
        panic::set_hook(Box::new(log_panic));
        let level = LogLevel::new(Level::from(filter.level), move |level| {
            Ok(reload.reload(filter.with_level(level.filter()))?)
        });
        Ok(Self {
            queue,
            format,
            level,
            dropped,
        })
    }

    /// The level, which callers can read and set.
    pub(super) fn level(&self) -> LogLevel {
        self.level.clone()
    }

    /// The number of lost lines.
    pub(super) fn dropped(&self) -> DroppedLines {
        self.dropped.clone()
    }

    /// Reports the error that ends the server, at any level, in the format of the log.
    pub(super) fn fatal(&self, error: &anyhow::Error) {
        let line = match self.format {
            LogFormat::Text => escaped(&format!("error: {error:#}")).into_owned() + "\n",
            LogFormat::Json => Style::new(self.format, false).fatal(&format!("{error:#}")),
        };
        self.queue.push(line.as_bytes());
    }

    /// Waits until all lines are written, at most for `most`.
    pub(super) fn flush(&self, most: Duration) {
        // Later lines are lost.
        let _ = self.queue.wait_until_idle(most);
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let thread = thread::current();
    // Captured only if the environment enables it (`RUST_BACKTRACE`).
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
    tracing::error!(
        cause = panic.payload_as_str(),
        place,
        thread = thread.name(),
        backtrace = backtrace.as_ref().map(tracing::field::display),
        "panicked"
    );
}

/// The value of `--log`: a default level, and levels of single modules.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LogFilter {
    level: LevelFilter,
    modules: Vec<Directive>,
}

impl LogFilter {
    /// The filter with another default level.
    fn with_level(&self, level: LevelFilter) -> EnvFilter {
        let filter = EnvFilter::default().add_directive(level.into());
        let modules = self.modules.iter().cloned();
        modules.fold(filter, EnvFilter::add_directive)
    }
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Without a default level, only the named modules are logged.
        let mut level = LevelFilter::OFF;
        let mut modules = Vec::new();
        for part in parts(text).filter(|part| !part.is_empty()) {
            match part.parse() {
                Ok(for_all) => level = for_all,
                Err(_) => modules.push(part.parse().map_err(|_| {
                    format!("`{part}` is not a level; use for example `info` or `tidings=debug`")
                })?),
            }
        }
        Ok(Self { level, modules })
    }
}

/// Splits at commas, except within the brackets of a span, as in `[span{a=1,b=2}]=debug`.
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
    fn a_new_default_level_keeps_the_levels_of_modules() {
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
    fn rejects_unknown_levels() {
        for text in ["foo=bar", "info,tidings=loud", "tidings==debug"] {
            let error = text.parse::<LogFilter>().unwrap_err();
            assert!(error.contains("is not a level"), "{error}");
        }
    }
}
