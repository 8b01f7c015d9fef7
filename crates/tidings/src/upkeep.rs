//! The background task: it applies retention, deletes events at their publishers' times, forgets old deletions, and runs the store's own upkeep.

use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::try_join_all;
use tidings_event::{Change, EventId, OwnerId, StreamItem, Timestamp};
use tokio::task::JoinHandle;

use crate::committer::{Asker, Committer};
use crate::error::StepError;
use crate::metrics::Metrics;
use crate::retention::Retention;
use crate::store::{ChangeStep, FeedPosition, Pressure, Progress, Side, Store, StoreError, Target};
use crate::timekeeper::{Finding, Timekeeper, time_to_catch_up};
use crate::vitals::{Fault, Vitals, Worker};

/// How often it checks whether the store has upkeep to do. A check that finds nothing is two probes of
/// empty tables.
const TIDY_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest rest, however short the retention interval is.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// The longest retention interval while the disk is nearly full: deleted events make room for new ones.
const TIGHT_INTERVAL: Duration = Duration::from_secs(2);

/// How often the time is kept for the next start. A server that was killed and started again at once must
/// not look like one that was off for long.
const NOTE_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// The parts that the task uses.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) retention: Retention,
    pub(crate) time: Arc<Timekeeper>,
    pub(crate) vitals: Arc<Vitals>,
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
    Change(#[from] StepError),
}

/// The engine is closed, or its store cannot be written to any more.
struct EngineClosed;

impl UpkeepError {
    const fn is_closed(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Closed) | Self::Change(StepError::Closed)
        )
    }
}

/// The kinds of work that fail at the moment, each with its error. On a tiny disk they fail every second.
#[derive(Debug, Default)]
struct Failures(HashMap<&'static str, String>);

impl Failures {
    /// The result of a step; `None` if it failed, after which the task tries again at its next turn. Logs
    /// a failure when it begins or changes, and when it is over.
    fn report<T>(
        &mut self,
        work: &'static str,
        done: Result<T, UpkeepError>,
    ) -> Result<Option<T>, EngineClosed> {
        match done {
            Ok(done) => {
                if self.0.remove(work).is_some() {
                    tracing::info!(work, "upkeep of the store works again");
                }
                Ok(Some(done))
            }
            Err(error) if error.is_closed() => Err(EngineClosed),
            Err(error) => {
                let text = error.to_string();
                if self.0.get(work) != Some(&text) {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(work, error, "upkeep of the store failed; it is tried again");
                    self.0.insert(work, text);
                }
                Ok(None)
            }
        }
    }
}

impl Upkeep {
    /// Starts the task on the current Tokio runtime.
    pub(crate) fn start(self) -> UpkeepTask {
        UpkeepTask(tokio::spawn(self.run()))
    }

    async fn run(self) {
        let fault = match AssertUnwindSafe(self.take_turns()).catch_unwind().await {
            // The engine closes the store only after the committer, so the store's writer has ended.
            Ok(Err(EngineClosed)) if !self.committer.is_closed() => Fault::writer(),
            Ok(Err(EngineClosed)) => return,
            Ok(Ok(never)) => match never {},
            Err(panic) => Fault::panicked(Worker::Upkeep, &*panic),
        };
        self.vitals.note(fault);
    }

    /// A step of each kind of work in turn, so that none waits for another that has much to do.
    async fn take_turns(&self) -> Result<Infallible, EngineClosed> {
        let mut rested = self.retention.interval;
        // Where the search for expired events continues; none when it has ended.
        let mut expiring = None;
        let mut noted = None;
        let mut was_tight = false;
        let mut failures = Failures::default();
        loop {
            self.look_at_the_clock();
            if failures.report("lead", self.leads().await)? != Some(true) {
                // Another node does it, or the store cannot be asked.
                expiring = None;
                rested += self.rest().await;
                continue;
            }
            failures.report("note_use", self.note_use(&mut noted).await)?;
            let room = failures.report("look_after_room", self.look_after_room().await)?;
            let interval = match room {
                // At once when it begins.
                Some(Pressure::Tight) if !was_tight => Duration::ZERO,
                Some(Pressure::Tight) => self.retention.interval.min(TIGHT_INTERVAL),
                Some(Pressure::Enough) | None => self.retention.interval,
            };
            was_tight = room == Some(Pressure::Tight);
            if rested >= interval {
                rested = Duration::ZERO;
                expiring.get_or_insert(FeedPosition::default());
            }
            let ending = failures.report("due", self.delete_due().await)? == Some(Progress::More);
            if let Some(from) = expiring {
                expiring = failures
                    .report("expire", self.expire(from).await)?
                    .flatten();
            }
            let forgetting =
                failures.report("forget", self.forget().await)? == Some(Progress::More);
            let tidying = failures.report("tidy", self.tidy().await)? == Some(Progress::More);
            if expiring.is_none() && !ending && !forgetting && !tidying {
                rested += self.rest().await;
            }
        }
    }

    /// Whether this node does the upkeep of the store.
    async fn leads(&self) -> Result<bool, UpkeepError> {
        Ok(self.store.leads().await?)
    }

    /// Waits for the next look at the store. Returns how long.
    async fn rest(&self) -> Duration {
        let rest = TIDY_INTERVAL.min(self.retention.interval).max(MIN_INTERVAL);
        tokio::time::sleep(rest).await;
        rest
    }

    async fn look_after_room(&self) -> Result<Pressure, UpkeepError> {
        Ok(self.store.look_after_room().await?)
    }

    /// Compares the clocks, and says once when they disagree and when they agree again.
    fn look_at_the_clock(&self) {
        match self.time.look() {
            Finding::Nothing => {}
            Finding::Jumped(gap) => {
                self.metrics.clock_jumps.inc();
                if self.time.may_notice() {
                    tracing::warn!(
                        ahead_seconds = gap.as_secs(),
                        catches_up_in_seconds = time_to_catch_up(gap).as_secs(),
                        "the wall clock jumped: ages count by the time before, and follow it slowly \
                         if it stays; check the clock of this machine, unless the server was off for \
                         this long"
                    );
                }
            }
            Finding::Agrees => {
                if self.time.may_notice() {
                    tracing::info!("the wall clock agrees with the time that has passed again");
                }
            }
        }
    }

    /// Keeps the time for the next start, now and then.
    async fn note_use(&self, noted: &mut Option<Timestamp>) -> Result<(), UpkeepError> {
        let now = self.time.trusted();
        let is_due =
            noted.is_none_or(|noted| now.duration_since(noted).unsigned_abs() >= NOTE_INTERVAL);
        if is_due {
            // Not tried again at once if it fails.
            *noted = Some(now);
            self.store.note_use(now).await?;
        }
        Ok(())
    }

    /// Deletes some of the events that retention does not keep, in steps between which publishing
    /// continues. Returns where the next call continues.
    async fn expire(&self, from: FeedPosition) -> Result<Option<FeedPosition>, UpkeepError> {
        let retention = self.retention.clone();
        let now = self.time.at_least();
        let page = self.store.expired(retention, now, from).await?;
        self.delete_in_steps(page.events).await?;
        Ok(page.next)
    }

    /// Deletes some of the events whose publishers' time for their deletion has come, in the same way.
    async fn delete_due(&self) -> Result<Progress, UpkeepError> {
        let due = self.store.due(self.time.at_least()).await?;
        let progress = due.progress();
        self.delete_in_steps(due.by_owner()).await?;
        Ok(progress)
    }

    async fn delete_in_steps(
        &self,
        events: impl IntoIterator<Item = (OwnerId, Vec<EventId>)>,
    ) -> Result<(), UpkeepError> {
        let mut steps = Vec::new();
        let mut waiting = 0;
        for (owner, ids) in events {
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
        self.delete(steps).await
    }

    async fn delete(&self, steps: Vec<(OwnerId, Vec<EventId>)>) -> Result<(), UpkeepError> {
        let at = self.time.moment_of(Change::Delete);
        let steps = steps.into_iter().map(|(owner, ids)| {
            // Never what the owner did to an event of the system with the same id.
            let own = |id| Target {
                id,
                side: Some(Side::Own),
            };
            let step = ChangeStep {
                owner,
                targets: ids.into_iter().map(own).collect(),
                change: Change::Delete,
                only: None,
                systems: None,
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

    /// Forgets some deletions that are old, or of which an owner has too many.
    async fn forget(&self) -> Result<Progress, UpkeepError> {
        let age = self.retention.deleted_age;
        let now = self.time.at_least();
        let before = now.checked_sub(age).unwrap_or(Timestamp::MIN);
        let kept = self.retention.owner_deletions;
        let kept = kept.max(Retention::MIN_OWNER_DELETIONS);
        let (number, progress) = self.store.forget_deleted(before, kept).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_a_failure_once_until_it_changes_or_ends() {
        let mut failures = Failures::default();
        let full = || Err::<(), UpkeepError>(StoreError::Full("full".into()).into());
        let unavailable = || Err::<(), UpkeepError>(StoreError::Unavailable("gone".into()).into());
        for _ in 0..3 {
            assert!(matches!(failures.report("tidy", full()), Ok(None)));
            assert_eq!(failures.0.len(), 1);
        }
        let first = failures.0["tidy"].clone();
        assert!(matches!(failures.report("tidy", unavailable()), Ok(None)));
        assert_ne!(failures.0["tidy"], first);
        assert!(matches!(failures.report("expire", full()), Ok(None)));
        assert!(matches!(failures.report("tidy", Ok(())), Ok(Some(()))));
        assert_eq!(failures.0.keys().collect::<Vec<_>>(), [&"expire"]);
        let closed = Err::<(), _>(StoreError::Closed.into());
        assert!(failures.report("tidy", closed).is_err());
    }
}
