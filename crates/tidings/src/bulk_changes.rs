//! Bulk changes: marking and deleting several events, or all that match, step by step.
//!
//! Owners take turns: one bulk change of an owner runs at a time, and the steps of those that run
//! take turns in the committer.

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

/// A bulk change whose turn has come. It goes on to its end when this is dropped.
#[derive(Debug)]
pub struct RunningChange {
    task: JoinHandle<Result<Changes, ChangeError>>,
    stopped: Arc<AtomicBool>,
}

impl Tidings {
    /// Changes several of the events that `owner` sees, in steps of a few milliseconds between which
    /// other requests go on. What is unchanged, unknown or another's is passed over.
    ///
    /// [`Self::begin_change`] waits for the owner's turn; dropping the future until then changes
    /// nothing. After that the change goes on although the future is dropped. If it breaks off
    /// half-way, by an error or the end of the process, what was changed stays changed, and to repeat
    /// it does the rest.
    ///
    /// # Errors
    ///
    /// When not everything was changed; [`ChangeError`] says why.
    pub async fn change(
        &self,
        owner: OwnerId,
        selection: Selection,
        change: Change,
    ) -> Result<Changes, ChangeError> {
        let mut running = self.begin_change(owner, selection, change).await?;
        running.finish().await
    }

    /// Waits until it is the owner's turn to change several events, and begins.
    ///
    /// One bulk change of an owner runs at a time, and 16 in all; 8 of an owner and 256 in all may
    /// wait. Dropping the future gives the place back.
    ///
    /// # Errors
    ///
    /// When nothing was changed: the selection cannot be used, or as many changes wait as may wait.
    pub async fn begin_change(
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
            _ => {}
        }
        self.shared.activity.note(owner);
        let turn = self.shared.bulk_changes.take(owner).await;
        let turn = turn.map_err(|refused| match refused {
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
        // A task of its own, so that a caller who hangs up does not leave it half done.
        let span = tracing::info_span!("bulk_change");
        let task = tokio::spawn(stepper.run(selection).instrument(span));
        Ok(RunningChange { task, stopped })
    }
}

impl RunningChange {
    /// Waits until everything is changed. Call it once.
    ///
    /// Cancel-safe: the change goes on.
    ///
    /// # Errors
    ///
    /// When not everything was changed; [`ChangeError`] says why.
    pub async fn finish(&mut self) -> Result<Changes, ChangeError> {
        (&mut self.task).await.unwrap_or_else(|panic| {
            let error = StoreError::Internal(panic.into());
            Err(ChangeError::Store(Arc::new(error)))
        })
    }

    /// Stops the change after its current step; what was changed stays changed.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// A change on its way through its steps.
struct Stepper {
    shared: Arc<Shared>,
    owner: OwnerId,
    change: Change,
    /// All steps have the same moment.
    at: Timestamp,
    stopped: Arc<AtomicBool>,
    /// Given back with the end.
    _turn: Turn<OwnerId>,
}

impl Stepper {
    async fn run(self, selection: Selection) -> Result<Changes, ChangeError> {
        match selection {
            Selection::Ids(ids) => {
                let mut changes = Changes::default();
                for ids in ids.chunks(StreamItem::MAX_IDS) {
                    let targets = ids.iter().copied().map(Target::named).collect();
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

    /// Changes all that match, up to a cursor: by default, up to now, or it might never end.
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
        // What has the status already need not be looked at.
        let filter = match self.change {
            Change::Status(status) if filter.status.is_none() => filter.with_status(status.other()),
            _ => filter,
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
            at: self.at,
        };
        let asker = Asker::Owner(self.owner);
        self.shared.committer.change(step, asker).await
    }
}

fn of_store(error: StoreError) -> ChangeError {
    match error {
        StoreError::Closed => ChangeError::Closed,
        error => ChangeError::Store(Arc::new(error)),
    }
}

/// An old cursor will do, however much was forgotten since: what is older than it is still older.
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

    /// An engine, and an owner with this many events.
    async fn engine(events: usize) -> (Tidings, OwnerId, TempDir) {
        let directory = TempDir::new().unwrap();
        let tidings = Tidings::open(Config::new(directory.path())).await.unwrap();
        let owner = OwnerId::mint();
        let event = |_| {
            let event = Event::builder()
                .from_user(*owner.as_uuid())
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
    async fn a_change_waits_for_its_owner_and_for_no_other() {
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
    async fn changes_that_are_dropped_before_their_turn_change_nothing() {
        let (tidings, owner, _directory) = engine(3).await;
        let turns = tidings.shared.bulk_changes.clone();
        let turn = turns.take(owner).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..BULK_CHANGES.waiting_each {
            let mut change = Box::pin(tidings.change(owner, ALL, Change::Delete));
            assert!((&mut change).now_or_never().is_none());
            waiting.push(change);
        }
        let refused = tidings.change(owner, ALL, READ).await.unwrap_err();
        let limit = BULK_CHANGES.waiting_each;
        assert!(matches!(refused, ChangeError::TooManyWaiting { limit: told } if told == limit));
        drop(waiting);
        assert_eq!(turns.load(), (1, 0));
        drop(turn);
        assert_eq!(tidings.change(owner, ALL, READ).await.unwrap().count, 3);
        tidings.close().await;
    }

    #[tokio::test]
    async fn a_change_that_has_begun_goes_on_without_its_caller() {
        let (tidings, owner, _directory) = engine(600).await;
        let begun = tidings.begin_change(owner, ALL, READ).await.unwrap();
        drop(begun);
        // The next one waits for it.
        assert_eq!(tidings.change(owner, ALL, READ).await.unwrap().count, 0);
        assert_eq!(unread(&tidings, owner).await, 0);
        tidings.close().await;
    }

    #[tokio::test]
    async fn a_change_stops_between_its_steps() {
        let (tidings, owner, _directory) = engine(600).await;
        let mut begun = tidings.begin_change(owner, ALL, READ).await.unwrap();
        begun.stop();
        let stopped = begun.finish().await.unwrap_err();
        assert!(matches!(stopped, ChangeError::Stopped), "{stopped:?}");
        assert_eq!(unread(&tidings, owner).await, 600);
        tidings.close().await;
    }
}
