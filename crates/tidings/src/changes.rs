//! Marking and deleting one event.

use tidings_event::{Change, EventId, OwnerId, Status};

use crate::committer::Asker;
use crate::engine::Tidings;
use crate::error::ChangeError;
use crate::store::{ChangeStep, Target};

/// The outcome of a change of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// The event was changed.
    Changed,
    /// The event had this status before, or had been deleted before.
    Unchanged,
    /// The owner sees no such event. An event of another owner counts as unknown.
    NotFound,
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
        self.shared.activity.note(owner);
        let step = ChangeStep {
            owner,
            targets: vec![Target::named(id)],
            change,
            only: None,
            at: self.shared.time.moment_of(change),
        };
        let changed = self
            .shared
            .committer
            .change(step, Asker::Owner(owner))
            .await?;
        Ok(match (changed.ids.len(), changed.unchanged) {
            (0, 0) => ChangeOutcome::NotFound,
            (0, _) => ChangeOutcome::Unchanged,
            _ => ChangeOutcome::Changed,
        })
    }
}
