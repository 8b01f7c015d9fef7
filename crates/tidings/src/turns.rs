//! Turns: a bounded number of jobs at a time, shared fairly among owners.
//!
//! Each owner has a line of their own. A place that becomes free goes to the line whose turn it is,
//! round robin, so an owner with a thousand waiting jobs delays another owner by one job at most.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

/// How many jobs run and wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Running at a time.
    pub(crate) running: usize,
    /// Running at a time for one owner.
    pub(crate) running_each: usize,
    /// Waiting for one owner.
    pub(crate) waiting_each: usize,
    /// Waiting in all.
    pub(crate) waiting: usize,
}

/// Why a job gets no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTurn {
    /// The owner has as many waiting jobs as one owner may have.
    OwnersLineIsFull,
    /// As many jobs wait as may wait in all.
    AllLinesAreFull,
    /// No more turns are given.
    Closed,
}

/// Gives turns; clones share them.
#[derive(Debug)]
pub(crate) struct Turns<K> {
    shared: Arc<Shared<K>>,
}

#[derive(Debug)]
struct Shared<K> {
    state: Mutex<State<K>>,
    /// Notified when the last running job has ended.
    ended: Notify,
}

#[derive(Debug)]
struct State<K> {
    bounds: Bounds,
    running: usize,
    waiting: usize,
    /// The number of the next job that waits.
    next: u64,
    closed: bool,
    /// Only owners with a job that runs or waits.
    lines: HashMap<K, Line>,
    /// The owners with a job that waits for nothing but a free place, the next one first. Empty
    /// while there is a free place.
    ring: VecDeque<K>,
}

#[derive(Debug, Default)]
struct Line {
    running: usize,
    waiting: VecDeque<(u64, oneshot::Sender<()>)>,
    is_in_ring: bool,
}

/// The right of a job to run, until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<K: Copy + Eq + Hash + Debug> {
    owner: K,
    turns: Turns<K>,
}

/// A place in an owner's line. Dropping it leaves the line.
struct Waiting<K: Copy + Eq + Hash + Debug> {
    owner: K,
    number: u64,
    granted: oneshot::Receiver<()>,
    /// `None` once the turn has come.
    turns: Option<Turns<K>>,
}

impl<K> Clone for Turns<K> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<K: Copy + Eq + Hash + Debug> Turns<K> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let state = State {
            bounds,
            running: 0,
            waiting: 0,
            next: 0,
            closed: false,
            lines: HashMap::new(),
            ring: VecDeque::new(),
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                ended: Notify::new(),
            }),
        }
    }

    /// Waits for a turn of `owner`. Dropping the future gives the place in the line back.
    pub(crate) async fn take(&self, owner: K) -> Result<Turn<K>, NoTurn> {
        let entered = self.lock().enter(owner)?;
        let Some((number, granted)) = entered else {
            return Ok(self.turn(owner));
        };
        let mut waiting = Waiting {
            owner,
            number,
            granted,
            turns: Some(self.clone()),
        };
        let granted = (&mut waiting.granted).await;
        waiting.turns = None;
        granted.map_err(|_| NoTurn::Closed)?;
        Ok(self.turn(owner))
    }

    fn turn(&self, owner: K) -> Turn<K> {
        Turn {
            owner,
            turns: self.clone(),
        }
    }

    /// Gives no more turns and rejects the jobs that wait.
    pub(crate) fn reject(&self) {
        self.lock().close();
    }

    /// Rejects further jobs, and returns when the running ones have ended.
    pub(crate) async fn close(&self) {
        self.reject();
        loop {
            let ended = self.shared.ended.notified();
            if self.lock().running == 0 {
                return;
            }
            ended.await;
        }
    }

    /// The running and the waiting jobs.
    #[cfg(test)]
    pub(crate) fn load(&self) -> (usize, usize) {
        let state = self.lock();
        (state.running, state.waiting)
    }

    /// The number of owners that are remembered.
    #[cfg(test)]
    pub(crate) fn owners(&self) -> usize {
        self.lock().lines.len()
    }

    /// Nothing panics while it is held.
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> State<K> {
    /// Whether a job of `owner` may begin at once.
    fn is_free_for(&self, owner: K) -> bool {
        let running = self.lines.get(&owner).map_or(0, |line| line.running);
        !self.closed && self.running < self.bounds.running && running < self.bounds.running_each
    }

    fn begin(&mut self, owner: K) {
        self.running += 1;
        self.lines.entry(owner).or_default().running += 1;
    }

    /// Begins a job, which is `None`, or puts it into its owner's line.
    fn enter(&mut self, owner: K) -> Result<Option<(u64, oneshot::Receiver<()>)>, NoTurn> {
        if self.closed {
            return Err(NoTurn::Closed);
        }
        if self.is_free_for(owner) {
            self.begin(owner);
            return Ok(None);
        }
        let line = self.lines.get(&owner);
        if line.map_or(0, |line| line.waiting.len()) >= self.bounds.waiting_each {
            return Err(NoTurn::OwnersLineIsFull);
        }
        if self.waiting >= self.bounds.waiting {
            return Err(NoTurn::AllLinesAreFull);
        }
        let (grant, granted) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        self.waiting += 1;
        let line = self.lines.entry(owner).or_default();
        line.waiting.push_back((number, grant));
        self.offer(owner);
        Ok(Some((number, granted)))
    }

    /// Puts an owner into the ring, if one of its jobs waits for nothing but a free place.
    fn offer(&mut self, owner: K) {
        if let Some(line) = self.lines.get_mut(&owner)
            && !line.waiting.is_empty()
            && !line.is_in_ring
            && line.running < self.bounds.running_each
        {
            line.is_in_ring = true;
            self.ring.push_back(owner);
        }
    }

    /// Ends a job of `owner`, and begins those for which there is a place then.
    fn end(&mut self, owner: K) {
        self.running -= 1;
        if let Some(line) = self.lines.get_mut(&owner) {
            line.running -= 1;
        }
        self.offer(owner);
        while self.running < self.bounds.running
            && let Some(next) = self.ring.pop_front()
        {
            self.grant(next);
        }
        self.forget(owner);
    }

    fn grant(&mut self, owner: K) {
        let Some(line) = self.lines.get_mut(&owner) else {
            return;
        };
        line.is_in_ring = false;
        if let Some((_, grant)) = line.waiting.pop_front() {
            self.waiting -= 1;
            self.begin(owner);
            // The receiver lives as long as its place in the line, which is dropped under this lock.
            let _ = grant.send(());
            self.offer(owner);
        }
    }

    /// Takes a job out of its line.
    fn leave(&mut self, owner: K, number: u64) {
        let Some(line) = self.lines.get_mut(&owner) else {
            return;
        };
        let before = line.waiting.len();
        line.waiting.retain(|(waiting, _)| *waiting != number);
        self.waiting -= before - line.waiting.len();
        if line.waiting.is_empty() && line.is_in_ring {
            line.is_in_ring = false;
            self.ring.retain(|waiting| *waiting != owner);
        }
        self.forget(owner);
    }

    fn forget(&mut self, owner: K) {
        if let Some(line) = self.lines.get(&owner)
            && line.running == 0
            && line.waiting.is_empty()
        {
            self.lines.remove(&owner);
        }
    }

    fn close(&mut self) {
        self.closed = true;
        self.ring.clear();
        self.waiting = 0;
        for line in self.lines.values_mut() {
            // Dropping the senders tells the jobs that wait.
            line.waiting.clear();
            line.is_in_ring = false;
        }
        self.lines.retain(|_, line| line.running > 0);
    }
}

impl<K: Copy + Eq + Hash + Debug> Drop for Turn<K> {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        state.end(self.owner);
        if state.running == 0 {
            self.turns.shared.ended.notify_waiters();
        }
    }
}

impl<K: Copy + Eq + Hash + Debug> Drop for Waiting<K> {
    fn drop(&mut self) {
        let Some(turns) = &self.turns else { return };
        let mut state = turns.lock();
        if self.granted.try_recv().is_ok() {
            // The turn came, and the job was dropped before it took it.
            state.end(self.owner);
            if state.running == 0 {
                turns.shared.ended.notify_waiters();
            }
        } else {
            state.leave(self.owner, self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures_util::FutureExt as _;

    use super::*;

    const BOUNDS: Bounds = Bounds {
        running: 2,
        running_each: 1,
        waiting_each: 2,
        waiting: 3,
    };

    type Taking<'a> = Pin<Box<dyn Future<Output = Result<Turn<char>, NoTurn>> + 'a>>;

    /// Asks for a turn that does not come at once.
    fn wait_for(turns: &Turns<char>, owner: char) -> Taking<'_> {
        let mut taking: Taking<'_> = Box::pin(turns.take(owner));
        assert!((&mut taking).now_or_never().is_none(), "{owner} waits");
        taking
    }

    fn now(taking: Taking<'_>) -> Turn<char> {
        let taken = taking.now_or_never().expect("it is its turn");
        taken.expect("it is open")
    }

    #[test]
    fn owners_take_turns() {
        let turns = Turns::new(Bounds {
            running: 1,
            waiting_each: 9,
            waiting: 9,
            ..BOUNDS
        });
        let first = now(Box::pin(turns.take('a')));
        let mut of_a: Vec<_> = (0..3).map(|_| wait_for(&turns, 'a')).collect();
        let of_b = wait_for(&turns, 'b');
        drop(first);
        let of_b = now(of_b);
        for waiting in &mut of_a {
            assert!(waiting.now_or_never().is_none(), "it is b's turn");
        }
        drop(of_b);
        for waiting in of_a {
            drop(now(waiting));
        }
        assert_eq!((turns.load(), turns.owners()), ((0, 0), 0));
    }

    #[test]
    fn one_owner_leaves_a_turn_for_others() {
        let turns = Turns::new(BOUNDS);
        let _first = now(Box::pin(turns.take('a')));
        let _second = wait_for(&turns, 'a');
        let _other = now(Box::pin(turns.take('b')));
        let _third = wait_for(&turns, 'c');
    }

    #[test]
    fn lines_are_bounded() {
        let turns = Turns::new(BOUNDS);
        let _first = now(Box::pin(turns.take('a')));
        let _waiting = [wait_for(&turns, 'a'), wait_for(&turns, 'a')];
        let rejected = turns.take('a').now_or_never().unwrap();
        assert_eq!(rejected.unwrap_err(), NoTurn::OwnersLineIsFull);
        let _second = now(Box::pin(turns.take('b')));
        let _third = wait_for(&turns, 'b');
        let rejected = turns.take('c').now_or_never().unwrap();
        assert_eq!(rejected.unwrap_err(), NoTurn::AllLinesAreFull);
    }

    #[test]
    fn a_dropped_job_gives_its_turn_back() {
        let turns = Turns::new(BOUNDS);
        let (first, second) = (turns.take('a'), turns.take('b'));
        let (first, second) = (now(Box::pin(first)), now(Box::pin(second)));
        drop(wait_for(&turns, 'a'));
        drop(wait_for(&turns, 'c'));
        assert_eq!(turns.load(), (2, 0));
        // One that is dropped between its turn and its next poll.
        let granted = wait_for(&turns, 'c');
        drop(first);
        assert_eq!(turns.load(), (2, 0));
        drop(granted);
        drop(second);
        assert_eq!((turns.load(), turns.owners()), ((0, 0), 0));
    }

    #[test]
    fn closing_rejects_waiting_jobs_and_waits_for_running_ones() {
        let turns = Turns::new(BOUNDS);
        let running = now(Box::pin(turns.take('a')));
        let waiting = wait_for(&turns, 'a');
        let mut closing = Box::pin(turns.close());
        assert!((&mut closing).now_or_never().is_none());
        let rejected = waiting.now_or_never().unwrap();
        assert_eq!(rejected.unwrap_err(), NoTurn::Closed);
        drop(running);
        assert!(closing.now_or_never().is_some());
        let rejected = turns.take('a').now_or_never().unwrap();
        assert_eq!(rejected.unwrap_err(), NoTurn::Closed);
    }
}
