//! The only write path. The committer queues requests, commits them in groups, delivers the changes to
//! subscribers and then acknowledges the requests.

mod backlog;
mod lanes;
mod late;
mod outcomes;
mod queue;
mod request;
#[cfg(test)]
mod samples;
mod steps;
mod task;

use std::sync::Arc;

use tidings_event::OwnerId;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::{PublishError, StepError, UpdateError};
use crate::store::{
    AudienceRequest, ChangeStep, ContentUpdate, FanOut, Publication, StepOutcome, StoreError,
    Submission, Target,
};
use crate::sync::{JoinHandle, spawn};
use lanes::LaneQueues;
use queue::QueueClosed;
use request::{
    AudienceResult, AudienceStart, ChangeRequest, FanOutRequest, FanOutResult, PublishRequest,
    PublishResult, Reply, Request, StepResult, UpdateRequest, UpdateResult,
};
use task::Task;

pub(crate) use request::Asker;
pub(crate) use task::Parts;

/// The maximum memory of waiting requests. If it is used up, callers wait before they can queue a request.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// The overhead of each request in this count, which bounds the queue to 4,096 requests.
const REQUEST_BYTES: usize = 16 * 1024;

/// The approximate memory of a change per selected event.
const CHANGE_BYTES: usize = 128;

/// Queues requests for the tasks that commit them. The tasks end when the committer is closed or dropped.
#[derive(Debug)]
pub(crate) struct Committer {
    lanes: LaneQueues,
    room: Arc<Semaphore>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Committer {
    /// Starts the tasks on the current Tokio runtime, one for each lane of the store.
    pub(crate) fn start(parts: &Parts) -> Self {
        let lanes = LaneQueues::new(parts.store.lanes(), &parts.activity);
        let tasks = lanes.queues().map(|queue| {
            let task = Task::new(Arc::clone(queue), parts.clone());
            spawn(task.run())
        });
        Self {
            tasks: Mutex::new(tasks.collect()),
            lanes,
            room: Arc::new(Semaphore::new(QUEUE_BYTES)),
        }
    }

    /// The number of queued requests of each lane.
    #[cfg(feature = "metrics")]
    pub(crate) fn depths(&self) -> Vec<usize> {
        self.lanes.queues().map(|queue| queue.depth()).collect()
    }

    /// Stores all events of a request, or none. `by_owner` is the owner if the owner is the publisher.
    ///
    /// Dropping the future while it waits for room in the queue stores nothing. Dropping it later does not
    /// stop the request.
    pub(crate) async fn publish(
        &self,
        publication: Publication,
        by_owner: Option<OwnerId>,
    ) -> PublishResult {
        let bytes = publication.submissions.iter().map(Submission::bytes).sum();
        let (caller, outcome) = oneshot::channel();
        let room = self.room_for(bytes).await;
        let room = room.map_err(|QueueClosed| PublishError::Closed)?;
        let queue = self.lanes.queue_of_batch(&publication);
        let request = Request::Publish(PublishRequest {
            publication,
            by_owner,
            bytes,
            reply: Reply {
                caller,
                _room: room,
            },
        });
        let queued = queue.push(request);
        queued.map_err(|QueueClosed| PublishError::Closed)?;
        outcome.await.map_err(|_| PublishError::Closed)?
    }

    /// Stores an event for several owners, or for none. Dropping the future has the same effect as for
    /// [`Self::publish`].
    pub(crate) async fn fan_out(&self, fan_out: FanOut) -> FanOutResult {
        let bytes = fan_out.bytes();
        let (caller, outcome) = oneshot::channel();
        let room = self.room_for(bytes).await;
        let room = room.map_err(|QueueClosed| PublishError::Closed)?;
        let queue = self.lanes.queue_of_first(&fan_out);
        let request = Request::FanOut(Box::new(FanOutRequest {
            fan_out,
            bytes,
            reply: Reply {
                caller,
                _room: room,
            },
        }));
        let queued = queue.push(request);
        queued.map_err(|QueueClosed| PublishError::Closed)?;
        outcome.await.map_err(|_| PublishError::Closed)?
    }

    /// Begins a change for an audience. Dropping the future has the same effect as for [`Self::publish`].
    pub(crate) async fn begin(&self, request: AudienceRequest) -> AudienceResult {
        let bytes = usize::try_from(request.stored_bytes()).unwrap_or(usize::MAX);
        let (caller, outcome) = oneshot::channel();
        let room = self.room_for(bytes).await;
        let room = room.map_err(|QueueClosed| UpdateError::Closed)?;
        let queue = self.lanes.queue_of_audience(request.id);
        let request = Request::Audience(AudienceStart {
            request,
            reply: Reply {
                caller,
                _room: room,
            },
        });
        let queued = queue.push(request);
        queued.map_err(|QueueClosed| UpdateError::Closed)?;
        outcome.await.map_err(|_| UpdateError::Closed)?
    }

    /// Commits an update. Dropping the future has the same effect as for [`Self::publish`].
    pub(crate) async fn update(&self, update: ContentUpdate) -> UpdateResult {
        let (caller, outcome) = oneshot::channel();
        let room = self.room_for(update.bytes()).await;
        let room = room.map_err(|QueueClosed| UpdateError::Closed)?;
        let queue = self.lanes.queue_of(update.owner);
        let request = Request::Update(UpdateRequest {
            update,
            reply: Reply {
                caller,
                _room: room,
            },
        });
        let queued = queue.push(request);
        queued.map_err(|QueueClosed| UpdateError::Closed)?;
        outcome.await.map_err(|_| UpdateError::Closed)?
    }

    /// Commits a step of a change. Dropping the future has the same effect as for [`Self::publish`].
    ///
    /// If the disk has no room for the whole step, the committer splits it in halves, each with its own
    /// commit and frame. The outcome then sums up only the events of the halves.
    pub(crate) async fn change(&self, step: ChangeStep, asker: Asker) -> StepResult {
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

    async fn change_at_once(&self, step: ChangeStep, asker: Asker) -> StepResult {
        let (caller, outcome) = oneshot::channel();
        let room = self.room_for(CHANGE_BYTES * step.targets.len()).await;
        let room = room.map_err(|QueueClosed| StepError::Closed)?;
        let queue = self.lanes.queue_of(step.owner);
        let request = Request::Change(ChangeRequest {
            step,
            asker,
            reply: Reply {
                caller,
                _room: room,
            },
        });
        let queued = queue.push(request);
        queued.map_err(|QueueClosed| StepError::Closed)?;
        outcome.await.map_err(|_| StepError::Closed)?
    }

    /// Waits until a request of this size has room in the queue.
    async fn room_for(&self, bytes: usize) -> Result<OwnedSemaphorePermit, QueueClosed> {
        // Unusual limits allow a request that is larger than the queue. It waits for an empty queue.
        let permits = u32::try_from((bytes + REQUEST_BYTES).min(QUEUE_BYTES))
            .expect("the size of the queue fits in 32 bits");
        match Arc::clone(&self.room).try_acquire_many_owned(permits) {
            Ok(room) => Ok(room),
            // Boxed, because the future is large and waiting is rare.
            Err(_) => Box::pin(Arc::clone(&self.room).acquire_many_owned(permits))
                .await
                .map_err(|_| QueueClosed),
        }
    }

    /// Whether new requests are rejected.
    pub(crate) fn is_closed(&self) -> bool {
        self.lanes.are_closed()
    }

    /// Rejects new requests and waits until all queued ones are acknowledged.
    pub(crate) async fn close(&self) {
        self.lanes.close();
        // Keeps the handles until the tasks have ended, so that every caller waits for the end.
        let mut tasks = self.tasks.lock().await;
        while let Some(running) = tasks.last_mut() {
            // The task catches panics, and only the end of the runtime aborts it.
            let _ = running.await;
            tasks.pop();
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.lanes.close();
    }
}

fn has_no_room(changed: &StepResult) -> bool {
    matches!(changed, Err(StepError::Store(error)) if matches!(**error, StoreError::Full(_)))
}

/// The two halves of a step, in reverse order, to be popped.
fn halves(step: &ChangeStep) -> [ChangeStep; 2] {
    let (first, second) = step.targets.split_at(step.targets.len() / 2);
    [second, first].map(|targets: &[Target]| ChangeStep {
        targets: targets.to_vec(),
        ..step.clone()
    })
}
