//! How many lines the program's log has lost.

use prometheus_client::metrics::counter::Counter;

/// Counts the lines that the program's log could not write, for `tidings_log_lines_dropped_total` in
/// `/metrics`. Clones count together.
///
/// The server does not know how the program logs; a log that drops lines instead of waiting for room
/// counts them here:
///
/// ```
/// use tidings_server::{Config, DroppedLines};
///
/// let dropped = DroppedLines::default();
/// let config = Config {
///     log_dropped: dropped.clone(),
///     ..Config::default()
/// };
/// dropped.add(2);
/// assert_eq!(config.log_dropped.get(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct DroppedLines(Counter);

impl DroppedLines {
    /// Counts further lines.
    pub fn add(&self, lines: u64) {
        self.0.inc_by(lines);
    }

    /// How many were counted so far.
    pub fn get(&self) -> u64 {
        self.0.get()
    }

    /// For the registry.
    pub(crate) fn counter(&self) -> Counter {
        self.0.clone()
    }
}
