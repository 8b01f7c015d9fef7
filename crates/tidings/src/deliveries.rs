//! The deliveries of changes: from the commits of this node, and from what the store tells of those of other
//! nodes. Both make the same frames.

use std::collections::HashMap;
use std::sync::Arc;

use tidings_event::{Change, Deletion, OwnerId, Rev, StatusChange};

use crate::frame::Frame;
use crate::hub::{Content, Delivery, SystemDeletion};
use crate::shared_json::SharedJson;
use crate::store::{Committed, RefillItem, StepOutcome, Stored, Updated};

/// A new entry of a feed, before it is encoded for subscribers.
pub(crate) enum FeedEntry<'a> {
    Created(&'a Stored),
    /// An event of several owners, at its position in the feed of one of them.
    CreatedFor(OwnerId, Rev, &'a SharedJson),
    Updated(&'a Updated),
    Changed(&'a StepOutcome),
}

impl FeedEntry<'_> {
    /// Its last rev.
    pub(crate) const fn last(&self) -> Rev {
        match self {
            Self::Created(event) => event.rev,
            Self::CreatedFor(_, rev, _) => *rev,
            Self::Updated(event) => event.rev,
            Self::Changed(step) => step.revs.up_to,
        }
    }

    pub(crate) fn delivery(&self, system: OwnerId) -> Delivery {
        match self {
            Self::Created(event) => Delivery::of_one(event.rev, Frame::created(event.json.clone())),
            Self::CreatedFor(owner, rev, json) => {
                Delivery::of_one(*rev, Frame::created_for(*owner, json))
            }
            Self::Updated(event) => of_update(event),
            Self::Changed(step) => of_step(step, system),
        }
    }
}

/// The new events and changes of a commit by feed, in the order of each feed's revs.
pub(crate) fn of_commit(committed: &Committed) -> HashMap<OwnerId, Vec<FeedEntry<'_>>> {
    let mut by_owner: HashMap<OwnerId, Vec<FeedEntry<'_>>> = HashMap::new();
    for one in committed.stored().filter(|one| !one.repeated) {
        let outcomes = by_owner.entry(one.owner).or_default();
        outcomes.push(FeedEntry::Created(one));
    }
    for one in committed.fanned_out() {
        for (owner, rev) in &one.reached {
            let outcomes = by_owner.entry(*owner).or_default();
            outcomes.push(FeedEntry::CreatedFor(*owner, *rev, &one.json));
        }
    }
    for updated in committed.updated() {
        let outcomes = by_owner.entry(updated.owner).or_default();
        outcomes.push(FeedEntry::Updated(updated));
    }
    for changed in committed.changed.iter().filter(|step| !step.ids.is_empty()) {
        let outcomes = by_owner.entry(changed.owner).or_default();
        outcomes.push(FeedEntry::Changed(changed));
    }
    by_owner
}

/// The commits of another node to one feed.
pub(crate) fn of_refill(items: Vec<RefillItem>, system: OwnerId) -> Vec<Delivery> {
    let deliveries = items.into_iter().map(|item| match item {
        RefillItem::Created { rev, json } => Delivery::of_one(rev, Frame::created(json)),
        RefillItem::Updated(updated) => of_update(&updated),
        RefillItem::Changed(step) => of_step(&step, system),
    });
    deliveries.collect()
}

/// The delivery of an update.
fn of_update(updated: &Updated) -> Delivery {
    let frame = Frame::updated(&updated.json, Some(&updated.counts));
    let delivery = Delivery::of_one(updated.rev, frame);
    match updated.counts.is_empty() {
        true => delivery.of_texts(updated.id),
        false => delivery,
    }
}

/// The delivery of a step, which is one frame.
fn of_step(changed: &StepOutcome, system: OwnerId) -> Delivery {
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
