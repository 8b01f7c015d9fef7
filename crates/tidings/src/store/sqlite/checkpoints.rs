//! When the write-ahead log is written into the database.
//!
//! SQLite's own automatic checkpoint runs within a commit, and while a long read keeps the log from
//! being reset, within every commit: each then waits for two more fsyncs. Here a checkpoint follows the
//! reply to a commit, and the next one follows when the log has grown by as much again.

use std::cell::Cell;
use std::ffi::c_int;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

thread_local! {
    /// The frames in the log after the last commit on this thread.
    static FRAMES: Cell<u32> = const { Cell::new(0) };
}

/// The checkpoints of the connection that writes.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// How many frames the log grows by until a checkpoint is due.
    frames: u32,
    /// The frames that the log had at the last one.
    last: u32,
}

impl Checkpoints {
    /// Takes the place of the automatic checkpoints of `connection`, which commits on this thread.
    pub(super) fn of(connection: &Connection, frames: u32) -> Self {
        connection.wal_hook(Some(note));
        Self { frames, last: 0 }
    }

    /// Writes the log into the database if it is due.
    pub(super) fn run_if_due(&mut self, connection: &Connection) {
        if self.is_due(FRAMES.get()) {
            // A reader can keep a part of the log, and a full disk all of it; a later one writes it.
            let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    }

    fn is_due(&mut self, frames: u32) -> bool {
        // The log was reset since.
        if frames < self.last {
            self.last = 0;
        }
        let is_due = frames - self.last >= self.frames;
        if is_due {
            self.last = frames;
        }
        is_due
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the type of the hook")]
fn note(_: &Wal, frames: c_int) -> rusqlite::Result<()> {
    FRAMES.set(u32::try_from(frames).unwrap_or(0));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_follow_the_growth_of_the_log() {
        let mut checkpoints = Checkpoints {
            frames: 10,
            last: 0,
        };
        let mut due = |frames| checkpoints.is_due(frames);
        assert_eq!(
            [9, 10, 11, 19, 20].map(&mut due),
            [false, true, false, false, true]
        );
        // The log began again.
        assert_eq!(
            [3, 9, 12, 21, 22].map(&mut due),
            [false, false, true, false, true]
        );
    }

    #[test]
    fn a_log_that_a_reader_holds_is_not_written_at_every_commit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let writer = Connection::open(&path).unwrap();
        writer.pragma_update(None, "journal_mode", "wal").unwrap();
        writer.execute_batch("CREATE TABLE t (x)").unwrap();
        let mut checkpoints = Checkpoints::of(&writer, 10);
        let reader = Connection::open(&path).unwrap();
        let read = reader.unchecked_transaction().unwrap();
        read.query_row("SELECT count(*) FROM t", [], |_| Ok(()))
            .unwrap();
        let mut run = 0;
        for _ in 0..100 {
            writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
            run += u32::from(checkpoints.is_due(FRAMES.get()));
        }
        assert!(FRAMES.get() >= 100, "the log is not reset");
        assert!((9..=11).contains(&run), "{run} checkpoints");
        drop(read);
        checkpoints.last = 0;
        checkpoints.run_if_due(&writer);
        writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert!(FRAMES.get() < 10, "the log begins again");
    }
}
