//! The queue of requests, and the moment at which it forms the next group.
//!
//! The store's writer thread takes the next group when it is ready to commit. The group therefore contains
//! the requests that arrived during the previous commit.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::backlog::{Backlog, NextAction, TakenGroup};
use super::request::Request;
use crate::activity::Activity;
use crate::sync::{Condvar, Mutex, MutexGuard, Notify, now, sleep_until};

/// After a commit, its callers often send their next requests immediately, for example publishers with a
/// backlog. A commit costs almost the same for one request as for many. The next group therefore waits for
/// them; see [`LastCommit::expected`]. It stops waiting when no request arrives within this fraction of the
/// time of the last commit.
const QUIET_PART: u32 = 4;

/// The bounds of that time. With shorter waits the thread would spend more time on waking up than on
/// committing.
const MIN_QUIET: Duration = Duration::from_micros(50);
const MAX_QUIET: Duration = Duration::from_micros(500);

/// The maximum time for which a group waits for more requests.
const MAX_GATHER: Duration = Duration::from_millis(2);

/// The number of commits between two trials, in which a group waits for all callers.
const TRIAL_EVERY: u32 = 32;

/// Callers are expected to return within this time, for example when their events have reached all
/// subscribers. A longer time would delay single requests after a burst for nothing.
const MAX_ABSENCE: Duration = Duration::from_secs(1);

/// The queue of the committer, shared by callers, the committer's task and the store's writer thread.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes the committer's task if there is work.
    work: Notify,
    /// Wakes the writer thread when enough requests have arrived.
    arrived: Condvar,
    activity: Arc<Activity>,
}

#[derive(Debug, Default)]
struct State {
    backlog: Backlog,
    /// While a group waits for more requests: the number of requests that ends the wait.
    gathering: Option<usize>,
    last: Option<LastCommit>,
}

/// The last completed commit.
#[derive(Clone, Copy, Debug)]
struct LastCommit {
    /// The number of requests that it answered.
    answered: usize,
    /// The number of requests that arrived meanwhile.
    queued: usize,
    /// The number of commits until the next one that is followed by a trial.
    until_trial: u32,
    took: Duration,
    ended: Instant,
}

impl LastCommit {
    /// The number of requests that the next group waits for.
    ///
    /// Callers that send their next request after each answer can split into crowds, with a commit each,
    /// that stay apart forever if each commit waits for one crowd only. So now and then a group waits for
    /// all: if then no other requests arrive during its commit, these are all the callers there are, and
    /// they stay together. Requests that come independently of the answers arrive during every commit.
    /// Then the group waits less each time, since waiting would only delay them.
    const fn expected(&self) -> usize {
        let are_together = self.queued * 4 <= self.answered;
        if are_together || self.until_trial == 0 {
            self.answered + self.queued
        } else {
            self.answered.saturating_sub(self.queued)
        }
    }
}

/// The queue is closed and rejects requests.
pub(super) struct QueueClosed;

impl Queue {
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        Self {
            state: Mutex::default(),
            work: Notify::new(),
            arrived: Condvar::new(),
            activity,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().backlog.is_closed()
    }

    pub(super) fn push(&self, request: Request) -> Result<(), QueueClosed> {
        let mut state = self.lock();
        if state.backlog.is_closed() {
            return Err(QueueClosed);
        }
        let was_empty = state.backlog.arrived() == 0;
        state.backlog.push(request);
        let is_gathered = state
            .gathering
            .is_some_and(|wanted| state.backlog.arrived() >= wanted);
        drop(state);
        if is_gathered {
            self.arrived.notify_one();
        }
        if was_empty {
            self.work.notify_one();
        }
        Ok(())
    }

    /// The number of queued requests that are not deferred.
    #[cfg(feature = "metrics")]
    pub(super) fn depth(&self) -> usize {
        self.lock().backlog.arrived()
    }

    /// Rejects new requests. Queued requests are still committed.
    pub(super) fn close(&self) {
        self.lock().backlog.close();
        self.arrived.notify_one();
        self.work.notify_one();
    }

    /// Rejects new requests and drops the queued ones, which notifies their callers.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.backlog.close();
        let left = std::mem::take(&mut state.backlog);
        state.backlog.close();
        drop(state);
        drop(left);
    }

    /// Waits until there is something to commit. Returns `false` when the queue is closed and empty.
    pub(super) async fn has_work(&self) -> bool {
        loop {
            let next = self.lock().backlog.next(now());
            match next {
                NextAction::Commit => return true,
                NextAction::End => return false,
                NextAction::Wait => self.work.notified().await,
                NextAction::WaitUntil(rested) => tokio::select! {
                    biased;
                    () = self.work.notified() => {}
                    () = sleep_until(rested) => {}
                },
            }
        }
    }

    /// Forms the next group. Blocks for at most [`MAX_GATHER`].
    pub(super) fn take(&self) -> TakenGroup {
        let mut state = self.gather(self.lock());
        let is_shared = self.activity.is_shared();
        state.backlog.take(now(), is_shared)
    }

    /// Records a completed commit and the number of requests that it answered.
    pub(super) fn note_commit(&self, answered: usize, took: Duration) {
        let mut state = self.lock();
        let until_trial = match state.last.map(|last| last.until_trial) {
            Some(commits @ 1..) => commits - 1,
            None | Some(0) => TRIAL_EVERY,
        };
        state.last = Some(LastCommit {
            answered,
            queued: state.backlog.arrived(),
            until_trial,
            took,
            ended: now(),
        });
    }

    /// Delays the next step after an owner's turn that took `turn`; see [`Backlog::rest_after`].
    pub(super) fn rest_after(&self, turn: Duration) {
        self.lock().backlog.rest_after(now(), turn);
    }

    fn gather<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let Some(last) = state.last.filter(|last| now() - last.ended < MAX_ABSENCE) else {
            return state;
        };
        let wanted = last.expected().min(Backlog::GROUP_EVENTS);
        let quiet = (last.took / QUIET_PART).clamp(MIN_QUIET, MAX_QUIET);
        let begun = now();
        state.gathering = Some(wanted);
        loop {
            let arrived = state.backlog.arrived();
            if arrived >= wanted || state.backlog.is_closed() || now() - begun >= MAX_GATHER {
                break;
            }
            let waited = self.arrived.wait_timeout(state, quiet);
            let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if timeout.timed_out() && state.backlog.arrived() == arrived {
                break;
            }
        }
        state.gathering = None;
        state
    }

    /// Ignores poisoning: a thread that panics with the lock leaves every request in a valid place.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::samples::publish;
    use super::*;

    /// A time that exceeds the duration of every test.
    const LONG: Duration = Duration::from_secs(3_600);

    fn queue(requests: usize) -> Arc<Queue> {
        let queue = Arc::new(Queue::new(Arc::default()));
        for _ in 0..requests {
            assert!(queue.push(publish()).is_ok());
        }
        queue
    }

    #[test]
    fn does_not_wait_without_a_recent_commit() {
        let taken = queue(1).take();
        assert_eq!(taken.replies.len(), 1);
    }

    #[test]
    fn waits_for_as_many_requests_as_were_answered() {
        let queue = queue(2);
        queue.note_commit(5, LONG);
        let gathering = Arc::clone(&queue);
        let taken = thread::spawn(move || gathering.take());
        // These requests arrive during the wait or before it.
        for _ in 0..3 {
            assert!(queue.push(publish()).is_ok());
        }
        let taken = taken.join().unwrap();
        assert!((2..=5).contains(&taken.replies.len()));
    }

    #[test]
    fn stops_waiting_when_no_request_arrives() {
        let queue = queue(2);
        queue.note_commit(5, Duration::ZERO);
        assert_eq!(queue.take().replies.len(), 2);
    }

    fn expected(answered: usize, queued: usize, until_trial: u32) -> usize {
        let last = LastCommit {
            answered,
            queued,
            until_trial,
            took: LONG,
            ended: now(),
        };
        last.expected()
    }

    #[test]
    fn expects_callers_that_are_together_to_return_together() {
        assert_eq!(expected(64, 0, 20), 64);
        assert_eq!(expected(60, 4, 20), 64);
    }

    #[test]
    fn does_not_delay_requests_that_come_during_every_commit() {
        // Each group waits for fewer requests than the one before it, and then for none.
        let mut waited = vec![64];
        while let Some(&answered) = waited.last().filter(|answered| **answered > 0) {
            waited.push(expected(answered, 20, 20));
        }
        assert_eq!(waited, [64, 44, 24, 4, 0]);
    }

    #[test]
    fn tries_now_and_then_to_bring_all_callers_together() {
        let queue = queue(32);
        let mut trials = 0;
        for _ in 0..3 * (TRIAL_EVERY + 1) {
            queue.note_commit(32, Duration::ZERO);
            let last = queue.lock().last.unwrap();
            trials += usize::from(last.expected() == 64);
        }
        assert_eq!(trials, 3);
    }

    #[tokio::test]
    async fn ends_when_closed_and_empty() {
        let queue = queue(1);
        queue.close();
        assert!(queue.push(publish()).is_err());
        assert!(queue.has_work().await);
        assert_eq!(queue.take().replies.len(), 1);
        assert!(!queue.has_work().await);
    }
}
