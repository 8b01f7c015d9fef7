//! The only write path. The committer queues requests, commits them in groups, delivers the changes to
//! subscribers and then acknowledges the requests.

mod backlog;
mod outcomes;
mod queue;
mod request;
#[cfg(test)]
mod samples;
mod steps;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tidings_event::OwnerId;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::activity::Activity;
use crate::error::{ChangeError, PublishError};
use crate::hub::Hub;
use crate::metrics::{Metrics, OutcomeLabel};
use crate::store::{ChangeStep, Publication, StepOutcome, Store, StoreError, Submission, Target};
use crate::sync::{JoinHandle, now, spawn};
use crate::vitals::{Fault, Vitals, Worker};
use backlog::TakenGroup;
use queue::{Closed, Queue};
use request::{ChangeRequest, Changed, PublishRequest, Published, Reply, Request};

pub(crate) use request::Asker;

/// The maximum memory of waiting requests. If it is used up, callers wait before they can queue a request.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// The overhead of each request in this count, which bounds the queue to 4,096 requests.
const REQUEST_BYTES: usize = 16 * 1024;

/// The approximate memory of a change per selected event.
const CHANGE_BYTES: usize = 128;

/// Queues requests for the task that commits them. The task ends when the committer is closed or dropped.
#[derive(Debug)]
pub(crate) struct Committer {
    queue: Arc<Queue>,
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
        vitals: Arc<Vitals>,
    ) -> Self {
        let queue = Arc::new(Queue::new(Arc::clone(&activity)));
        let task = Task {
            queue: Arc::clone(&queue),
            store,
            hub,
            metrics,
            activity,
            vitals,
        };
        Self {
            queue,
            room: Arc::new(Semaphore::new(QUEUE_BYTES)),
            task: Mutex::new(Some(spawn(task.run()))),
        }
    }

    /// Stores all events of a request, or none. `by_owner` is the owner if the owner is the publisher.
    ///
    /// Dropping the future while it waits for room in the queue stores nothing. Dropping it later does not
    /// stop the request.
    pub(crate) async fn publish(
        &self,
        publication: Publication,
        by_owner: Option<OwnerId>,
    ) -> Published {
        let bytes = publication.submissions.iter().map(Submission::bytes).sum();
        let (caller, outcome) = oneshot::channel();
        let room = self.room_for(bytes).await;
        let room = room.map_err(|Closed| PublishError::Closed)?;
        let request = Request::Publish(PublishRequest {
            publication,
            by_owner,
            bytes,
            reply: Reply {
                caller,
                _room: room,
            },
        });
        let queued = self.queue.push(request);
        queued.map_err(|Closed| PublishError::Closed)?;
        outcome.await.map_err(|_| PublishError::Closed)?
    }

    /// Commits a step of a change. Dropping the future has the same effect as for [`Self::publish`].
    ///
    /// If the disk has no room for the whole step, the committer splits it in halves, each with its own
    /// commit and frame. The outcome then sums up only the events of the halves.
    pub(crate) async fn change(&self, step: ChangeStep, asker: Asker) -> Changed {
        let whole = self.change_at_once(step.clone(), asker).await;
        if !has_no_room(&whole) || step.targets.len() < 2 {
            return whole;
        }
        let mut waiting = Vec::from(halves(&step));
        let mut done: Option<StepOutcome> = None;
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
        Ok(done.expect("a split step has at least one half"))
    }

    async fn change_at_once(&self, step: ChangeStep, asker: Asker) -> Changed {
        let (caller, outcome) = oneshot::channel();
        let room = self.room_for(CHANGE_BYTES * step.targets.len()).await;
        let room = room.map_err(|Closed| ChangeError::Closed)?;
        let request = Request::Change(ChangeRequest {
            step,
            asker,
            reply: Reply {
                caller,
                _room: room,
            },
        });
        let queued = self.queue.push(request);
        queued.map_err(|Closed| ChangeError::Closed)?;
        outcome.await.map_err(|_| ChangeError::Closed)?
    }

    /// Waits until a request of this size has room in the queue.
    async fn room_for(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Closed> {
        // Unusual limits allow a request that is larger than the queue. It waits for an empty queue.
        let permits = u32::try_from((bytes + REQUEST_BYTES).min(QUEUE_BYTES))
            .expect("the size of the queue fits in 32 bits");
        match Arc::clone(&self.room).try_acquire_many_owned(permits) {
            Ok(room) => Ok(room),
            // Boxed, because the future is large and waiting is rare.
            Err(_) => Box::pin(Arc::clone(&self.room).acquire_many_owned(permits))
                .await
                .map_err(|_| Closed),
        }
    }

    /// Refuses new requests and waits until all queued ones are acknowledged.
    pub(crate) async fn close(&self) {
        self.queue.close();
        // Keeps the handle until the task has ended, so that every caller waits for the end.
        let mut task = self.task.lock().await;
        if let Some(running) = task.as_mut() {
            // The task catches panics, and only the end of the runtime aborts it.
            let _ = running.await;
            *task = None;
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn has_no_room(changed: &Changed) -> bool {
    matches!(changed, Err(ChangeError::Store(error)) if matches!(**error, StoreError::Full(_)))
}

/// The two halves of a step, in reverse order, to be popped.
fn halves(step: &ChangeStep) -> [ChangeStep; 2] {
    let (first, second) = step.targets.split_at(step.targets.len() / 2);
    [second, first].map(|targets: &[Target]| ChangeStep {
        targets: targets.to_vec(),
        ..step.clone()
    })
}

/// The task that commits requests.
#[derive(Debug)]
struct Task {
    queue: Arc<Queue>,
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    activity: Arc<Activity>,
    vitals: Arc<Vitals>,
}

impl Task {
    async fn run(self) {
        let _abandon = Abandon(Arc::clone(&self.queue));
        let ended = AssertUnwindSafe(self.commit_groups()).catch_unwind().await;
        let fault = match ended {
            Ok(Ok(())) => return,
            Ok(Err(fault)) => fault,
            Err(panic) => Fault::panicked(Worker::Committer, &*panic),
        };
        self.vitals.note(fault);
    }

    async fn commit_groups(&self) -> Result<(), Fault> {
        while self.queue.has_work().await {
            self.commit().await?;
        }
        Ok(())
    }

    async fn commit(&self) -> Result<(), Fault> {
        let (send_taken, taken) = oneshot::channel();
        let queue = Arc::clone(&self.queue);
        let next = move || {
            let TakenGroup {
                group,
                replies,
                has_owners_steps,
            } = queue.take();
            // An error means that the runtime is ending.
            let _ = send_taken.send((replies, has_owners_steps, now()));
            group
        };
        let committed = self.store.commit(Box::new(next)).await;
        let (replies, has_owners_steps, begun) = taken.await.map_err(|_| Fault::writer())?;
        let took = now() - begun;
        self.queue.note_commit(replies.len(), took);
        if has_owners_steps && self.activity.is_shared() {
            self.queue.rest_after(took);
        }
        match committed {
            Ok(committed) => {
                let system = self.store.identity().system.into();
                outcomes::deliver(&committed, system, &self.hub);
                outcomes::count(&committed, &self.metrics);
                outcomes::send(committed, replies);
            }
            Err(error) => {
                let label = &OutcomeLabel::FAILED;
                let failed = self.metrics.requests.get_or_create(label);
                failed.inc_by(replies.publishers.len() as u64);
                // The engine closes the store only after the committer, so its writer has ended.
                let has_ended = matches!(error, StoreError::Closed);
                replies.fail(&Arc::new(error));
                if has_ended {
                    return Err(Fault::writer());
                }
            }
        }
        Ok(())
    }
}

/// Drops the remaining requests when the task ends for any reason, which notifies their callers.
struct Abandon(Arc<Queue>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
