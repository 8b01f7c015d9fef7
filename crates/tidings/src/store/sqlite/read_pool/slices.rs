//! Turns of the long reads: more of them can be under way than run at the same time, so that no read waits
//! until others have ended.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a read runs before it lets others run.
const SLICE: Duration = Duration::from_millis(50);

/// How often a read that waits checks whether it is still wanted.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// A number of reads that run at the same time.
#[derive(Debug)]
pub(super) struct Slices {
    line: Mutex<Line>,
    moved: Condvar,
}

#[derive(Debug)]
struct Line {
    /// How many more reads can run.
    free: usize,
    /// The reads that wait, the longest waiting first.
    waiting: VecDeque<u64>,
    next: u64,
}

/// The part of a read in the slices.
#[derive(Debug)]
pub(super) struct Slice {
    slices: Arc<Slices>,
    /// Until when the read runs; `None` while it waits.
    until: Option<Instant>,
    waited: Duration,
}

impl Slices {
    pub(super) fn new(running: usize) -> Self {
        Self {
            line: Mutex::new(Line {
                free: running,
                waiting: VecDeque::new(),
                next: 0,
            }),
            moved: Condvar::new(),
        }
    }

    /// No code panics while it holds the lock.
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slice {
    pub(super) const fn of(slices: Arc<Slices>) -> Self {
        Self {
            slices,
            until: None,
            waited: Duration::ZERO,
        }
    }

    /// How long the read has waited for its turns.
    pub(super) const fn waited(&self) -> Duration {
        self.waited
    }

    /// Waits for the next turn if this one is over and others wait. Returns whether the read continues: it ends if
    /// it is unwanted while it waits.
    pub(super) fn go_on(&mut self, mut is_unwanted: impl FnMut() -> bool) -> bool {
        let begun = Instant::now();
        if self.until.is_some_and(|until| begun < until) {
            return true;
        }
        let mut line = self.slices.line();
        if self.until.is_some() && line.waiting.is_empty() {
            self.until = Some(begun + SLICE);
            return true;
        }
        if self.until.take().is_some() {
            line.free += 1;
        }
        let own = line.next;
        line.next += 1;
        line.waiting.push_back(own);
        loop {
            if line.free > 0 && line.waiting.front() == Some(&own) {
                line.waiting.pop_front();
                line.free -= 1;
                self.until = Some(Instant::now() + SLICE);
                break;
            }
            self.slices.moved.notify_all();
            if is_unwanted() {
                line.waiting.retain(|other| *other != own);
                break;
            }
            let waited = self.slices.moved.wait_timeout(line, BETWEEN_LOOKS);
            (line, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        drop(line);
        self.slices.moved.notify_all();
        self.waited += begun.elapsed();
        self.until.is_some()
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        if self.until.is_some() {
            self.slices.line().free += 1;
            self.slices.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Runs `reads` reads in `running` slices. Each continues until all have had three turns.
    fn turns(running: usize, reads: usize) {
        let slices = Arc::new(Slices::new(running));
        let (told, turns) = mpsc::channel();
        thread::scope(|scope| {
            for read in 0..reads {
                let (slices, told) = (Arc::clone(&slices), told.clone());
                scope.spawn(move || {
                    let mut slice = Slice::of(slices);
                    let mut until = None;
                    while slice.go_on(|| false) && told.send((read, slice.until != until)).is_ok() {
                        until = slice.until;
                    }
                });
            }
            let mut had = vec![0; reads];
            while had.iter().any(|turns| *turns < 3) {
                let (read, is_new) = turns.recv().unwrap();
                had[read] += usize::from(is_new);
            }
            drop(turns);
        });
        assert_eq!(slices.line().free, running);
        assert!(slices.line().waiting.is_empty());
    }

    #[test]
    fn more_reads_than_run_at_a_time_all_go_on() {
        turns(1, 3);
        turns(2, 5);
    }

    #[test]
    fn an_unwanted_read_leaves_the_line() {
        let slices = Arc::new(Slices::new(1));
        let mut running = Slice::of(Arc::clone(&slices));
        assert!(running.go_on(|| false));
        let mut unwanted = Slice::of(Arc::clone(&slices));
        assert!(!unwanted.go_on(|| true));
        assert!(slices.line().waiting.is_empty());
        drop((running, unwanted));
        assert_eq!(slices.line().free, 1);
    }
}
