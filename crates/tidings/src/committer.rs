//! The one write path: requests queue here, are committed in groups, delivered, acknowledged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tidings_event::{OwnerId, Rev};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::engine::Receipt;
use crate::error::PublishError;
use crate::frame::Frame;
use crate::hub::Hub;
use crate::store::{Conflict, Outcome, Store, Stored, Submission};

/// Requests that wait for their commit. When it is full, publishers wait before their request is
/// taken.
const QUEUE_REQUESTS: usize = 4096;

/// The bytes of JSON in waiting requests, which bound the queue before their number does.
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
    pub(crate) fn start(store: Arc<dyn Store>, hub: Arc<Hub>) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE_REQUESTS);
        Self {
            queue,
            room: Arc::new(Semaphore::new(QUEUE_BYTES)),
            task: Mutex::new(Some(tokio::spawn(run(requests, store, hub)))),
        }
    }

    /// Stores a request whole or not at all.
    ///
    /// When the caller drops the future while it waits for room in the queue, nothing was taken;
    /// after that the request is stored and delivered all the same.
    pub(crate) async fn publish(&self, submissions: Vec<Submission>) -> Answer {
        let bytes = submissions.iter().map(|one| one.json.len()).sum();
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
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the committer ended abnormally");
        }
    }
}

async fn run(mut requests: mpsc::Receiver<Message>, store: Arc<dyn Store>, hub: Arc<Hub>) {
    while let Some(message) = requests.recv().await {
        let group = collect(message, &mut requests);
        if !group.is_empty() {
            commit(group, &*store, &hub).await;
        }
    }
}

/// Takes what is queued behind the first message, up to the size of a group, without waiting.
fn collect(first: Message, requests: &mut mpsc::Receiver<Message>) -> Vec<Request> {
    let (mut group, mut events, mut bytes) = (Vec::new(), 0, 0);
    let mut next = Some(first);
    while let Some(message) = next {
        match message {
            Message::Publish(request) => {
                events += request.submissions.len();
                bytes += request.bytes;
                group.push(request);
            }
            // What was sent before and is still queued is received all the same.
            Message::Close => requests.close(),
        }
        let full = events >= GROUP_EVENTS || bytes >= GROUP_BYTES;
        next = if full { None } else { requests.try_recv().ok() };
    }
    group
}

async fn commit(group: Vec<Request>, store: &dyn Store, hub: &Hub) {
    let (mut submissions, mut waiting) = (Vec::new(), Vec::new());
    for request in group {
        submissions.push(request.submissions);
        waiting.push((request.answer, request._room));
    }
    match store.commit(submissions).await {
        Ok(outcomes) => {
            deliver(&outcomes, hub);
            for ((answer, _room), outcome) in waiting.into_iter().zip(outcomes) {
                // The caller may be gone; what it sent is stored and delivered.
                let _ = answer.send(answer_of(outcome));
            }
        }
        Err(error) => {
            let error = Arc::new(error);
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
        if let (false, Some(owner)) = (stored.repeated, stored.event.owner) {
            let frame = Frame::created(stored.json.clone());
            by_owner.entry(owner).or_default().push((stored.rev, frame));
        }
    }
    for (owner, frames) in by_owner {
        hub.deliver(owner, frames);
    }
}

fn answer_of(outcome: Outcome) -> Answer {
    match outcome {
        Ok(stored) => Ok(stored.into_iter().map(Receipt::from).collect()),
        Err(Conflict { index, id }) => Err(PublishError::Conflict { index, id }),
    }
}

impl From<Stored> for Receipt {
    fn from(stored: Stored) -> Self {
        Self {
            event: stored.event,
            json: stored.json,
            rev: stored.rev,
            repeated: stored.repeated,
        }
    }
}
