//! Handles the outcomes of a committed group: delivers the changes to subscribers, counts them, and
//! replies to the callers.

use std::collections::HashMap;
use std::sync::Arc;

use tidings_event::{Change, Deletion, OwnerId, Receipt, StatusChange};

use super::request::{Published, Replies};
use crate::error::PublishError;
use crate::frame::Frame;
use crate::hub::{Content, Delivery, Hub, SystemDeletion};
use crate::metrics::{ChangeLabel, Metrics, OutcomeLabel};
use crate::store::{Committed, Conflict, OverQuota, PublishOutcome, StepOutcome, Stored};

/// Delivers the new events and changes to the subscribers of their feeds, in the order of each feed's revs.
pub(super) fn deliver(committed: &Committed, system: OwnerId, hub: &Hub) {
    let mut by_owner: HashMap<OwnerId, Vec<Outcome<'_>>> = HashMap::new();
    let stored = committed.published.iter().filter_map(stored_by);
    for one in stored.flatten().filter(|one| !one.repeated) {
        let outcomes = by_owner.entry(one.owner).or_default();
        outcomes.push(Outcome::Created(one));
    }
    for changed in committed.changed.iter().filter(|step| !step.ids.is_empty()) {
        let outcomes = by_owner.entry(changed.owner).or_default();
        outcomes.push(Outcome::Changed(changed));
    }
    for (owner, outcomes) in by_owner {
        let deliveries = outcomes.into_iter().map(|one| one.delivery(system));
        hub.deliver(owner, deliveries);
    }
}

/// A new entry of a feed, before it is encoded for subscribers.
enum Outcome<'a> {
    Created(&'a Stored),
    Changed(&'a StepOutcome),
}

impl Outcome<'_> {
    fn delivery(&self, system: OwnerId) -> Delivery {
        match self {
            Self::Created(event) => Delivery::of_one(event.rev, Frame::created(event.json.clone())),
            Self::Changed(step) => delivery_of(step, system),
        }
    }
}

fn stored_by(outcome: &PublishOutcome) -> Option<&Vec<Stored>> {
    match outcome {
        PublishOutcome::Stored(stored) => Some(stored),
        PublishOutcome::Conflict(_) | PublishOutcome::OverQuota(_) | PublishOutcome::NoRoom(_) => {
            None
        }
    }
}

/// The delivery of a step, which is one frame.
fn delivery_of(changed: &StepOutcome, system: OwnerId) -> Delivery {
    let content = match &changed.ended {
        _ if changed.owner != system => Content::Shared(frame_of(changed)),
        Some(ended) => {
            let deletion = SystemDeletion::new(changed.ids.clone(), changed.counts.clone(), ended);
            Content::PerReader(Arc::new(deletion))
        }
        None => Content::InStore,
    };
    Delivery {
        first: changed.revs.after.next(),
        last: changed.revs.up_to,
        system: changed.system,
        content,
    }
}

fn frame_of(changed: &StepOutcome) -> Frame {
    let (ids, system_ids) = (changed.ids.clone(), Some(changed.system_ids.clone()));
    let counts = changed.counts.clone();
    match changed.change {
        Change::Status(status) => Frame::status(
            &StatusChange::new(ids, status, changed.at)
                .with_system_ids(system_ids)
                .with_counts(counts),
        ),
        Change::Delete => Frame::deleted(
            &Deletion::new(ids)
                .with_system_ids(system_ids)
                .with_counts(counts),
        ),
    }
}

pub(super) fn count(committed: &Committed, metrics: &Metrics) {
    let mut events = 0_u32;
    for outcome in &committed.published {
        let label = match outcome {
            PublishOutcome::Stored(_) => OutcomeLabel::STORED,
            PublishOutcome::Conflict(_) => OutcomeLabel::CONFLICT,
            PublishOutcome::NoRoom(_) => OutcomeLabel::FAILED,
            PublishOutcome::OverQuota(_) => OutcomeLabel::OVER_QUOTA,
        };
        metrics.requests.get_or_create(&label).inc();
        for one in stored_by(outcome).into_iter().flatten() {
            if one.repeated {
                metrics.events_repeated.inc();
            } else {
                metrics.events_stored.inc();
                events += 1;
            }
        }
    }
    for changed in &committed.changed {
        let number = changed.ids.len();
        metrics.frames_encoded.inc_by(u64::from(number > 0));
        let label = &ChangeLabel::of(changed.change);
        metrics
            .events_changed
            .get_or_create(label)
            .inc_by(number as u64);
        events = events.saturating_add(u32::try_from(number).unwrap_or(u32::MAX));
    }
    metrics.commit_events.observe(f64::from(events));
    metrics
        .commit_sync_seconds
        .observe(committed.sync_time.as_secs_f64());
}

/// Sends the outcomes to the callers.
pub(super) fn send(committed: Committed, replies: Replies) {
    for (reply, outcome) in replies.publishers.into_iter().zip(committed.published) {
        reply.send(published(outcome));
    }
    for (reply, changed) in replies.changers.into_iter().zip(committed.changed) {
        reply.send(Ok(changed));
    }
}

fn published(outcome: PublishOutcome) -> Published {
    match outcome {
        PublishOutcome::Stored(stored) => Ok(stored.into_iter().map(Receipt::from).collect()),
        PublishOutcome::Conflict(Conflict { index, id }) => {
            Err(PublishError::Conflict { index, id })
        }
        PublishOutcome::NoRoom(error) => Err(PublishError::Store(error)),
        PublishOutcome::OverQuota(OverQuota {
            index,
            bytes,
            used,
            limit,
        }) => Err(PublishError::QuotaExceeded {
            index,
            bytes,
            used,
            limit,
        }),
    }
}
