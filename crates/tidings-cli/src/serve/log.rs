//! The log of the server, and how its level is changed while it runs.
//!
//! Nothing in the server waits for standard error: lines go into a bounded queue, and a thread of its own
//! writes them. A pipe that nobody drains, a terminal in Ctrl-S or a full disk costs lines, which are
//! counted, and nothing else.

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

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
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
    /// Starts the log on standard error, and sends panics there too.
    ///
    /// # Errors
    ///
    /// When the system grants no thread or open file for it.
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
        // The standard hook writes to standard error itself, and waits for it.
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

    /// Reads and sets the level.
    pub(super) fn level(&self) -> LogLevel {
        self.level.clone()
    }

    /// The count of lines that were lost.
    pub(super) fn dropped(&self) -> DroppedLines {
        self.dropped.clone()
    }

    /// Says why the server ends, whatever the level: as other commands do, or as a line of JSON.
    pub(super) fn fatal(&self, error: &anyhow::Error) {
        let line = match self.format {
            LogFormat::Text => escaped(&format!("error: {error:#}")).into_owned() + "\n",
            LogFormat::Json => Style::new(self.format, false).fatal(&format!("{error:#}")),
        };
        self.queue.push(line.as_bytes());
    }

    /// Waits until all lines are written, but no longer than `most`.
    pub(super) fn flush(&self, most: Duration) {
        // Those that are not written then are lost with the process.
        let _ = self.queue.wait_until_idle(most);
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let thread = thread::current();
    // Only if the environment asks for it.
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
