//! Retracting: takes published events back.

use tidings_event::{Change, ChangeOutcome, OwnerId, Retraction, SystemId};

use super::Tidings;
use crate::committer::Asker;
use crate::error::RetractError;
use crate::store::{ChangeStep, Side, Target};

impl Tidings {
    /// Takes a published event back: deletes it from its owner's inbox, as if the owner had deleted it. An event of the
    /// system disappears for every user. When this method returns `Ok`, the retraction is on disk and delivered to every
    /// subscription of the owner as [`StreamItem::Deleted`](tidings_event::StreamItem::Deleted).
    ///
    /// Like a deletion by its owner, it cannot be undone: while the deletion is remembered
    /// ([`Retention::deleted_age`](crate::Retention::deleted_age)), a late repeat of the publish does not bring the event
    /// back.
    ///
    /// # Errors
    ///
    /// Nothing was changed; [`RetractError`] gives the reason.
    pub async fn retract(&self, retraction: Retraction) -> Result<ChangeOutcome, RetractError> {
        self.retract_of(retraction, None).await
    }

    /// Same as [`Self::retract`], for a publisher who can take back only what `systems` have published; `None` if all.
    pub(crate) async fn retract_of(
        &self,
        retraction: Retraction,
        systems: Option<Vec<SystemId>>,
    ) -> Result<ChangeOutcome, RetractError> {
        let shared = &self.shared;
        let owner = retraction.owner();
        let owner = owner.unwrap_or_else(|| OwnerId::from(shared.identity.system));
        shared.activity.note(owner);
        let change = Change::Delete;
        let step = ChangeStep {
            owner,
            // Never a system event that the owner sees: it is the system's to retract.
            targets: vec![Target {
                id: retraction.id(),
                side: Some(Side::Own),
            }],
            change,
            only: None,
            systems,
            at: shared.time.moment_of(change),
        };
        let step = shared.committer.change(step, Asker::Publisher).await?;
        match step.foreign {
            Some(system) => Err(RetractError::ForeignSystem { system }),
            None => Ok(step.outcome()),
        }
    }
}
