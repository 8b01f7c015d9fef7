//! Marks and deletes single events.

use tidings_event::{Change, ChangeOutcome, EventRef, OwnerId, Status};

use crate::committer::Asker;
use crate::engine::Tidings;
use crate::error::ChangeError;
use crate::store::ChangeStep;

impl Tidings {
    /// Marks an event that `owner` sees as read or unread. A system event is marked for this owner only.
    ///
    /// When this method returns `Ok`, the change is on disk and delivered to every subscription of the
    /// owner.
    ///
    /// # Errors
    ///
    /// Nothing was changed; [`ChangeError`] gives the reason.
    pub async fn set_status(
        &self,
        owner: OwnerId,
        event: impl Into<EventRef>,
        status: Status,
    ) -> Result<ChangeOutcome, ChangeError> {
        self.change_one(owner, event.into(), Change::Status(status))
            .await
    }

    /// Deletes an event that `owner` sees. A system event is deleted for this owner only; if `owner` is the
    /// system, its event is deleted for every user.
    ///
    /// # Errors
    ///
    /// Nothing was changed; [`ChangeError`] gives the reason.
    pub async fn delete(
        &self,
        owner: OwnerId,
        event: impl Into<EventRef>,
    ) -> Result<ChangeOutcome, ChangeError> {
        self.change_one(owner, event.into(), Change::Delete).await
    }

    async fn change_one(
        &self,
        owner: OwnerId,
        event: EventRef,
        change: Change,
    ) -> Result<ChangeOutcome, ChangeError> {
        self.shared.activity.note(owner);
        let step = ChangeStep {
            owner,
            targets: vec![event.into()],
            change,
            only: None,
            systems: None,
            at: self.shared.time.moment_of(change),
        };
        let changed = self
            .shared
            .committer
            .change(step, Asker::Owner(owner))
            .await?;
        Ok(changed.outcome())
    }
}
