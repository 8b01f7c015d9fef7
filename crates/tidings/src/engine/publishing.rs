//! Publishing: validates and encodes events, and queues them at the committer.

use tidings_event::{Draft, IntoDraft, Receipt, Violations, Warning};

use super::Tidings;
use crate::error::PublishError;
use crate::quota::Publisher;
use crate::store::{Publication, Submission};

/// A valid event, encoded and ready to be stored. It holds the metadata as text, because parsed metadata
/// can take many times the memory.
#[derive(Debug)]
pub struct Prepared {
    submission: Submission,
    /// The repairs of the event.
    warnings: Vec<Warning>,
}

impl Prepared {
    /// The size of the stored JSON in bytes, plus the approximate size of the warnings in the response.
    pub fn json_bytes(&self) -> usize {
        const WARNING_BYTES: usize = 64;
        let warnings = self.warnings.iter();
        let warnings = warnings.map(|one| WARNING_BYTES + one.field.len() + one.message.len());
        self.submission.json.len() + warnings.sum::<usize>()
    }
}

impl Tidings {
    /// Stores an event and delivers it to the subscribers of its owner. When this method returns `Ok`, the
    /// event is on disk.
    ///
    /// Publishing the same event again stores nothing and returns the first receipt. If the caller drops
    /// the future, the event is stored or not; publish it again to be sure that it is.
    ///
    /// # Errors
    ///
    /// Nothing was stored; [`PublishError`] gives the reason.
    pub async fn publish(&self, event: impl IntoDraft) -> Result<Receipt, PublishError> {
        let draft = event.into_draft(&self.shared.limits);
        let prepared = self.prepare(draft.map_err(PublishError::Invalid)?);
        let receipts = self.publish_prepared(vec![prepared]).await?;
        Ok(receipts
            .into_iter()
            .next()
            .expect("a request of one event has one receipt"))
    }

    /// Same as [`Self::publish`], for several events of any owners. Either all events are stored or none.
    /// Events of the same owner keep their order. An empty batch does nothing.
    ///
    /// # Errors
    ///
    /// Nothing was stored; the error lists the violations of all events.
    pub async fn publish_batch<E: IntoDraft>(
        &self,
        events: Vec<E>,
    ) -> Result<Vec<Receipt>, PublishError> {
        let mut violations = Violations::default();
        let mut prepared = Vec::with_capacity(events.len());
        for (index, event) in events.into_iter().enumerate() {
            match event.into_draft(&self.shared.limits) {
                Ok(draft) => prepared.push(self.prepare(draft)),
                Err(of_one) => violations.extend_from_batch(index, of_one),
            }
        }
        violations.into_result().map_err(PublishError::Invalid)?;
        self.publish_prepared(prepared).await
    }

    /// Sets the owner and the system of an event, and encodes the event once for the store, the response
    /// and all subscribers.
    pub(crate) fn prepare(&self, mut draft: Draft) -> Prepared {
        let metadata = draft.take_metadata_json();
        let warnings = draft.take_warnings();
        let (mut event, digests) = draft.resolve(self.shared.identity.system);
        event.metadata = None;
        let json = event.to_json_with(metadata.as_deref());
        let aged_from = self.shared.time.aged_from(event.created_at);
        self.shared.metrics.frames_encoded.inc();
        Prepared {
            submission: Submission {
                event,
                metadata,
                digests,
                json: json.into(),
                aged_from,
            },
            warnings,
        }
    }

    pub(crate) async fn publish_prepared(
        &self,
        events: Vec<Prepared>,
    ) -> Result<Vec<Receipt>, PublishError> {
        self.publish_as(Publisher::Backend, events).await
    }

    pub(crate) async fn publish_prepared_by_owner(
        &self,
        events: Vec<Prepared>,
    ) -> Result<Vec<Receipt>, PublishError> {
        self.publish_as(Publisher::Owner, events).await
    }

    async fn publish_as(
        &self,
        publisher: Publisher,
        events: Vec<Prepared>,
    ) -> Result<Vec<Receipt>, PublishError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        self.check_sizes(&events)?;
        let owner = events
            .first()
            .and_then(|first| first.submission.event.owner);
        if let Some(owner) = owner {
            self.shared.activity.note(owner);
        }
        let mut warnings = Vec::new();
        let mut submissions = Vec::with_capacity(events.len());
        for (index, event) in events.into_iter().enumerate() {
            if !event.warnings.is_empty() {
                warnings.push((index, event.warnings));
            }
            submissions.push(event.submission);
        }
        let quota = self.shared.quota.limit_for(publisher);
        let publication = Publication { submissions, quota };
        let by_owner = owner.filter(|_| publisher == Publisher::Owner);
        let mut receipts = self.shared.committer.publish(publication, by_owner).await?;
        for (index, of_one) in warnings {
            receipts[index].warnings = of_one;
        }
        Ok(receipts)
    }

    fn check_sizes(&self, events: &[Prepared]) -> Result<(), PublishError> {
        let limits = &self.shared.limits;
        if events.len() > limits.batch_events {
            return Err(PublishError::TooManyEvents {
                events: events.len(),
                limit: limits.batch_events,
            });
        }
        let sizes = events.iter().map(|event| event.submission.json.len());
        for (index, bytes) in sizes.clone().enumerate() {
            let limit = limits.event_bytes;
            if bytes > limit {
                return Err(PublishError::TooLarge {
                    index,
                    bytes,
                    limit,
                });
            }
        }
        let (bytes, limit) = (sizes.sum(), limits.batch_bytes);
        if events.len() > 1 && bytes > limit {
            return Err(PublishError::BatchTooLarge { bytes, limit });
        }
        Ok(())
    }
}
