//! Updating: replaces the content of published events.

use std::sync::Arc;

use tidings_event::{OwnerId, Receipt, SystemId, Update, Warning, WarningCode};

use super::Tidings;
use crate::error::UpdateError;
use crate::quota::Publisher;
use crate::store::{ContentUpdate, UpdateOutcome, Updated};

impl Tidings {
    /// Replaces severity, description and metadata of an event, and delivers it to the subscribers of its owner as
    /// [`StreamItem::Updated`](tidings_event::StreamItem::Updated). When this method returns `Ok`, the update is on disk.
    ///
    /// The event stays as its reader has marked it, unless it becomes more urgent or the update
    /// [renotifies](tidings_event::UpdateBuilder::renotify). If it has this content already, or that of an update with a
    /// higher [sequence](tidings_event::UpdateBuilder::with_sequence), nothing changes and the receipt is `repeated`;
    /// in the second case it has a warning with the code `outdated`.
    ///
    /// # Errors
    ///
    /// Nothing was changed; [`UpdateError`] gives the reason.
    pub async fn update(&self, update: Update) -> Result<Receipt, UpdateError> {
        self.update_of(update, None).await
    }

    /// Same as [`Self::update`], for a publisher who can change only what `systems` have published; `None` if all.
    pub(crate) async fn update_of(
        &self,
        update: Update,
        systems: Option<Vec<SystemId>>,
    ) -> Result<Receipt, UpdateError> {
        let shared = &self.shared;
        let limits = &shared.limits;
        let mut update = update.within(limits).map_err(UpdateError::Invalid)?;
        let mut warnings = update.take_warnings();
        let metadata = update.take_metadata_json().map(Arc::from);
        let owner = update.owner();
        let owner = owner.unwrap_or_else(|| OwnerId::from(shared.identity.system));
        let id = update.id();
        shared.activity.note(owner);
        let (event_bytes, quota) = (
            limits.event_bytes,
            shared.quota.limit_for(Publisher::Backend),
        );
        let update = ContentUpdate {
            owner,
            id,
            severity: update.severity(),
            description: Arc::from(update.description()),
            metadata,
            sequence: update.sequence(),
            renotify: update.renotifies(),
            systems,
            shared: None,
            at: shared.time.wall(),
            quota,
            event_bytes,
        };
        let outcome = shared.committer.update(update).await?;
        let (rev, json, repeated) = match outcome {
            UpdateOutcome::Updated(Updated { rev, json, .. }) => (rev, json, false),
            UpdateOutcome::Kept {
                rev, json, later, ..
            } => {
                warnings.extend(later.map(outdated));
                (rev, json, true)
            }
            UpdateOutcome::NotFound | UpdateOutcome::Superseded => {
                return Err(UpdateError::NotFound);
            }
            UpdateOutcome::ForeignSystem(system) => {
                return Err(UpdateError::ForeignSystem { system });
            }
            UpdateOutcome::OnlyTexts { severity } => {
                return Err(UpdateError::OnlyTexts { severity });
            }
            UpdateOutcome::TooLarge { bytes } => {
                let limit = event_bytes;
                return Err(UpdateError::TooLarge { bytes, limit });
            }
            UpdateOutcome::OverQuota { bytes, used } => {
                let limit = quota.unwrap_or(u64::MAX);
                return Err(UpdateError::QuotaExceeded { bytes, used, limit });
            }
            UpdateOutcome::NoRoom(error) => return Err(UpdateError::Store(error)),
        };
        let mut receipt = Receipt::new(id, owner, json);
        receipt.rev = Some(rev);
        receipt.repeated = repeated;
        receipt.warnings = warnings;
        Ok(receipt)
    }
}

/// The warning that an update was dropped, because one with this number is stored.
pub(super) fn outdated(number: u64) -> Warning {
    let message = format!("the update {number} is stored already, so this one was dropped");
    Warning::new("sequence", WarningCode::Outdated, message)
}
