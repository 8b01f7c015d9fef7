//! The thread that writes the log. Only this thread waits for standard error, and every wait for the
//! thread is bounded.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};

use super::line::Style;
use super::queue::{LogBatch, Queue};

/// The most bytes of several lines in one write. A pipe takes a write of up to this size atomically, so
/// programs that share the pipe do not mix their lines (POSIX.1-2017 `PIPE_BUF`, 4,096 on Linux).
const CHUNK_BYTES: usize = 4096;

/// A batch buffer that grew beyond this size is shrunk.
const SPARE_BYTES: usize = 64 * 1024;

/// Standard error without the standard library's lock and buffer. A thread that blocks while holding
/// that lock would block every other thread that writes to standard error, even at exit.
#[derive(Debug)]
pub(super) struct StandardError(File);

impl StandardError {
    /// Duplicates the descriptor of standard error.
    ///
    /// # Errors
    ///
    /// Fails if the process has reached its limit of open files.
    pub(super) fn open() -> io::Result<Self> {
        let descriptor = io::stderr().as_fd().try_clone_to_owned()?;
        Ok(Self(descriptor.into()))
    }
}

impl Write for StandardError {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                // Another process that shares the terminal or pipe can make it non-blocking.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None)?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts the thread, which runs until the process ends.
///
/// # Errors
///
/// Fails if the system cannot create a thread.
pub(super) fn start(
    queue: Arc<Queue>,
    style: Style,
    target: impl Write + Send + 'static,
) -> io::Result<()> {
    let mut writer = Writer {
        queue,
        style,
        target,
        unreported: 0,
        is_within_line: false,
    };
    let thread = thread::Builder::new().name("log".to_owned());
    thread.spawn(move || {
        // After a panic, whose message is in the queue by then, the log continues with the next lines.
        while catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
            writer.unreported += 1;
        }
    })?;
    Ok(())
}

struct Writer<T> {
    queue: Arc<Queue>,
    style: Style,
    target: T,
    /// The number of lost lines that are not yet reported.
    unreported: u64,
    /// Whether the last write failed within a line, so that its rest is lost.
    is_within_line: bool,
}

impl<T: Write> Writer<T> {
    fn run(&mut self) -> Infallible {
        let mut batch = LogBatch::default();
        loop {
            batch.bytes.clear();
            batch.bytes.shrink_to(SPARE_BYTES);
            self.queue.take(&mut batch);
            self.write_batch(&batch);
        }
    }

    /// Writes the lines, then reports the lines missing after them. A line whose write fails is lost,
    /// since a full disk or a closed pipe would not accept it later either.
    fn write_batch(&mut self, batch: &LogBatch) {
        let mut rest = &batch.bytes[..];
        if self.report().is_ok() {
            while !rest.is_empty() {
                let (chunk, others) = rest.split_at(chunk_bytes(rest));
                match self.write_whole(chunk) {
                    Ok(()) => rest = others,
                    Err(written) => {
                        rest = &rest[written..];
                        break;
                    }
                }
            }
        }
        let lost = lines(rest);
        self.queue.count_lost(lost);
        self.unreported += lost + batch.dropped;
        // Fails if the writes before it failed. The next batch tries it again.
        let _ = self.report();
    }

    /// Reports lost lines at the point where they are missing.
    fn report(&mut self) -> Result<(), usize> {
        if self.unreported == 0 {
            return Ok(());
        }
        let line = self.style.dropped_lines(self.unreported);
        self.write_whole(line.as_bytes())?;
        self.unreported = 0;
        Ok(())
    }

    /// Writes all bytes. An error has the number of bytes written before it.
    fn write_whole(&mut self, bytes: &[u8]) -> Result<(), usize> {
        if self.is_within_line {
            self.write_or_count(b"\n").map_err(|_| 0_usize)?;
            self.is_within_line = false;
        }
        self.write_or_count(bytes).inspect_err(|written| {
            self.is_within_line = bytes[..*written].last().is_some_and(|byte| *byte != b'\n');
        })
    }

    fn write_or_count(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut written = 0;
        while written < bytes.len() {
            match self.target.write(&bytes[written..]) {
                Ok(0) | Err(_) => return Err(written),
                Ok(more) => written += more,
            }
        }
        Ok(())
    }
}

/// The size of the next write: the whole lines that fit, or a single longer line.
fn chunk_bytes(bytes: &[u8]) -> usize {
    let limit = bytes.len().min(CHUNK_BYTES);
    let end = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte == b'\n');
    let first_end = || bytes.iter().position(|byte| *byte == b'\n');
    end(&bytes[..limit])
        .or_else(first_end)
        .map_or(bytes.len(), |end| end + 1)
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::time::Duration;

    use tidings_server::DroppedLines;

    use super::super::LogFormat;
    use super::super::queue::QUEUE_BYTES;
    use super::*;

    const STUCK: Duration = Duration::from_secs(60);
    const PLAIN: Style = Style::plain(LogFormat::Text);

    /// A target that accepts bytes only with a permit, and fails if the permit is an error. It panics if the
    /// error is `Unsupported`.
    struct Gated {
        leave: Receiver<io::Result<usize>>,
        begun: SyncSender<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.begun.try_send(());
            // After the permits' sender is dropped, it accepts everything.
            let most = match self.leave.recv().unwrap_or(Ok(usize::MAX)) {
                Err(error) if error.kind() == ErrorKind::Unsupported => panic!("a fault"),
                most => most?,
            };
            let bytes = &bytes[..bytes.len().min(most)];
            self.taken.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Log {
        queue: Arc<Queue>,
        dropped: DroppedLines,
        leave: SyncSender<io::Result<usize>>,
        begun: Receiver<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Log {
        fn start() -> Self {
            let dropped = DroppedLines::default();
            let queue = Arc::new(Queue::new(dropped.clone()));
            let (leave, given) = sync_channel(16);
            let (begin, begun) = sync_channel(16);
            let taken = Arc::default();
            let target = Gated {
                leave: given,
                begun: begin,
                taken: Arc::clone(&taken),
            };
            start(Arc::clone(&queue), PLAIN, target).unwrap();
            Self {
                queue,
                dropped,
                leave,
                begun,
                taken,
            }
        }

        /// Removes the gate and returns all written text.
        fn text(self) -> String {
            drop(self.leave);
            assert!(self.queue.wait_until_idle(STUCK));
            String::from_utf8(self.taken.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn blocked_target_blocks_no_caller_and_loss_is_reported_once() {
        let log = Log::start();
        log.queue.push(b"first\n");
        log.begun.recv_timeout(STUCK).unwrap();
        // The writer is blocked. Queue far more lines than fit:
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        let lines = 3 * QUEUE_BYTES / line.len();
        for _ in 0..lines {
            log.queue.push(&line);
        }
        assert!(!log.queue.wait_until_idle(Duration::from_millis(1)));
        let kept = QUEUE_BYTES / line.len();
        let dropped = log.dropped.get();
        assert_eq!(dropped, (lines - kept) as u64);
        let text = log.text();
        let written: Vec<_> = text.lines().collect();
        assert_eq!(written.len(), 1 + kept + 1);
        let report = written.last().unwrap();
        let expected = format!("{dropped} log lines were dropped");
        assert!(report.contains(&expected), "{report}");
    }

    #[test]
    fn counts_failed_lines_and_reports_them_after_recovery() {
        let log = Log::start();
        let full = || Err(io::ErrorKind::StorageFull.into());
        // The target accepts part of the first line before the disk is full.
        log.leave.send(Ok(3)).unwrap();
        log.leave.send(full()).unwrap();
        // Writing the report fails, too.
        log.leave.send(full()).unwrap();
        log.queue.push(b"cut off\n");
        // The write, the write of its rest, and the report.
        for _ in 0..3 {
            log.begun.recv_timeout(STUCK).unwrap();
        }
        let dropped = log.dropped.clone();
        log.queue.push(b"last\n");
        let text = log.text();
        assert_eq!(dropped.get(), 1);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines[0], lines[2], lines.len()), ("cut", "last", 3));
        assert!(lines[1].contains("1 log line was dropped"), "{text}");
    }

    #[test]
    fn continues_after_a_panic() {
        let log = Log::start();
        log.leave.send(Err(ErrorKind::Unsupported.into())).unwrap();
        log.queue.push(b"lost\n");
        log.begun.recv_timeout(STUCK).unwrap();
        log.queue.push(b"last\n");
        let text = log.text();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("1 log line was dropped"), "{text}");
        assert_eq!(lines[1..], ["last"]);
    }

    #[test]
    fn writes_whole_lines() {
        for (text, bytes) in [("a\nb\n", 4), ("a\nb", 2), ("a", 1), ("\n", 1)] {
            assert_eq!(chunk_bytes(text.as_bytes()), bytes, "{text:?}");
        }
        let long = format!("{}\nb\n", "x".repeat(CHUNK_BYTES));
        assert_eq!(chunk_bytes(long.as_bytes()), CHUNK_BYTES + 1);
        let many = "1234567\n".repeat(1_000);
        assert_eq!(chunk_bytes(many.as_bytes()), CHUNK_BYTES);
    }
}
