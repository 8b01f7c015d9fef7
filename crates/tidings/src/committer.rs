//! The one write path: what is to be stored or changed queues here, is committed in groups,
//! delivered, acknowledged.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidings_event::{Change, Deletion, OwnerId, StatusChange, StreamItem};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::{JoinHandle, yield_now};

use crate::error::{ChangeError, PublishError};
use crate::frame::Frame;
use crate::hub::{Delivery, Hub};
use crate::metrics::{ChangeLabel, Metrics, OutcomeLabel};
use crate::receipt::Receipt;
use crate::store::{
    ChangeStep, Changed, Committed, Conflict, Outcome, Store, StoreError, Submission, Work,
};

/// Requests that wait for their commit. When it is full, publishers wait before their request is
/// taken.
const QUEUE_REQUESTS: usize = 4096;

/// The memory of waiting requests, which bounds the queue before their number does.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

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

/// About the memory of a change for each event it names.
const CHANGE_BYTES: usize = 128;

type Published = Result<Vec<Receipt>, PublishError>;

enum Message {
    Do(Request),
    Close,
}

struct Request {
    work: Work,
    bytes: usize,
    answer: Answer,
    /// Room in the queue, given back when the request is answered.
    _room: OwnedSemaphorePermit,
}

/// Where the outcome is waited for.
enum Answer {
    Published(oneshot::Sender<Published>),
    Changed(oneshot::Sender<Result<Changed, ChangeError>>),
}

/// Hands requests to the task that commits them. The task ends when this is closed or dropped.
#[derive(Debug)]
pub(crate) struct Committer {
    queue: mpsc::Sender<Message>,
    room: Arc<Semaphore>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Committer {
    /// Starts the task on the current Tokio runtime.
    pub(crate) fn start(store: Arc<dyn Store>, hub: Arc<Hub>, metrics: Arc<Metrics>) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE_REQUESTS);
        Self {
            queue,
            room: Arc::new(Semaphore::new(QUEUE_BYTES)),
            task: Mutex::new(Some(tokio::spawn(run(requests, store, hub, metrics)))),
        }
    }

    /// Stores a request whole or not at all.
    ///
    /// When the caller drops the future while it waits for room in the queue, nothing was taken;
    /// after that the request is stored and delivered all the same.
    pub(crate) async fn publish(&self, submissions: Vec<Submission>) -> Published {
        let bytes = submissions.iter().map(Submission::bytes).sum();
        let (answer, outcome) = oneshot::channel();
        let work = Work::Publish(submissions);
        self.queue(work, bytes, Answer::Published(answer))
            .await
            .map_err(|Closed| PublishError::Closed)?;
        outcome.await.map_err(|_| PublishError::Closed)?
    }

    /// Does a step of a change. What was said of dropped futures holds here too.
    pub(crate) async fn change(&self, step: ChangeStep) -> Result<Changed, ChangeError> {
        let bytes = CHANGE_BYTES * step.ids.len();
        let (answer, outcome) = oneshot::channel();
        self.queue(Work::Change(step), bytes, Answer::Changed(answer))
            .await
            .map_err(|Closed| ChangeError::Closed)?;
        outcome.await.map_err(|_| ChangeError::Closed)?
    }

    async fn queue(&self, work: Work, bytes: usize, answer: Answer) -> Result<(), Closed> {
        // A request larger than the whole queue, which only unusual limits allow, waits for all of
        // its room.
        let permits = u32::try_from(std::cmp::min(bytes, QUEUE_BYTES))
            .expect("the size of the queue fits 32 bits");
        let room = match Arc::clone(&self.room).try_acquire_many_owned(permits) {
            Ok(room) => room,
            // Waiting takes room in every request's memory, and is rare.
            Err(_) => Box::pin(Arc::clone(&self.room).acquire_many_owned(permits))
                .await
                .map_err(|_| Closed)?,
        };
        let request = Request {
            work,
            bytes,
            answer,
            _room: room,
        };
        match self.queue.try_send(Message::Do(request)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(message)) => {
                Box::pin(self.queue.send(message)).await.map_err(|_| Closed)
            }
            Err(TrySendError::Closed(_)) => Err(Closed),
        }
    }

    /// Takes no more requests, and returns when those that were taken are answered.
    pub(crate) async fn close(&self) {
        // Fails only when the task has ended.
        let _ = self.queue.send(Message::Close).await;
        // Every caller waits for the end; the handle goes only when it has come.
        let mut task = self.task.lock().await;
        if let Some(running) = task.as_mut() {
            if let Err(error) = running.await {
                tracing::error!(%error, "the committer ended abnormally");
            }
            *task = None;
        }
    }
}

/// The task has ended.
struct Closed;

async fn run(
    requests: mpsc::Receiver<Message>,
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
) {
    let mut queue = Queue::new(requests);
    while let Some(group) = queue.next_group().await {
        commit(group, &*store, &hub, &metrics).await;
    }
}

/// What waits for its commit.
struct Queue {
    requests: mpsc::Receiver<Message>,
    /// Steps of changes that were set aside. Their memory counts as the queue's.
    steps: VecDeque<Request>,
    /// The last group left the steps out, so this one has one.
    step_is_due: bool,
    /// Once it is closed, only what is queued counts: waiting for the channel's end would also wait
    /// for senders that were promised a place and do not come.
    closing: bool,
}

impl Queue {
    const fn new(requests: mpsc::Receiver<Message>) -> Self {
        Self {
            requests,
            steps: VecDeque::new(),
            step_is_due: false,
            closing: false,
        }
    }

    /// The requests of the next commit; `None` when it is closed and empty.
    ///
    /// What changes many events lets the requests that came meanwhile go first, once, and no group has
    /// more of it than one step. So a publisher waits for one step at most, and a step for one group.
    async fn next_group(&mut self) -> Option<Vec<Request>> {
        loop {
            let first = if self.closing || !self.steps.is_empty() {
                self.requests.try_recv().ok()
            } else {
                self.requests.recv().await
            };
            if first.is_none() && self.steps.is_empty() {
                return None;
            }
            gather(&self.requests).await;
            let mut group = self.collect(first);
            if group.is_empty() || self.step_is_due {
                self.add_step(&mut group);
                self.step_is_due = false;
            } else {
                self.step_is_due = !self.steps.is_empty();
            }
            if !group.is_empty() {
                return Some(group);
            }
        }
    }

    /// Adds a step that was set aside, or several small ones that make no more.
    fn add_step(&mut self, group: &mut Vec<Request>) {
        let mut changed = 0;
        while let Some(step) = self.steps.front() {
            let (_, named) = step.work.size();
            if changed > 0 && changed + named > StreamItem::MAX_IDS {
                return;
            }
            changed += named;
            group.extend(self.steps.pop_front());
        }
    }

    /// Takes what is queued, up to the size of a group, without waiting, and sets aside what changes
    /// many events.
    fn collect(&mut self, first: Option<Message>) -> Vec<Request> {
        let (mut group, mut events, mut bytes) = (Vec::new(), 0, 0);
        let mut changed = 0;
        let mut next = first.or_else(|| self.requests.try_recv().ok());
        while let Some(message) = next {
            match message {
                Message::Do(request) => {
                    let (published, named) = request.work.size();
                    if named > 0 && changed + named > CHANGED_BESIDE {
                        self.steps.push_back(request);
                    } else {
                        events += published + named;
                        changed += named;
                        bytes += request.bytes;
                        group.push(request);
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

/// Holds a group open while the queue grows within a few turns of the runtime: publishers whose requests
/// have arrived get into this group, not into one of their own after it. A commit costs almost the same
/// however many share it. While nothing else goes on, all turns together are some microseconds.
///
/// Cancel-safe.
async fn gather(requests: &mpsc::Receiver<Message>) {
    let begun = Instant::now();
    let (mut queued, mut quiet) = (requests.len(), 0);
    while quiet < QUIET_TURNS && queued < GROUP_EVENTS && begun.elapsed() < GATHER_TIME {
        // Lets tasks run that can, and takes notice of what has come over the network.
        yield_now().await;
        let now = requests.len();
        quiet = if now == queued { quiet + 1 } else { 0 };
        queued = now;
    }
}

async fn commit(group: Vec<Request>, store: &dyn Store, hub: &Hub, metrics: &Metrics) {
    let (mut work, mut waiting) = (Vec::new(), Vec::new());
    for request in group {
        work.push(request.work);
        waiting.push((request.answer, request._room));
    }
    match store.commit(work).await {
        Ok(committed) => {
            deliver(&committed.outcomes, store.identity().system.into(), hub);
            count(&committed, metrics);
            for ((answer, _room), outcome) in waiting.into_iter().zip(committed.outcomes) {
                answer.send(outcome);
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for (answer, _room) in waiting {
                if matches!(answer, Answer::Published(_)) {
                    metrics.requests.get_or_create(&OutcomeLabel::FAILED).inc();
                }
                answer.fail(&error);
            }
        }
    }
}

/// Shows what is new to those who follow its feeds, each feed in the order of its revs.
fn deliver(outcomes: &[Outcome], system: OwnerId, hub: &Hub) {
    let mut by_owner: HashMap<OwnerId, Vec<Delivery>> = HashMap::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Stored(stored) => {
                for one in stored.iter().filter(|one| !one.repeated) {
                    let frame = Frame::created(one.json.clone());
                    let deliveries = by_owner.entry(one.owner).or_default();
                    deliveries.push(Delivery::of_one(one.rev, frame));
                }
            }
            Outcome::Changed(changed) if !changed.ids.is_empty() => {
                let deliveries = by_owner.entry(changed.owner).or_default();
                deliveries.push(delivery_of(changed, system));
            }
            Outcome::Changed(_) | Outcome::Conflict(_) => {}
        }
    }
    for (owner, deliveries) in by_owner {
        hub.deliver(owner, deliveries);
    }
}

/// A step is shown by one frame.
fn delivery_of(changed: &Changed, system: OwnerId) -> Delivery {
    // What the end of one of the system's events means for a user's counts depends on the user.
    let differs_by_reader = changed.owner == system;
    Delivery {
        first: changed.revs.after.next(),
        last: changed.revs.up_to,
        system: changed.system,
        frame: (!differs_by_reader).then(|| frame_of(changed)),
    }
}

fn frame_of(changed: &Changed) -> Frame {
    let ids = changed.ids.clone();
    let counts = Some(changed.counts.clone());
    match changed.change {
        Change::Status(status) => Frame::status(&StatusChange {
            ids,
            status,
            updated_at: changed.at,
            counts,
        }),
        Change::Delete => Frame::deleted(&Deletion { ids, counts }),
    }
}

fn count(committed: &Committed, metrics: &Metrics) {
    let mut events = 0_u32;
    for outcome in &committed.outcomes {
        match outcome {
            Outcome::Stored(stored) => {
                let label = &OutcomeLabel::STORED;
                metrics.requests.get_or_create(label).inc();
                for one in stored {
                    if one.repeated {
                        metrics.events_repeated.inc();
                    } else {
                        metrics.events_stored.inc();
                        events += 1;
                    }
                }
            }
            Outcome::Conflict(_) => {
                let label = &OutcomeLabel::CONFLICT;
                metrics.requests.get_or_create(label).inc();
            }
            Outcome::Changed(changed) => {
                let number = changed.ids.len();
                metrics.frames_encoded.inc_by(u64::from(number > 0));
                let label = &ChangeLabel::of(changed.change);
                metrics
                    .events_changed
                    .get_or_create(label)
                    .inc_by(number as u64);
                events = events.saturating_add(u32::try_from(number).unwrap_or(u32::MAX));
            }
        }
    }
    metrics.commit_events.observe(f64::from(events));
    metrics
        .commit_sync_seconds
        .observe(committed.sync_time.as_secs_f64());
}

impl Answer {
    /// The caller may be gone; what was asked for is done and delivered.
    fn send(self, outcome: Outcome) {
        match (self, outcome) {
            (Self::Published(answer), Outcome::Stored(stored)) => {
                let receipts = stored.into_iter().map(Receipt::from).collect();
                let _ = answer.send(Ok(receipts));
            }
            (Self::Published(answer), Outcome::Conflict(Conflict { index, id })) => {
                let _ = answer.send(Err(PublishError::Conflict { index, id }));
            }
            (Self::Changed(answer), Outcome::Changed(changed)) => {
                let _ = answer.send(Ok(changed));
            }
            // A store answers what it was asked; dropping the sender says that it did not.
            (Self::Published(_), Outcome::Changed(_))
            | (Self::Changed(_), Outcome::Stored(_) | Outcome::Conflict(_)) => {
                tracing::error!("the store answered something else than it was asked");
            }
        }
    }

    fn fail(self, error: &Arc<StoreError>) {
        match self {
            Self::Published(answer) => {
                let _ = answer.send(Err(PublishError::Store(Arc::clone(error))));
            }
            Self::Changed(answer) => {
                let _ = answer.send(Err(ChangeError::Store(Arc::clone(error))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tidings_event::EventId;

    use super::*;

    async fn send(messages: &mpsc::Sender<Message>, work: Work) {
        let room = Arc::new(Semaphore::new(0));
        let (answer, _) = oneshot::channel();
        let request = Request {
            work,
            bytes: 0,
            answer: Answer::Published(answer),
            _room: room.acquire_many_owned(0).await.unwrap(),
        };
        assert!(messages.send(Message::Do(request)).await.is_ok());
    }

    /// A queue that holds this, and is closed.
    async fn queue(work: Vec<Work>) -> Queue {
        let (messages, requests) = mpsc::channel(QUEUE_REQUESTS);
        for work in work {
            send(&messages, work).await;
        }
        assert!(messages.send(Message::Close).await.is_ok());
        Queue::new(requests)
    }

    fn publish() -> Work {
        Work::Publish(Vec::new())
    }

    fn change(events: usize) -> Work {
        Work::Change(ChangeStep {
            owner: OwnerId::mint(),
            ids: std::iter::repeat_with(EventId::mint).take(events).collect(),
            change: Change::Delete,
            only: None,
            at: Timestamp::UNIX_EPOCH,
        })
    }

    /// How many events each request of each group changes.
    async fn groups(mut queue: Queue) -> Vec<Vec<usize>> {
        let mut groups = Vec::new();
        while let Some(group) = queue.next_group().await {
            let changed = group.iter().map(|request| request.work.size().1);
            groups.push(changed.collect());
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
            let changed = group.iter().map(|request| request.work.size().1);
            assert_eq!(changed.collect::<Vec<_>>(), expected);
        }
    }

    #[tokio::test]
    async fn small_steps_share_a_commit() {
        let work = std::iter::repeat_with(|| change(20)).take(40).collect();
        let groups = groups(queue(work).await).await;
        let sizes: Vec<usize> = groups.iter().map(|group| group.iter().sum()).collect();
        assert_eq!(sizes, [20, 500, 280]);
    }
}
