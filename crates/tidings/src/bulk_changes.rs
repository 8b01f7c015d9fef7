//! Bulk changes: mark or delete several events, or all events that match, in steps.
//!
//! Only one bulk change of an owner runs at a time. The steps of the running changes take turns in the
//! committer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidings_event::{
    Change, Changes, Cursor, CursorTag, EventFilter, OwnerId, PageToken, ResetReason, Selection,
    Status, StreamItem, Timestamp,
};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::committer::Asker;
use crate::engine::{BULK_CHANGES, Shared, Tidings};
use crate::error::ChangeError;
use crate::start::cursor_at;
use crate::store::{ChangeStep, Matching, Snapshot, StepOutcome, StoreError, Target};
use crate::turns::{NoTurn, Turn};

/// A running bulk change. Dropping this handle does not stop the change.
#[derive(Debug)]
pub struct RunningChange {
    task: JoinHandle<Result<Changes, ChangeError>>,
    stopped: Arc<AtomicBool>,
}

impl Tidings {
    /// Changes several of the events that `owner` sees, in steps of a few milliseconds. The engine commits
    /// other requests between the steps. The change skips events that are unchanged, unknown or of
    /// another owner.
    ///
    /// The future first waits for the owner's turn: at most 1 bulk change per owner and 16 in total run at a
    /// time; 8 per owner and 256 in total can wait. Dropping it before that changes nothing; dropping it later
    /// does not stop the change. If an error or the end of the process
    /// interrupts the change, its completed steps remain; repeat the change to complete it.
    ///
    /// # Errors
    ///
    /// At least one event was not changed; [`ChangeError`] gives the reason.
    pub async fn change(
        &self,
        owner: OwnerId,
        selection: Selection,
        change: Change,
    ) -> Result<Changes, ChangeError> {
        let mut running = self.begin_change(owner, selection, change).await?;
        running.finish().await
    }

    pub(crate) async fn begin_change(
        &self,
        owner: OwnerId,
        selection: Selection,
        change: Change,
    ) -> Result<RunningChange, ChangeError> {
        let limit = self.shared.limits.change_ids;
        match &selection {
            Selection::Ids(ids) if ids.len() > limit => {
                let ids = ids.len();
                return Err(ChangeError::TooManyIds { ids, limit });
            }
            Selection::Filter { filter, .. } if filter.is_empty() => {
                return Err(ChangeError::EmptyFilter);
            }
            Selection::Ids(_) | Selection::Filter { .. } | Selection::All { .. } => {}
        }
        self.shared.activity.note(owner);
        let turn = self.shared.bulk_changes.take(owner).await;
        let turn = turn.map_err(|rejected| match rejected {
            NoTurn::OwnersLineIsFull => ChangeError::TooManyWaiting {
                limit: BULK_CHANGES.waiting_each,
            },
            NoTurn::AllLinesAreFull => ChangeError::Overloaded,
            NoTurn::Closed => ChangeError::Closed,
        })?;
        let stopped = Arc::new(AtomicBool::new(false));
        let stepper = Stepper {
            shared: Arc::clone(&self.shared),
            owner,
            change,
            at: self.shared.time.moment_of(change),
            stopped: Arc::clone(&stopped),
            _turn: turn,
        };
        // In its own task, the change also completes after its caller disconnects.
        let span = tracing::info_span!("bulk_change");
        let task = tokio::spawn(stepper.run(selection).instrument(span));
        Ok(RunningChange { task, stopped })
    }
}

impl RunningChange {
    /// Waits until the change is complete. Call it only once to completion.
    ///
    /// This method is cancel-safe: dropping its future does not stop the change.
    ///
    /// # Errors
    ///
    /// At least one event was not changed; [`ChangeError`] gives the reason.
    pub async fn finish(&mut self) -> Result<Changes, ChangeError> {
        (&mut self.task).await.unwrap_or_else(|panic| {
            let error = StoreError::Internal(panic.into());
            Err(ChangeError::Store(Arc::new(error)))
        })
    }

    /// Stops the change after its current step. The completed steps remain.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// Runs the steps of one bulk change.
struct Stepper {
    shared: Arc<Shared>,
    owner: OwnerId,
    change: Change,
    /// The time of the change, the same for all steps.
    at: Timestamp,
    stopped: Arc<AtomicBool>,
    /// Released when the change ends.
    _turn: Turn<OwnerId>,
}

impl Stepper {
    async fn run(self, selection: Selection) -> Result<Changes, ChangeError> {
        match selection {
            Selection::Ids(events) => {
                let mut changes = Changes::default();
                for events in events.chunks(StreamItem::MAX_IDS) {
                    let targets = events.iter().copied().map(Target::from).collect();
                    let changed = self.step(targets, None).await?;
                    changes.count += changed.ids.len() as u64;
                    changes.ids.extend(changed.ids);
                }
                Ok(changes)
            }
            Selection::Filter { filter, up_to } => {
                self.all(filter.without_empty_search(), Some(up_to)).await
            }
            Selection::All { up_to } => self.all(EventFilter::default(), up_to).await,
        }
    }

    /// Changes all matching events up to a cursor. Without a cursor it stops at the current one, because
    /// it would otherwise never end while new events arrive.
    async fn all(
        &self,
        filter: EventFilter,
        up_to: Option<Cursor>,
    ) -> Result<Changes, ChangeError> {
        let store = &self.shared.store;
        let snapshot = store.snapshot(self.owner).await.map_err(of_store)?;
        let tag = CursorTag::derive(self.shared.identity.epoch, self.owner);
        let up_to = up_to.unwrap_or_else(|| cursor_at(&snapshot, tag));
        check_up_to(up_to, &snapshot, tag).map_err(ChangeError::UpTo)?;
        // Skips the events that already have the status.
        let filter = match self.change {
            Change::Status(status) if filter.status.is_none() => filter.with_status(status.other()),
            Change::Status(_) | Change::Delete => filter,
        };
        let only = filter.status;
        let matching = Matching {
            filter,
            own_up_to: up_to.own,
            system_up_to: up_to.system,
        };
        let mut changes = Changes::default();
        let mut after: Option<PageToken> = None;
        loop {
            let page = store.matching(self.owner, matching.clone(), after).await;
            let page = page.map_err(of_store)?;
            for step in page.targets.chunks(StreamItem::MAX_IDS) {
                changes.count += self.step(step.to_vec(), only).await?.ids.len() as u64;
            }
            after = page.next;
            if after.is_none() {
                return Ok(changes);
            }
        }
    }

    async fn step(
        &self,
        targets: Vec<Target>,
        only: Option<Status>,
    ) -> Result<StepOutcome, ChangeError> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(ChangeError::Stopped);
        }
        let step = ChangeStep {
            owner: self.owner,
            targets,
            change: self.change,
            only,
            systems: None,
            at: self.at,
        };
        let asker = Asker::Owner(self.owner);
        Ok(self.shared.committer.change(step, asker).await?)
    }
}

fn of_store(error: StoreError) -> ChangeError {
    match error {
        StoreError::Closed => ChangeError::Closed,
        error => ChangeError::Store(Arc::new(error)),
    }
}

/// Checks the upper bound of a selection. The bound can be of any age: the engine never replays from it, so
/// forgotten deletions do not matter.
fn check_up_to(up_to: Cursor, snapshot: &Snapshot, tag: CursorTag) -> Result<(), ResetReason> {
    if up_to.tag != tag {
        return Err(ResetReason::Foreign);
    }
    if up_to.own > snapshot.own.head || up_to.system > snapshot.system.head {
        return Err(ResetReason::TooNew);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tempfile::TempDir;
    use tidings_event::{Event, Severity};
    use uuid::Uuid;

    use super::*;
    use crate::Config;

    const READ: Change = Change::Status(Status::Read);
    const ALL: Selection = Selection::All { up_to: None };

    /// An engine and an owner with `events` events.
    async fn engine(events: usize) -> (Tidings, OwnerId, TempDir) {
        let directory = TempDir::new().unwrap();
        let tidings = Tidings::open(Config::new(directory.path())).await.unwrap();
        let owner = OwnerId::mint();
        let event = |_| {
            let event = Event::builder()
                .for_user(owner)
                .acted_upon(Uuid::from_u128(1))
                .with_category("deployment")
                .with_action("apply")
                .with_severity(Severity::Success);
            event.build().unwrap()
        };
        let batch = (0..events).map(event).collect();
        tidings.publish_batch(batch).await.unwrap();
        (tidings, owner, directory)
    }

    async fn unread(tidings: &Tidings, owner: OwnerId) -> u64 {
        tidings.summary(owner).await.unwrap().unread_count
    }

    #[tokio::test]
    async fn waits_only_for_changes_of_the_same_owner() {
        let (tidings, owner, _directory) = engine(3).await;
        let turn = tidings.shared.bulk_changes.take(owner).await.unwrap();
        let mut waiting = Box::pin(tidings.change(owner, ALL, READ));
        assert!((&mut waiting).now_or_never().is_none());
        let other = tidings.change(OwnerId::mint(), ALL, READ).await;
        assert_eq!(other.unwrap().count, 0);
        assert_eq!(unread(&tidings, owner).await, 3);
        drop(turn);
        assert_eq!(waiting.await.unwrap().count, 3);
        tidings.close().await;
    }

    #[tokio::test]
    async fn changes_nothing_if_dropped_while_waiting() {
        let (tidings, owner, _directory) = engine(3).await;
        let turns = tidings.shared.bulk_changes.clone();
        let turn = turns.take(owner).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..BULK_CHANGES.waiting_each {
            let mut change = Box::pin(tidings.change(owner, ALL, Change::Delete));
            assert!((&mut change).now_or_never().is_none());
            waiting.push(change);
        }
        let rejected = tidings.change(owner, ALL, READ).await.unwrap_err();
        let limit = BULK_CHANGES.waiting_each;
        assert!(matches!(rejected, ChangeError::TooManyWaiting { limit: told } if told == limit));
        drop(waiting);
        assert_eq!(turns.load(), (1, 0));
        drop(turn);
        assert_eq!(tidings.change(owner, ALL, READ).await.unwrap().count, 3);
        tidings.close().await;
    }

    #[tokio::test]
    async fn continues_after_the_handle_is_dropped() {
        let (tidings, owner, _directory) = engine(600).await;
        let begun = tidings.begin_change(owner, ALL, READ).await.unwrap();
        drop(begun);
        // The second change waits for the first.
        assert_eq!(tidings.change(owner, ALL, READ).await.unwrap().count, 0);
        assert_eq!(unread(&tidings, owner).await, 0);
        tidings.close().await;
    }

    #[tokio::test]
    async fn stops_before_the_next_step() {
        let (tidings, owner, _directory) = engine(600).await;
        let mut begun = tidings.begin_change(owner, ALL, READ).await.unwrap();
        begun.stop();
        let stopped = begun.finish().await.unwrap_err();
        assert!(matches!(stopped, ChangeError::Stopped), "{stopped:?}");
        assert_eq!(unread(&tidings, owner).await, 600);
        tidings.close().await;
    }
}
