//! Queues log lines for standard error.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tidings_server::DroppedLines;

/// The most bytes of waiting lines. They are several thousand lines, enough to bridge a pause of the
/// reader. Further lines are dropped and counted; no thread waits for room.
pub(super) const QUEUE_BYTES: usize = 1024 * 1024;

/// A bounded queue of lines between the logging threads and the writer thread.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Notified when the queue has lines or dropped lines.
    filled: Condvar,
    /// Notified when the writer has handled everything.
    idle: Condvar,
    dropped: DroppedLines,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Whole lines, each with its line feed.
    bytes: Vec<u8>,
    /// The number of lines dropped since the last `take`.
    dropped: u64,
    /// Whether the writer is writing its last batch.
    is_writing: bool,
}

/// The lines that the writer takes at a time.
#[derive(Debug, Default)]
pub(super) struct LogBatch {
    /// Whole lines, each with its line feed.
    pub(super) bytes: Vec<u8>,
    /// The number of lines dropped after these.
    pub(super) dropped: u64,
}

impl Queue {
    /// Creates an empty queue that counts dropped lines in `dropped`.
    pub(super) fn new(dropped: DroppedLines) -> Self {
        Self {
            waiting: Mutex::default(),
            filled: Condvar::new(),
            idle: Condvar::new(),
            dropped,
        }
    }

    /// Adds a line, whose only line feed is at its end, or drops it. Never blocks on the writer.
    pub(super) fn push(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        // After a dropped line every line is dropped until the writer takes the queue. So the lost
        // lines are adjacent, and the report stands where they are missing.
        if waiting.dropped > 0 || waiting.bytes.len() + line.len() > QUEUE_BYTES {
            waiting.dropped += 1;
            self.dropped.add(1);
        } else {
            waiting.bytes.extend_from_slice(line);
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// Counts lines that could not be written.
    pub(super) fn count_lost(&self, lines: u64) {
        self.dropped.add(lines);
    }

    /// Waits for lines and takes all of them. `batch` must be empty; its memory is reused.
    pub(super) fn take(&self, batch: &mut LogBatch) {
        let mut waiting = self.waiting();
        waiting.is_writing = false;
        while waiting.bytes.is_empty() && waiting.dropped == 0 {
            self.idle.notify_all();
            waiting = self
                .filled
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        waiting.is_writing = true;
        std::mem::swap(&mut waiting.bytes, &mut batch.bytes);
        batch.dropped = std::mem::take(&mut waiting.dropped);
    }

    /// Waits until all lines are written, for at most `most`. Returns whether they are.
    pub(super) fn wait_until_idle(&self, most: Duration) -> bool {
        let deadline = Instant::now() + most;
        let mut waiting = self.waiting();
        loop {
            if waiting.bytes.is_empty() && waiting.dropped == 0 && !waiting.is_writing {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.idle.wait_timeout(waiting, left);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // No panic can leave the state half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_lines_beyond_the_bound_until_the_next_take() {
        let dropped = DroppedLines::default();
        let queue = Queue::new(dropped.clone());
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        for _ in 0..QUEUE_BYTES / 1024 {
            queue.push(&line);
        }
        assert_eq!(dropped.get(), 0);
        queue.push(b"one too many\n");
        queue.push(b"\n");
        let mut batch = LogBatch::default();
        queue.take(&mut batch);
        assert_eq!((batch.bytes.len(), batch.dropped), (QUEUE_BYTES, 2));
        assert!(batch.bytes.ends_with(b"x\n"));
        queue.push(b"there is room again\n");
        batch.bytes.clear();
        queue.take(&mut batch);
        assert_eq!(batch.bytes, b"there is room again\n");
        assert_eq!((batch.dropped, dropped.get()), (0, 2));
    }

    #[test]
    fn wait_times_out_without_a_writer() {
        let queue = Queue::new(DroppedLines::default());
        assert!(queue.wait_until_idle(Duration::ZERO));
        queue.push(b"stays\n");
        assert!(!queue.wait_until_idle(Duration::from_millis(1)));
    }
}
