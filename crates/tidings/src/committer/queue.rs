//! What waits for its commit, and what goes into the next one.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::Instant;

use super::steps::Steps;
use super::{Asker, Message, Request};

/// A group is closed when it has this many events or bytes: a commit of a few milliseconds, beyond
/// which a larger one gains nothing.
const GROUP_EVENTS: usize = 2048;
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// A group is closed after so many turns of the runtime without a new request. A turn is as many steps
/// of tasks as the runtime takes between two looks at the network, 16 in the server: publishers that
/// were answered together need several to come back, and would else split into two crowds, each with
/// commits of its own that cost as much as those of all.
const QUIET_TURNS: usize = 6;

/// The longest a group is held open: about as long as a commit takes. A steady trickle of requests, or
/// other work that takes the runtime's turns, holds it no longer.
const GATHER_TIME: Duration = Duration::from_millis(2);

/// The events that are changed in the same commit as others are published, at the publishers' expense.
const CHANGED_BESIDE: usize = 32;

/// The share of one asker: several flood the queue before another's single mark has to wait for a
/// step.
const CHANGED_BESIDE_EACH: usize = 8;

/// While several owners use the engine, steps rest for this many times as long as the last one took
/// that an owner asked for. So the writer is free three quarters of the time, and a step is in the way
/// of fewer than half of the other requests. Retention does not rest: it must keep up with publishers.
const REST: u32 = 3;

/// The requests of one commit.
pub(super) struct Group {
    pub(super) requests: Vec<Request>,
    /// Whether it has steps that were set aside, and that an owner asked for.
    pub(super) has_owners_steps: bool,
}

/// What waits for its commit.
pub(super) struct Queue {
    requests: mpsc::Receiver<Message>,
    /// Steps of changes that were set aside.
    steps: Steps,
    /// The last group left the steps out, so this one has one.
    step_is_due: bool,
    /// Until then steps make room for other requests.
    rested: Option<Instant>,
    /// Once it is closed, only what is queued counts: waiting for the channel's end would also wait
    /// for senders that were promised a place and do not come.
    closing: bool,
}

impl Queue {
    pub(super) fn new(requests: mpsc::Receiver<Message>) -> Self {
        Self {
            requests,
            steps: Steps::default(),
            step_is_due: false,
            rested: None,
            closing: false,
        }
    }

    /// Lets the steps rest after one that took so long.
    pub(super) fn rest_after(&mut self, time: Duration) {
        self.rested = Some(Instant::now() + time * REST);
    }

    /// The requests of the next commit; `None` when it is closed and empty.
    ///
    /// What changes many events lets the requests that came meanwhile go first, once, and no group has
    /// more of it than one step. So a publisher waits for one step at most, and a step for one group
    /// and its rest.
    pub(super) async fn next_group(&mut self) -> Option<Group> {
        loop {
            let first = self.first().await;
            if first.is_none() && self.steps.is_empty() {
                return None;
            }
            gather(&self.requests).await;
            let mut requests = self.collect(first);
            let may_step = !self.steps.is_empty() && self.rest().is_none();
            let has_steps = may_step && (requests.is_empty() || self.step_is_due);
            let has_owners_steps = has_steps && self.steps.move_some(&mut requests);
            self.step_is_due = !has_steps && !self.steps.is_empty();
            if !requests.is_empty() {
                return Some(Group {
                    requests,
                    has_owners_steps,
                });
            }
        }
    }

    /// The next message. `None` when it is time for a step, or nothing comes any more.
    async fn first(&mut self) -> Option<Message> {
        let received = match (self.steps.is_empty(), self.rest()) {
            _ if self.closing => return self.requests.try_recv().ok(),
            (false, None) => return self.requests.try_recv().ok(),
            (false, Some(rested)) => tokio::select! {
                biased;
                received = self.requests.recv() => received,
                () = tokio::time::sleep_until(rested) => return None,
            },
            (true, _) => self.requests.recv().await,
        };
        // All senders are gone: what is left is done without rest.
        self.closing |= received.is_none();
        received
    }

    /// Until when the steps rest.
    fn rest(&self) -> Option<Instant> {
        self.rested
            .filter(|rested| !self.closing && *rested > Instant::now())
    }

    /// Takes what is queued, up to the size of a group, without waiting, and sets aside what changes
    /// many events.
    fn collect(&mut self, first: Option<Message>) -> Vec<Request> {
        let (mut group, mut events, mut bytes) = (Vec::new(), 0, 0);
        let (mut changed, mut changed_by) = (0, HashMap::new());
        let mut next = first.or_else(|| self.requests.try_recv().ok());
        while let Some(message) = next {
            match message {
                Message::Do(request) => {
                    let (published, named) = request.work.size();
                    match request.asker {
                        Some(asker) if !is_beside(asker, named, changed, &mut changed_by) => {
                            self.steps.push(asker, request);
                        }
                        _ => {
                            events += published + named;
                            changed += named;
                            bytes += request.bytes;
                            group.push(request);
                        }
                    }
                }
                Message::Close => {
                    self.closing = true;
                    self.requests.close();
                }
            }
            let full = events >= GROUP_EVENTS || bytes >= GROUP_BYTES;
            next = if full {
                None
            } else {
                self.requests.try_recv().ok()
            };
        }
        group
    }
}

/// Whether a change of so many events goes into the group that is being collected.
fn is_beside(
    asker: Asker,
    named: usize,
    changed: usize,
    changed_by: &mut HashMap<Asker, usize>,
) -> bool {
    if changed + named > CHANGED_BESIDE {
        return false;
    }
    let of_asker = changed_by.entry(asker).or_default();
    // A larger change goes alone, as does the first of each asker.
    if *of_asker > 0 && *of_asker + named > CHANGED_BESIDE_EACH {
        return false;
    }
    *of_asker += named;
    true
}

/// Holds a group open while the queue grows within a few turns of the runtime: publishers whose requests
/// have arrived get into this group, not into one of their own after it. A commit costs almost the same
/// however many share it. While nothing else goes on, all turns together are some microseconds.
///
/// Cancel-safe.
async fn gather(requests: &mpsc::Receiver<Message>) {
    let begun = std::time::Instant::now();
    let (mut queued, mut quiet) = (requests.len(), 0);
    while quiet < QUIET_TURNS && queued < GROUP_EVENTS && begun.elapsed() < GATHER_TIME {
        // Lets tasks run that can, and takes notice of what has come over the network.
        yield_now().await;
        let now = requests.len();
        quiet = if now == queued { quiet + 1 } else { 0 };
        queued = now;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use tidings_event::{Change, EventId, OwnerId};
    use tokio::sync::{Semaphore, oneshot};

    use super::super::{Answer, QUEUE_REQUESTS};
    use super::*;
    use crate::store::{ChangeStep, Target, Work};

    async fn send(messages: &mpsc::Sender<Message>, (work, asker): (Work, Option<Asker>)) {
        let room = Arc::new(Semaphore::new(0));
        let (answer, _) = oneshot::channel();
        let request = Request {
            work,
            asker,
            bytes: 0,
            answer: Answer::Published(answer),
            _room: room.acquire_many_owned(0).await.unwrap(),
        };
        assert!(messages.send(Message::Do(request)).await.is_ok());
    }

    /// A queue that holds this, and is closed.
    async fn queue(work: Vec<(Work, Option<Asker>)>) -> Queue {
        let (messages, requests) = mpsc::channel(QUEUE_REQUESTS);
        for work in work {
            send(&messages, work).await;
        }
        assert!(messages.send(Message::Close).await.is_ok());
        Queue::new(requests)
    }

    fn publish() -> (Work, Option<Asker>) {
        (
            Work::Publish(crate::store::Publication {
                submissions: Vec::new(),
                quota: None,
            }),
            None,
        )
    }

    fn change(events: usize) -> (Work, Option<Asker>) {
        change_by(Asker::Owner(OwnerId::mint()), events)
    }

    fn change_by(asker: Asker, events: usize) -> (Work, Option<Asker>) {
        let step = ChangeStep {
            owner: OwnerId::mint(),
            targets: std::iter::repeat_with(|| Target::named(EventId::mint()))
                .take(events)
                .collect(),
            change: Change::Delete,
            only: None,
            at: Timestamp::UNIX_EPOCH,
        };
        (Work::Change(step), Some(asker))
    }

    /// How many events each request of a group changes.
    fn changed(group: &Group) -> Vec<usize> {
        let requests = group.requests.iter();
        requests.map(|request| request.work.size().1).collect()
    }

    async fn groups(mut queue: Queue) -> Vec<Vec<usize>> {
        let mut groups = Vec::new();
        while let Some(group) = queue.next_group().await {
            groups.push(changed(&group));
        }
        groups
    }

    #[tokio::test]
    async fn requests_go_before_a_step_and_no_commit_has_two() {
        let queue = queue(vec![change(512), publish(), change(300), publish()]).await;
        assert_eq!(groups(queue).await, [vec![0, 0], vec![512], vec![300]]);
    }

    #[tokio::test]
    async fn a_step_waits_for_one_group_only() {
        let (messages, requests) = mpsc::channel(QUEUE_REQUESTS);
        let mut queue = Queue::new(requests);
        send(&messages, change(512)).await;
        for expected in [vec![0], vec![0, 512], vec![0], vec![0]] {
            send(&messages, publish()).await;
            let group = queue.next_group().await.unwrap();
            assert_eq!(changed(&group), expected);
        }
    }

    #[tokio::test]
    async fn small_steps_share_a_commit() {
        let work = std::iter::repeat_with(|| change(20)).take(40).collect();
        let groups = groups(queue(work).await).await;
        let sizes: Vec<usize> = groups.iter().map(|group| group.iter().sum()).collect();
        assert_eq!(sizes, [20, 500, 280]);
    }

    #[tokio::test]
    async fn steps_of_several_askers_take_turns() {
        let [one, other] = [OwnerId::mint(), OwnerId::mint()].map(Asker::Owner);
        let mut work: Vec<_> = (0..4).map(|_| change_by(one, 500)).collect();
        work.push(change_by(Asker::Upkeep, 400));
        work.push(change_by(other, 300));
        work.push(change_by(other, 301));
        let expected: [&[usize]; 7] = [&[500], &[400], &[300], &[500], &[301], &[500], &[500]];
        let mut queue = queue(work).await;
        for (turn, expected) in expected.into_iter().enumerate() {
            let group = queue.next_group().await.unwrap();
            assert_eq!(changed(&group), expected);
            assert_eq!(group.has_owners_steps, turn != 1);
        }
    }

    #[tokio::test]
    async fn a_flood_of_single_marks_leaves_room_for_those_of_others() {
        let [flooder, other] = [OwnerId::mint(), OwnerId::mint()].map(Asker::Owner);
        let mut work: Vec<_> = (0..600).map(|_| change_by(flooder, 1)).collect();
        work.push(change_by(other, 2));
        let first = queue(work).await.next_group().await.unwrap();
        let mut expected = vec![1; CHANGED_BESIDE_EACH];
        expected.push(2);
        assert_eq!(changed(&first), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn steps_rest_while_others_are_served() {
        let (messages, requests) = mpsc::channel(QUEUE_REQUESTS);
        let mut queue = Queue::new(requests);
        for _ in 0..2 {
            send(&messages, change(512)).await;
        }
        assert_eq!(changed(&queue.next_group().await.unwrap()), [512]);
        let (step, begun) = (Duration::from_millis(10), Instant::now());
        queue.rest_after(step);
        // However many groups there are meanwhile, none has a step.
        for _ in 0..3 {
            send(&messages, publish()).await;
            assert_eq!(changed(&queue.next_group().await.unwrap()), [0]);
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(changed(&queue.next_group().await.unwrap()), [512]);
        assert!(begun.elapsed() >= step * REST, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_closes_does_not_rest() {
        let mut queue = queue(vec![change(512), change(512)]).await;
        queue.rest_after(Duration::from_secs(3_600));
        let begun = Instant::now();
        assert_eq!(groups(queue).await, [[512], [512]]);
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
