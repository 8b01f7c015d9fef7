//! Handles the outcomes of a committed group: delivers the changes to subscribers, tells other nodes, counts
//! the changes, and replies to the callers.

use std::collections::HashMap;

use tidings_event::{OwnerId, Receipt, Rev};

use super::late::LateReplies;
use super::request::{FanOutResult, PublishResult, Replies};
use crate::bus::Outbox;
use crate::deliveries;
use crate::error::PublishError;
use crate::hub::{Hub, Late};
use crate::metrics::{ChangeLabel, Metrics, OutcomeLabel};
use crate::store::{Committed, Conflict, FanOutOutcome, OverQuota, PublishOutcome, UpdateOutcome};

/// Delivers the new events and changes to the subscribers of their feeds, and tells the other nodes. Returns the
/// feeds whose subscribers must first get what another node has committed.
pub(super) fn deliver(
    committed: &Committed,
    system: OwnerId,
    hub: &Hub,
    outbox: Option<&Outbox>,
) -> HashMap<OwnerId, Vec<Late>> {
    let mut late: HashMap<OwnerId, Vec<Late>> = HashMap::new();
    for (owner, outcomes) in deliveries::of_commit(committed) {
        if let (Some(outbox), Some(last)) = (outbox, outcomes.last()) {
            outbox.announce(owner, last.last());
        }
        let deliveries = outcomes.into_iter().map(|one| one.delivery(system));
        if let Some(one) = hub.deliver(owner, deliveries) {
            late.entry(owner).or_default().push(one);
        }
    }
    // Another node may have stored it, a moment ago.
    for one in committed.stored().filter(|one| one.repeated) {
        if let Some(waiting) = hub.expect(one.owner, one.rev) {
            late.entry(one.owner).or_default().push(waiting);
        }
    }
    let repeated = committed.fanned_out().flat_map(|one| &one.repeated);
    for (owner, rev) in repeated {
        if let Some(waiting) = hub.expect(*owner, *rev) {
            late.entry(*owner).or_default().push(waiting);
        }
    }
    for outcome in &committed.updated {
        if let UpdateOutcome::Kept { owner, rev, .. } = outcome
            && let Some(waiting) = hub.expect(*owner, *rev)
        {
            late.entry(*owner).or_default().push(waiting);
        }
    }
    // The frame of a changed event of the system waits for the event, which another node may have stored.
    let mut newest: HashMap<OwnerId, Rev> = HashMap::new();
    for step in committed.changed.iter().filter(|step| !step.ids.is_empty()) {
        let rev = newest.entry(step.owner).or_default();
        *rev = step.system.max(*rev);
    }
    for (owner, rev) in newest {
        if rev > Rev::ZERO
            && owner != system
            && hub.has_subscribers(owner)
            && let Some(waiting) = hub.expect(system, rev)
        {
            late.entry(owner).or_default().push(waiting);
        }
    }
    late
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
        for one in outcome.stored() {
            if one.repeated {
                metrics.events_repeated.inc();
            } else {
                metrics.events_stored.inc();
                events += 1;
            }
        }
    }
    for outcome in &committed.fanned_out {
        let label = match outcome {
            FanOutOutcome::Stored(_) => OutcomeLabel::STORED,
            FanOutOutcome::Conflict { .. } => OutcomeLabel::CONFLICT,
            FanOutOutcome::NoRoom(_) => OutcomeLabel::FAILED,
            FanOutOutcome::OverQuota { .. } => OutcomeLabel::OVER_QUOTA,
        };
        metrics.requests.get_or_create(&label).inc();
        if let Some(stored) = outcome.stored() {
            let reached = u32::try_from(stored.reached.len()).unwrap_or(u32::MAX);
            metrics.events_stored.inc_by(reached.into());
            metrics.events_repeated.inc_by(stored.repeated.len() as u64);
            events = events.saturating_add(reached);
        }
    }
    let updated = committed.updated().count();
    metrics.frames_encoded.inc_by(updated as u64);
    metrics.events_updated.inc_by(updated as u64);
    events = events.saturating_add(u32::try_from(updated).unwrap_or(u32::MAX));
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

/// Sends the outcomes to the callers, except those about `late` feeds, which are returned.
pub(super) fn send<L>(
    committed: Committed,
    replies: Replies,
    late: &HashMap<OwnerId, L>,
) -> LateReplies {
    let mut held = LateReplies::default();
    for (reply, outcome) in replies.publishers.into_iter().zip(committed.published) {
        let mut stored = outcome.stored().iter();
        let is_late = !late.is_empty() && stored.any(|one| late.contains_key(&one.owner));
        match is_late {
            true => held.published.push((reply, published(outcome))),
            false => reply.send(published(outcome)),
        }
    }
    for (reply, outcome) in replies.fan_outs.into_iter().zip(committed.fanned_out) {
        let is_late = !late.is_empty()
            && outcome.stored().is_some_and(|stored| {
                let mut owners = stored.reached.iter().chain(&stored.repeated);
                owners.any(|(owner, _)| late.contains_key(owner))
            });
        match is_late {
            true => held.fanned_out.push((reply, fanned_out(outcome))),
            false => reply.send(fanned_out(outcome)),
        }
    }
    for (reply, outcome) in replies.audiences.into_iter().zip(committed.audiences) {
        reply.send(Ok(outcome));
    }
    for (reply, outcome) in replies.updaters.into_iter().zip(committed.updated) {
        let is_late = outcome
            .owner()
            .is_some_and(|owner| late.contains_key(&owner));
        match is_late {
            true => held.updated.push((reply, Ok(outcome))),
            false => reply.send(Ok(outcome)),
        }
    }
    for (reply, changed) in replies.changers.into_iter().zip(committed.changed) {
        match late.contains_key(&changed.owner) {
            true => held.changed.push((reply, Ok(changed))),
            false => reply.send(Ok(changed)),
        }
    }
    held
}

fn fanned_out(outcome: FanOutOutcome) -> FanOutResult {
    match outcome {
        FanOutOutcome::Stored(stored) => Ok(stored),
        FanOutOutcome::Conflict { owners, number } => {
            Err(PublishError::OwnersConflict { owners, number })
        }
        FanOutOutcome::NoRoom(error) => Err(PublishError::Store(error)),
        FanOutOutcome::OverQuota {
            owner,
            bytes,
            used,
            limit,
        } => Err(PublishError::OwnerQuotaExceeded {
            owner,
            bytes,
            used,
            limit,
        }),
    }
}

fn published(outcome: PublishOutcome) -> PublishResult {
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
