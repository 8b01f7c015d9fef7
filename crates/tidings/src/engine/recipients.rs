//! Events of several owners: publishing, updating and retracting them.

use std::sync::Arc;

use futures_util::future::join_all;
use tidings_event::{
    Change, ChangeOutcome, Draft, EventId, IntoDraft, OwnerId, Recipients, SharedReceipt,
    SharedUpdateReceipt, SystemId, Update, Violations, Warning,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use super::updating::outdated;
use super::{Shared, Tidings};
use crate::committer::Asker;
use crate::error::{PublishError, RetractError, UpdateError};
use crate::quota::Publisher;
use crate::shared_json::SharedJson;
use crate::store::{
    AudienceChange, AudienceOutcome, AudienceRequest, BegunChange, ChangeStep, ContentUpdate,
    FanOut, Recipient, SharedContent, Side, StoreError, Submission, Target, UpdateOutcome,
    new_content_key,
};

/// The most changes of audiences that run at a time; others wait.
pub(super) const AUDIENCE_CHANGES: usize = 8;

/// The owners for whom one step changes an event: a commit of a few milliseconds.
const OWNERS_AT_A_TIME: usize = 64;

/// About the bytes of an event's JSON beside its texts.
const FIELDS_BYTES: usize = 1024;

/// A valid event for several owners, encoded and ready to be stored.
#[derive(Debug)]
pub struct PreparedForMany {
    fan_out: FanOut,
    warnings: Vec<Warning>,
}

impl Tidings {
    /// Stores an event for several owners, in one commit, and delivers it to their subscribers. Each owner gets the event
    /// in their own feed, with a read state of their own; its content is stored once. The event must have no owner.
    ///
    /// Publishing the same event again, to the same owners or others, reaches exactly those who do not have it, and
    /// never delivers it twice. An owner who has deleted the event keeps it deleted. To reach more than
    /// [`Recipients::MAX`] owners, publish the event several times with the same id.
    ///
    /// # Errors
    ///
    /// Nothing was stored for any owner; [`PublishError`] gives the reason.
    pub async fn publish_to_many(
        &self,
        event: impl IntoDraft,
        recipients: Recipients,
    ) -> Result<SharedReceipt, PublishError> {
        let draft = event.into_draft(&self.shared.limits);
        let prepared = self.prepare_for(draft.map_err(PublishError::Invalid)?, &recipients);
        self.publish_prepared_to_many(prepared?).await
    }

    /// Encodes an event once for all owners.
    pub(crate) fn prepare_for(
        &self,
        mut draft: Draft,
        recipients: &Recipients,
    ) -> Result<PreparedForMany, PublishError> {
        let shared = &self.shared;
        let mut violations = Violations::default();
        if draft.event().owner.is_some() {
            violations.add(
                "owner",
                "stands beside `owners`",
                "name all owners in `owners`, and leave `owner` out",
            );
        }
        let system = OwnerId::from(shared.identity.system);
        if recipients.owners().contains(&system) {
            violations.add(
                "owners",
                "names the system, whose events every user sees anyway",
                "publish to the system alone, with `owner`, or leave it out",
            );
        }
        violations.into_result().map_err(PublishError::Invalid)?;
        let metadata = draft.take_metadata_json();
        let warnings = draft.take_warnings();
        let owners = recipients.owners();
        let (mut event, digests, by_owner) = draft.resolve_for(shared.identity.system, owners);
        event.metadata = None;
        let json = SharedJson::of(&event, metadata.as_deref());
        let (bytes, limit) = (json.len(), shared.limits.event_bytes);
        if bytes > limit {
            return Err(PublishError::TooLarge {
                index: 0,
                bytes,
                limit,
            });
        }
        shared.metrics.frames_encoded.inc();
        let aged_from = shared.time.aged_from(event.created_at);
        let recipients = owners.iter().zip(by_owner);
        let recipients = recipients.map(|(owner, digests)| Recipient {
            owner: *owner,
            digests,
        });
        Ok(PreparedForMany {
            fan_out: FanOut {
                recipients: recipients.collect(),
                submission: Submission {
                    event,
                    metadata,
                    digests,
                    json: bytes::Bytes::new(),
                    aged_from,
                },
                json,
                content: new_content_key(),
                quota: shared.quota.limit_for(Publisher::Backend),
            },
            warnings,
        })
    }

    pub(crate) async fn publish_prepared_to_many(
        &self,
        prepared: PreparedForMany,
    ) -> Result<SharedReceipt, PublishError> {
        let PreparedForMany { fan_out, warnings } = prepared;
        let id = fan_out.submission.event.id;
        let stored = self.shared.committer.fan_out(fan_out).await?;
        let (reached, repeated) = (stored.reached.len(), stored.repeated.len());
        let mut receipt = SharedReceipt::new(id, reached as u64, repeated as u64);
        receipt.retracted = stored.retracted;
        receipt.warnings = warnings;
        Ok(receipt)
    }

    /// Replaces severity, description and metadata of an event for all owners to whom it was
    /// [published together](Self::publish_to_many). The update must have no owner. For each owner it is as
    /// [`Self::update`]; an owner who has deleted the event keeps it deleted.
    ///
    /// The owners get the update in steps of a few milliseconds, between which other requests are committed. Dropping the
    /// future does not stop it once it has begun. If an error or the end of the process interrupts it, repeat it: the
    /// repeat reaches the rest. Owners who are added meanwhile get the event with the new content.
    ///
    /// # Errors
    ///
    /// At least one owner has not got the update; [`UpdateError`] gives the reason.
    pub async fn update_for_all(&self, update: Update) -> Result<SharedUpdateReceipt, UpdateError> {
        self.update_audience(update, None).await
    }

    /// Same as [`Self::update_for_all`], for a publisher who can change only what `systems` have published.
    pub(crate) async fn update_audience(
        &self,
        update: Update,
        systems: Option<Vec<SystemId>>,
    ) -> Result<SharedUpdateReceipt, UpdateError> {
        let limits = &self.shared.limits;
        let mut update = update.within(limits).map_err(UpdateError::Invalid)?;
        let warnings = update.take_warnings();
        let metadata = update.take_metadata_json().map(Arc::from);
        let content = SharedContent {
            severity: update.severity(),
            description: Arc::from(update.description()),
            metadata,
            sequence: update.sequence(),
        };
        let bytes = content_bytes(&content);
        if bytes > limits.event_bytes {
            let limit = limits.event_bytes;
            return Err(UpdateError::TooLarge { bytes, limit });
        }
        let mut receipt = SharedUpdateReceipt::new(update.id(), 0, 0);
        receipt.warnings = warnings;
        let content = Arc::new(content);
        let request = AudienceRequest {
            id: update.id(),
            systems,
            change: AudienceChange::Update(Arc::clone(&content)),
        };
        let updating = Updating {
            shared: Arc::clone(&self.shared),
            id: update.id(),
            content,
            renotify: update.renotifies(),
            at: self.shared.time.wall(),
        };
        let span = tracing::info_span!("audience_update");
        let task = tokio::spawn(updating.run(request, receipt).instrument(span));
        task.await.unwrap_or_else(|panic| {
            let error = StoreError::Internal(panic.into());
            Err(UpdateError::Store(Arc::new(error)))
        })
    }

    /// Takes an event back from all owners to whom it was [published together](Self::publish_to_many), as
    /// [`Self::retract`] does from one. From then on, publishing it to more owners reaches no one.
    ///
    /// It runs in steps and completes as [`Self::update_for_all`].
    ///
    /// # Errors
    ///
    /// At least one owner still has the event; [`RetractError`] gives the reason.
    pub async fn retract_from_all(
        &self,
        id: impl Into<EventId>,
    ) -> Result<ChangeOutcome, RetractError> {
        self.retract_from_audience(id.into(), None).await
    }

    /// Same as [`Self::retract_from_all`], for a publisher who can take back only what `systems` have published.
    pub(crate) async fn retract_from_audience(
        &self,
        id: EventId,
        systems: Option<Vec<SystemId>>,
    ) -> Result<ChangeOutcome, RetractError> {
        let at = self.shared.time.moment_of(Change::Delete);
        let request = AudienceRequest {
            id,
            systems,
            change: AudienceChange::Retract(at),
        };
        let shared = Arc::clone(&self.shared);
        let span = tracing::info_span!("audience_retraction");
        let task = tokio::spawn(retract(shared, request, at).instrument(span));
        task.await.unwrap_or_else(|panic| {
            let error = StoreError::Internal(panic.into());
            Err(RetractError::Store(Arc::new(error)))
        })
    }
}

/// Waits until few enough changes of audiences run.
async fn audience_turn(shared: &Shared) -> OwnedSemaphorePermit {
    let turns: &Arc<Semaphore> = &shared.audience_changes;
    let turn = Arc::clone(turns).acquire_owned().await;
    turn.expect("nobody closes it")
}

/// The most bytes that the JSON of an event with this content has.
fn content_bytes(content: &SharedContent) -> usize {
    let description = serde_json::to_string(&*content.description);
    let description = description.expect("a text is JSON").len();
    FIELDS_BYTES + description + content.metadata.as_ref().map_or(0, |text| text.len())
}

fn of_update(error: UpdateError) -> RetractError {
    match error {
        UpdateError::Store(error) => RetractError::Store(error),
        // The beginning of a change fails in no other way.
        _ => RetractError::Closed,
    }
}

fn of_store(error: StoreError) -> UpdateError {
    match error {
        StoreError::Closed => UpdateError::Closed,
        error => UpdateError::Store(Arc::new(error)),
    }
}

/// The next owners of an event; none after the last.
async fn next_owners(
    shared: &Shared,
    (id, system): (EventId, SystemId),
    after: Option<OwnerId>,
) -> Result<Vec<OwnerId>, UpdateError> {
    let limit = OWNERS_AT_A_TIME;
    let owners = shared.store.audience(id, system, after, limit).await;
    owners.map_err(of_store)
}

/// Takes an event back from its audiences, in a task of its own, so that it completes after its caller disconnects.
async fn retract(
    shared: Arc<Shared>,
    request: AudienceRequest,
    at: tidings_event::Timestamp,
) -> Result<ChangeOutcome, RetractError> {
    let _turn = audience_turn(&shared).await;
    let id = request.id;
    let begun = shared.committer.begin(request).await;
    let begun = match begun.map_err(of_update)? {
        AudienceOutcome::Begun(begun) => begun,
        AudienceOutcome::NotFound | AudienceOutcome::Later(_) => {
            return Ok(ChangeOutcome::NotFound);
        }
        AudienceOutcome::ForeignSystem(system) => {
            return Err(RetractError::ForeignSystem { system });
        }
        AudienceOutcome::NoRoom(error) => return Err(RetractError::Store(error)),
    };
    for BegunChange { system, .. } in begun {
        retract_from(&shared, id, system, at).await?;
    }
    Ok(ChangeOutcome::Done)
}

async fn retract_from(
    shared: &Shared,
    id: EventId,
    system: SystemId,
    at: tidings_event::Timestamp,
) -> Result<(), RetractError> {
    let mut after = None;
    loop {
        let owners = next_owners(shared, (id, system), after).await;
        let owners = owners.map_err(of_update)?;
        let Some(last) = owners.last() else {
            return Ok(());
        };
        after = Some(*last);
        let steps = owners.into_iter().map(|owner| {
            let step = ChangeStep {
                owner,
                targets: vec![Target {
                    id,
                    side: Some(Side::Own),
                }],
                change: Change::Delete,
                only: None,
                systems: Some(vec![system]),
                at,
            };
            shared.committer.change(step, Asker::Publisher)
        });
        for changed in join_all(steps).await {
            changed?;
        }
    }
}

/// Gives the content of an audience to its owners.
struct Updating {
    shared: Arc<Shared>,
    id: EventId,
    content: Arc<SharedContent>,
    renotify: bool,
    at: tidings_event::Timestamp,
}

impl Updating {
    /// Runs in a task of its own, so that it completes after its caller disconnects.
    async fn run(
        self,
        request: AudienceRequest,
        mut receipt: SharedUpdateReceipt,
    ) -> Result<SharedUpdateReceipt, UpdateError> {
        let _turn = audience_turn(&self.shared).await;
        let begun = match self.shared.committer.begin(request).await? {
            AudienceOutcome::Begun(begun) => begun,
            AudienceOutcome::Later(number) => {
                receipt.warnings.push(outdated(number));
                return Ok(receipt);
            }
            AudienceOutcome::NotFound => return Err(UpdateError::NotFound),
            AudienceOutcome::ForeignSystem(system) => {
                return Err(UpdateError::ForeignSystem { system });
            }
            AudienceOutcome::NoRoom(error) => return Err(UpdateError::Store(error)),
        };
        for begun in begun {
            self.update(begun, &mut receipt).await?;
        }
        Ok(receipt)
    }

    async fn update(
        &self,
        begun: BegunChange,
        receipt: &mut SharedUpdateReceipt,
    ) -> Result<(), UpdateError> {
        let shared = &self.shared;
        let mut after = None;
        loop {
            let owners = next_owners(shared, (self.id, begun.system), after).await?;
            let Some(last) = owners.last() else {
                return Ok(());
            };
            after = Some(*last);
            let updates = owners.into_iter().map(|owner| {
                let update = ContentUpdate {
                    owner,
                    id: self.id,
                    severity: self.content.severity,
                    description: Arc::clone(&self.content.description),
                    metadata: self.content.metadata.clone(),
                    sequence: self.content.sequence,
                    renotify: self.renotify,
                    systems: Some(vec![begun.system]),
                    shared: begun.content,
                    at: self.at,
                    quota: shared.quota.limit_for(Publisher::Backend),
                    event_bytes: shared.limits.event_bytes,
                };
                shared.committer.update(update)
            });
            for outcome in join_all(updates).await {
                match outcome? {
                    UpdateOutcome::Updated(_) => receipt.updated += 1,
                    UpdateOutcome::Kept { .. } => receipt.unchanged += 1,
                    UpdateOutcome::OverQuota { .. } => receipt.over_quota += 1,
                    // Deleted meanwhile.
                    UpdateOutcome::NotFound | UpdateOutcome::ForeignSystem(_) => {}
                    // A later update reaches the rest, or a retraction.
                    UpdateOutcome::Superseded => receipt.superseded = true,
                    UpdateOutcome::OnlyTexts { severity } => {
                        return Err(UpdateError::OnlyTexts { severity });
                    }
                    UpdateOutcome::TooLarge { bytes } => {
                        let limit = shared.limits.event_bytes;
                        return Err(UpdateError::TooLarge { bytes, limit });
                    }
                    UpdateOutcome::NoRoom(error) => return Err(UpdateError::Store(error)),
                }
            }
            if receipt.superseded {
                return Ok(());
            }
        }
    }
}
