//! The number of lines that the program's log has lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the lines that the program's log could not write, for `tidings_log_lines_dropped_total` in
/// `/metrics`. Clones share the count.
///
/// The server does not know how the program logs. If the log drops lines when its buffer is full, it
/// counts them here:
///
/// ```
/// use tidings_server::{Config, DroppedLines};
///
/// let dropped = DroppedLines::default();
/// let mut config = Config::default();
/// config.log_dropped = dropped.clone();
/// dropped.add(2);
/// assert_eq!(config.log_dropped.get(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct DroppedLines(Arc<AtomicU64>);

impl DroppedLines {
    /// Adds `lines` to the count.
    pub fn add(&self, lines: u64) {
        self.0.fetch_add(lines, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
