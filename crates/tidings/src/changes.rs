//! Marking and deleting: one event, several, or all that match, step by step.

use std::sync::Arc;

use tidings_event::{
    Change, Cursor, CursorTag, EventFilter, EventId, OwnerId, PageToken, ResetReason, Selection,
    Status, StreamItem, Timestamp,
};

use tracing::Instrument as _;

use crate::engine::{Shared, Tidings};
use crate::error::ChangeError;
use crate::start::cursor_at;
use crate::store::{ChangeStep, Changed, Matching, Snapshot, StoreError};

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// It is now different.
    Changed,
    /// It was like that before; deleting one's own deleted event again is nothing new either.
    Unchanged,
    /// The owner has no such event. Another's event is as unknown as one that never was.
    NotFound,
}

/// What became of several events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Which changed, where they were named by their ids; otherwise empty.
    pub ids: Vec<EventId>,
    /// How many changed.
    pub count: u64,
}

impl Tidings {
    /// Marks one of the events that `owner` sees as read or unread. One of the system's is marked for
    /// this owner only.
    ///
    /// When this returns, the change is on disk and was handed to every stream of the owner.
    ///
    /// # Errors
    ///
    /// When nothing was changed; [`ChangeError`] says why.
    pub async fn set_status(
        &self,
        owner: OwnerId,
        id: EventId,
        status: Status,
    ) -> Result<ChangeOutcome, ChangeError> {
        self.change_one(owner, id, Change::Status(status)).await
    }

    /// Deletes one of the events that `owner` sees. One of the system's is deleted for this owner
    /// only; the system itself deletes its events for all.
    ///
    /// # Errors
    ///
    /// When nothing was changed; [`ChangeError`] says why.
    pub async fn delete(&self, owner: OwnerId, id: EventId) -> Result<ChangeOutcome, ChangeError> {
        self.change_one(owner, id, Change::Delete).await
    }

    async fn change_one(
        &self,
        owner: OwnerId,
        id: EventId,
        change: Change,
    ) -> Result<ChangeOutcome, ChangeError> {
        let step = ChangeStep {
            owner,
            ids: vec![id],
            change,
            only: None,
            at: Timestamp::now(),
        };
        let changed = self.shared.committer.change(step).await?;
        Ok(match (changed.ids.len(), changed.unchanged) {
            (0, 0) => ChangeOutcome::NotFound,
            (0, _) => ChangeOutcome::Unchanged,
            _ => ChangeOutcome::Changed,
        })
    }

    /// Changes several of the events that `owner` sees, in steps of a few milliseconds between which
    /// publishes go on. What is unchanged, unknown or another's is passed over.
    ///
    /// The change goes on if the caller drops the future. If it breaks off half-way, by an error or the
    /// end of the process, what was changed stays changed, and to repeat it does the rest.
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
        let stepper = Stepper {
            shared: Arc::clone(&self.shared),
            owner,
            change,
            at: Timestamp::now(),
        };
        // A task of its own, so that a caller who hangs up does not leave it half done.
        let span = tracing::info_span!("bulk_change");
        tokio::spawn(stepper.run(selection).instrument(span))
            .await
            .unwrap_or_else(|panic| {
                let error = StoreError::Internal(panic.into());
                Err(ChangeError::Store(Arc::new(error)))
            })
    }
}

/// A change on its way through its steps.
struct Stepper {
    shared: Arc<Shared>,
    owner: OwnerId,
    change: Change,
    /// All steps have the same moment.
    at: Timestamp,
}

impl Stepper {
    async fn run(self, selection: Selection) -> Result<Changes, ChangeError> {
        let permit = self.shared.bulk_changes.acquire().await;
        let _running = permit.map_err(|_| ChangeError::Closed)?;
        match selection {
            Selection::Ids(ids) => {
                let mut changes = Changes::default();
                for step in ids.chunks(StreamItem::MAX_IDS) {
                    let changed = self.step(step.to_vec(), None).await?;
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
            Change::Status(status) if filter.status.is_none() => EventFilter {
                status: Some(status.other()),
                ..filter
            },
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
            for step in page.ids.chunks(StreamItem::MAX_IDS) {
                changes.count += self.step(step.to_vec(), only).await?.ids.len() as u64;
            }
            after = page.next;
            if after.is_none() {
                return Ok(changes);
            }
        }
    }

    async fn step(&self, ids: Vec<EventId>, only: Option<Status>) -> Result<Changed, ChangeError> {
        let step = ChangeStep {
            owner: self.owner,
            ids,
            change: self.change,
            only,
            at: self.at,
        };
        self.shared.committer.change(step).await
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
