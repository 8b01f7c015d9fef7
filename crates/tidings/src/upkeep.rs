//! The background task: it deletes what is not to be kept, forgets old deletions, and lets the store
//! work on itself.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tidings_event::{Change, EventId, OwnerId, StreamItem, Timestamp};
use tokio::task::JoinHandle;

use crate::committer::{Asker, Committer};
use crate::error::ChangeError;
use crate::metrics::Metrics;
use crate::retention::Retention;
use crate::store::{ChangeStep, FeedPosition, Progress, Store, StoreError};

/// How often it looks whether the store has work on itself; a look that finds nothing is two probes of
/// what is empty then.
const TIDY_INTERVAL: Duration = Duration::from_secs(1);

/// However often retention is wanted, the task rests.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// What the task works with.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) retention: Retention,
}

/// The running task. Dropping it ends it; a step that it has handed over is still done.
#[derive(Debug)]
pub(crate) struct UpkeepTask(JoinHandle<()>);

/// Why the task has to try again later.
#[derive(Debug, thiserror::Error)]
enum UpkeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// The engine is closed.
struct Closed;

impl UpkeepError {
    const fn is_closed(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Closed) | Self::Change(ChangeError::Closed)
        )
    }
}

impl Upkeep {
    /// Starts the task on the current Tokio runtime.
    pub(crate) fn start(self) -> UpkeepTask {
        UpkeepTask(tokio::spawn(self.run()))
    }

    async fn run(self) {
        let Err(Closed) = self.take_turns().await;
    }

    /// A step of each kind of work in turn, so that none waits for another that has much to do.
    async fn take_turns(&self) -> Result<Infallible, Closed> {
        let mut rested = self.retention.interval;
        // Where the look for what is not to be kept goes on; none when it is over.
        let mut expiring = None;
        let mut forgetting = false;
        loop {
            if rested >= self.retention.interval {
                rested = Duration::ZERO;
                expiring.get_or_insert(FeedPosition::default());
                forgetting = true;
            }
            if let Some(from) = expiring {
                expiring = self.report(self.expire(from).await)?.flatten();
            }
            if forgetting {
                forgetting = self.report(self.forget().await)? == Some(Progress::More);
            }
            let tidying = self.report(self.tidy().await)? == Some(Progress::More);
            if expiring.is_none() && !forgetting && !tidying {
                let rest = TIDY_INTERVAL.min(self.retention.interval).max(MIN_INTERVAL);
                tokio::time::sleep(rest).await;
                rested += rest;
            }
        }
    }

    /// What was done, if nothing went wrong. Logs a failure, after which the task goes on at its next
    /// turn.
    fn report<T>(&self, done: Result<T, UpkeepError>) -> Result<Option<T>, Closed> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(error) if error.is_closed() => Err(Closed),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "could not tidy the store; it is tried again");
                Ok(None)
            }
        }
    }

    /// Deletes some of what retention does not keep, in steps between which publishes go on; where to
    /// go on.
    async fn expire(&self, from: FeedPosition) -> Result<Option<FeedPosition>, UpkeepError> {
        let retention = self.retention.clone();
        let page = self
            .store
            .expired(retention, Timestamp::now(), from)
            .await?;
        let mut steps = Vec::new();
        let mut waiting = 0;
        for (owner, ids) in page.events {
            for ids in ids.chunks(StreamItem::MAX_IDS) {
                // Small steps of several owners go together, so that they share a commit.
                if waiting + ids.len() > StreamItem::MAX_IDS {
                    self.delete(std::mem::take(&mut steps)).await?;
                    waiting = 0;
                }
                waiting += ids.len();
                steps.push((owner, ids.to_vec()));
            }
        }
        self.delete(steps).await?;
        Ok(page.next)
    }

    async fn delete(&self, steps: Vec<(OwnerId, Vec<EventId>)>) -> Result<(), UpkeepError> {
        let at = Timestamp::now();
        let steps = steps.into_iter().map(|(owner, ids)| {
            let step = ChangeStep {
                owner,
                ids,
                change: Change::Delete,
                only: None,
                at,
            };
            self.committer.change(step, Asker::Upkeep)
        });
        for changed in try_join_all(steps).await? {
            let number = changed.ids.len() as u64;
            self.metrics.events_expired.inc_by(number);
        }
        Ok(())
    }

    /// Forgets some old deletions.
    async fn forget(&self) -> Result<Progress, UpkeepError> {
        let age = self.retention.deleted_age;
        let before = Timestamp::now().checked_sub(age).unwrap_or(Timestamp::MIN);
        let (number, progress) = self.store.forget_deleted(before).await?;
        self.metrics.deletions_forgotten.inc_by(number);
        Ok(progress)
    }

    async fn tidy(&self) -> Result<Progress, UpkeepError> {
        let progress = self.store.tidy().await?;
        if progress == Progress::More {
            self.metrics.tidy_steps.inc();
        }
        Ok(progress)
    }
}

impl Drop for UpkeepTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}
