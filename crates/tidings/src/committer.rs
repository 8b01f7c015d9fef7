//! The one write path: what is to be stored or changed queues here, is committed in groups,
//! delivered, acknowledged.

mod queue;
mod steps;

use std::collections::HashMap;
use std::sync::Arc;

use tidings_event::{Change, Deletion, OwnerId, StatusChange};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::activity::Activity;
use crate::error::{ChangeError, PublishError};
use crate::frame::Frame;
use crate::hub::{Delivery, Hub};
use crate::metrics::{ChangeLabel, Metrics, OutcomeLabel};
use crate::receipt::Receipt;
use crate::store::{
    ChangeStep, Changed, Committed, Conflict, Outcome, OverQuota, Publication, Store, StoreError,
    Submission, Target, Work,
};
use queue::Queue;

/// Requests that wait for their commit. When it is full, publishers wait before their request is
/// taken.
const QUEUE_REQUESTS: usize = 4096;

/// The memory of waiting requests, which bounds the queue before their number does.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// About the memory of a change for each event it names.
const CHANGE_BYTES: usize = 128;

type Published = Result<Vec<Receipt>, PublishError>;

enum Message {
    Do(Request),
    Close,
}

struct Request {
    work: Work,
    /// `None` of a publish request.
    asker: Option<Asker>,
    bytes: usize,
    answer: Answer,
    /// Room in the queue, given back when the request is answered.
    _room: OwnedSemaphorePermit,
}

/// Who asks for a step of a change. Askers take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    /// The owner whose view of the events changes.
    Owner(OwnerId),
    /// The background task, whoever owns the events.
    Upkeep,
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
    pub(crate) fn start(
        store: Arc<dyn Store>,
        hub: Arc<Hub>,
        metrics: Arc<Metrics>,
        activity: Arc<Activity>,
    ) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE_REQUESTS);
        let task = run(Queue::new(requests), store, hub, metrics, activity);
        Self {
            queue,
            room: Arc::new(Semaphore::new(QUEUE_BYTES)),
            task: Mutex::new(Some(tokio::spawn(task))),
        }
    }

    /// Stores a request whole or not at all.
    ///
    /// When the caller drops the future while it waits for room in the queue, nothing was taken;
    /// after that the request is stored and delivered all the same.
    pub(crate) async fn publish(&self, publication: Publication) -> Published {
        let sizes = publication.submissions.iter().map(Submission::bytes);
        let bytes = sizes.sum();
        let (answer, outcome) = oneshot::channel();
        let work = Work::Publish(publication);
        self.queue(work, None, bytes, Answer::Published(answer))
            .await
            .map_err(|Closed| PublishError::Closed)?;
        outcome.await.map_err(|_| PublishError::Closed)?
    }

    /// Does a step of a change. What was said of dropped futures holds here too.
    ///
    /// On a disk that is nearly full, a step for whose commit there is no room is done in halves, each
    /// with a commit and a frame of its own; what is returned sums up their events only.
    pub(crate) async fn change(
        &self,
        step: ChangeStep,
        asker: Asker,
    ) -> Result<Changed, ChangeError> {
        let whole = self.change_at_once(step.clone(), asker).await;
        if !has_no_room(&whole) || step.targets.len() < 2 {
            return whole;
        }
        let mut waiting = Vec::from(halves(&step));
        let mut done: Option<Changed> = None;
        while let Some(step) = waiting.pop() {
            let changed = self.change_at_once(step.clone(), asker).await;
            if has_no_room(&changed) && step.targets.len() > 1 {
                waiting.extend(halves(&step));
                continue;
            }
            let changed = changed?;
            match &mut done {
                Some(done) => {
                    done.ids.extend(changed.ids);
                    done.unchanged += changed.unchanged;
                }
                None => done = Some(changed),
            }
        }
        Ok(done.expect("a step has a half"))
    }

    async fn change_at_once(&self, step: ChangeStep, asker: Asker) -> Result<Changed, ChangeError> {
        let bytes = CHANGE_BYTES * step.targets.len();
        let (answer, outcome) = oneshot::channel();
        let work = Work::Change(step);
        self.queue(work, Some(asker), bytes, Answer::Changed(answer))
            .await
            .map_err(|Closed| ChangeError::Closed)?;
        outcome.await.map_err(|_| ChangeError::Closed)?
    }

    async fn queue(
        &self,
        work: Work,
        asker: Option<Asker>,
        bytes: usize,
        answer: Answer,
    ) -> Result<(), Closed> {
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
            asker,
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

fn has_no_room(changed: &Result<Changed, ChangeError>) -> bool {
    matches!(changed, Err(ChangeError::Store(error)) if matches!(**error, StoreError::Full(_)))
}

/// The two halves of a step, the first one last.
fn halves(step: &ChangeStep) -> [ChangeStep; 2] {
    let (first, second) = step.targets.split_at(step.targets.len() / 2);
    [second, first].map(|targets: &[Target]| ChangeStep {
        targets: targets.to_vec(),
        ..step.clone()
    })
}

/// The task has ended.
struct Closed;

async fn run(
    mut queue: Queue,
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    activity: Arc<Activity>,
) {
    while let Some(group) = queue.next_group().await {
        let (has_owners_steps, begun) = (group.has_owners_steps, Instant::now());
        commit(group.requests, &*store, &hub, &metrics).await;
        if has_owners_steps && activity.is_shared() {
            queue.rest_after(begun.elapsed());
        }
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
            Outcome::Changed(_)
            | Outcome::Conflict(_)
            | Outcome::OverQuota(_)
            | Outcome::NoRoom(_) => {}
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
    let (ids, system_ids) = (changed.ids.clone(), changed.system_ids.clone());
    let counts = Some(changed.counts.clone());
    match changed.change {
        Change::Status(status) => Frame::status(&StatusChange {
            ids,
            system_ids,
            status,
            updated_at: changed.at,
            counts,
        }),
        Change::Delete => Frame::deleted(&Deletion {
            ids,
            system_ids,
            counts,
        }),
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
            Outcome::NoRoom(_) => {
                metrics.requests.get_or_create(&OutcomeLabel::FAILED).inc();
            }
            Outcome::OverQuota(_) => {
                let label = &OutcomeLabel::OVER_QUOTA;
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
            (Self::Published(answer), Outcome::NoRoom(error)) => {
                let _ = answer.send(Err(PublishError::Store(error)));
            }
            (Self::Published(answer), Outcome::OverQuota(over)) => {
                let OverQuota {
                    index,
                    bytes,
                    used,
                    limit,
                } = over;
                let _ = answer.send(Err(PublishError::QuotaExceeded {
                    index,
                    bytes,
                    used,
                    limit,
                }));
            }
            (Self::Changed(answer), Outcome::Changed(changed)) => {
                let _ = answer.send(Ok(changed));
            }
            // A store answers what it was asked; dropping the sender says that it did not.
            (Self::Published(_), Outcome::Changed(_))
            | (
                Self::Changed(_),
                Outcome::Stored(_)
                | Outcome::Conflict(_)
                | Outcome::OverQuota(_)
                | Outcome::NoRoom(_),
            ) => {
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
