//! The task that commits the requests of one lane.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use super::backlog::TakenGroup;
use super::late::LateTasks;
use super::outcomes;
use super::queue::Queue;
use crate::activity::Activity;
use crate::bus::Outbox;
use crate::hub::Hub;
use crate::metrics::{Metrics, OutcomeLabel};
use crate::store::{Store, StoreError};
use crate::sync::now;
use crate::vitals::{Fault, Vitals, Worker};

/// The parts that the committer uses.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) vitals: Arc<Vitals>,
    /// Announces commits to other nodes.
    pub(crate) outbox: Option<Arc<Outbox>>,
}

/// The task of one lane.
#[derive(Debug)]
pub(super) struct Task {
    queue: Arc<Queue>,
    parts: Parts,
    late: LateTasks,
}

impl Task {
    pub(super) fn new(queue: Arc<Queue>, parts: Parts) -> Self {
        let late = LateTasks::new(Arc::clone(&parts.hub));
        Self { queue, parts, late }
    }

    pub(super) async fn run(self) {
        let _abandon = Abandon(Arc::clone(&self.queue));
        let ended = AssertUnwindSafe(self.commit_groups()).catch_unwind().await;
        self.late.end().await;
        let fault = match ended {
            Ok(Ok(())) => return,
            Ok(Err(fault)) => fault,
            Err(panic) => Fault::panicked(Worker::Committer, &*panic),
        };
        self.parts.vitals.note(fault);
    }

    async fn commit_groups(&self) -> Result<(), Fault> {
        while self.queue.has_work().await {
            self.commit().await?;
        }
        Ok(())
    }

    async fn commit(&self) -> Result<(), Fault> {
        let Parts {
            store,
            hub,
            metrics,
            activity,
            outbox,
            vitals: _,
        } = &self.parts;
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
        let committed = store.commit(Box::new(next)).await;
        let (replies, has_owners_steps, begun) = taken.await.map_err(|_| Fault::writer())?;
        let took = now() - begun;
        self.queue.note_commit(replies.len(), took);
        if has_owners_steps && activity.is_shared() {
            self.queue.rest_after(took);
        }
        match committed {
            Ok(committed) => {
                let system = store.identity().system.into();
                let late = outcomes::deliver(&committed, system, hub, outbox.as_deref());
                outcomes::count(&committed, metrics);
                let held = outcomes::send(committed, replies, &late);
                if !late.is_empty() {
                    self.late.send(held, late);
                }
            }
            Err(error) => {
                let label = &OutcomeLabel::FAILED;
                let failed = metrics.requests.get_or_create(label);
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
