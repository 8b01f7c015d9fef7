//! The one write path: requests queue here, are committed in groups, delivered, acknowledged.

use std::collections::HashMap;
use std::sync::Arc;

use tidings_event::{OwnerId, Rev};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::error::PublishError;
use crate::frame::Frame;
use crate::hub::Hub;
use crate::metrics::{Metrics, OutcomeLabel};
use crate::receipt::Receipt;
use crate::store::{Committed, Conflict, Outcome, Store, Submission};

/// Requests that wait for their commit. When it is full, publishers wait before their request is
/// taken.
const QUEUE_REQUESTS: usize = 4096;

/// The memory of waiting requests, which bounds the queue before their number does.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// A group is closed when it has this many events or bytes: a commit of a few milliseconds, beyond
/// which a larger one gains nothing.
const GROUP_EVENTS: usize = 2048;
const GROUP_BYTES: usize = 8 * 1024 * 1024;

type Answer = Result<Vec<Receipt>, PublishError>;

enum Message {
    Publish(Request),
    Close,
}

struct Request {
    submissions: Vec<Submission>,
    bytes: usize,
    answer: oneshot::Sender<Answer>,
    /// Room in the queue, given back when the request is answered.
    _room: OwnedSemaphorePermit,
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
    pub(crate) async fn publish(&self, submissions: Vec<Submission>) -> Answer {
        let bytes = submissions.iter().map(Submission::bytes).sum();
        // A request larger than the whole queue, which only unusual limits allow, waits for all of
        // its room.
        let permits = u32::try_from(std::cmp::min(bytes, QUEUE_BYTES))
            .expect("the size of the queue fits 32 bits");
        let room = Arc::clone(&self.room)
            .acquire_many_owned(permits)
            .await
            .map_err(|_| PublishError::Closed)?;
        let (answer, outcome) = oneshot::channel();
        let request = Request {
            submissions,
            bytes,
            answer,
            _room: room,
        };
        self.queue
            .send(Message::Publish(request))
            .await
            .map_err(|_| PublishError::Closed)?;
        outcome.await.map_err(|_| PublishError::Closed)?
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

async fn run(
    mut requests: mpsc::Receiver<Message>,
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
) {
    let mut closing = false;
    loop {
        // Once it is closed, only what is queued counts: waiting for the channel's end would also
        // wait for senders that were promised a place and do not come.
        let message = if closing {
            requests.try_recv().ok()
        } else {
            requests.recv().await
        };
        let Some(message) = message else { return };
        let group = collect(message, &mut requests, &mut closing);
        if !group.is_empty() {
            commit(group, &*store, &hub, &metrics).await;
        }
    }
}

/// Takes what is queued behind the first message, up to the size of a group, without waiting.
fn collect(
    first: Message,
    requests: &mut mpsc::Receiver<Message>,
    closing: &mut bool,
) -> Vec<Request> {
    let (mut group, mut events, mut bytes) = (Vec::new(), 0, 0);
    let mut next = Some(first);
    while let Some(message) = next {
        match message {
            Message::Publish(request) => {
                events += request.submissions.len();
                bytes += request.bytes;
                group.push(request);
            }
            Message::Close => {
                *closing = true;
                requests.close();
            }
        }
        let full = events >= GROUP_EVENTS || bytes >= GROUP_BYTES;
        next = if full { None } else { requests.try_recv().ok() };
    }
    group
}

async fn commit(group: Vec<Request>, store: &dyn Store, hub: &Hub, metrics: &Metrics) {
    let (mut submissions, mut waiting) = (Vec::new(), Vec::new());
    for request in group {
        submissions.push(request.submissions);
        waiting.push((request.answer, request._room));
    }
    match store.commit(submissions).await {
        Ok(committed) => {
            deliver(&committed.outcomes, hub);
            count(&committed, metrics);
            for ((answer, _room), outcome) in waiting.into_iter().zip(committed.outcomes) {
                // The caller may be gone; what it sent is stored and delivered.
                let _ = answer.send(answer_of(outcome));
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            let requests = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
            metrics
                .requests
                .get_or_create(&OutcomeLabel::FAILED)
                .inc_by(requests);
            for (answer, _room) in waiting {
                let _ = answer.send(Err(PublishError::Store(Arc::clone(&error))));
            }
        }
    }
}

/// Shows what is new to those who follow its feeds, each feed in the order of its revs.
fn deliver(outcomes: &[Outcome], hub: &Hub) {
    let mut by_owner: HashMap<OwnerId, Vec<(Rev, Frame)>> = HashMap::new();
    for stored in outcomes.iter().flatten().flatten() {
        if !stored.repeated {
            let frame = Frame::created(stored.json.clone());
            let frames = by_owner.entry(stored.owner).or_default();
            frames.push((stored.rev, frame));
        }
    }
    for (owner, frames) in by_owner {
        hub.deliver(owner, frames);
    }
}

fn count(committed: &Committed, metrics: &Metrics) {
    let mut events = 0_u32;
    for outcome in &committed.outcomes {
        let label = match outcome {
            Ok(_) => OutcomeLabel::STORED,
            Err(_) => OutcomeLabel::CONFLICT,
        };
        metrics.requests.get_or_create(&label).inc();
        for stored in outcome.iter().flatten() {
            if stored.repeated {
                metrics.events_repeated.inc();
            } else {
                metrics.events_stored.inc();
                events += 1;
            }
        }
    }
    metrics.commit_events.observe(f64::from(events));
    metrics
        .commit_sync_seconds
        .observe(committed.sync_time.as_secs_f64());
}

fn answer_of(outcome: Outcome) -> Answer {
    match outcome {
        Ok(stored) => Ok(stored.into_iter().map(Receipt::from).collect()),
        Err(Conflict { index, id }) => Err(PublishError::Conflict { index, id }),
    }
}
