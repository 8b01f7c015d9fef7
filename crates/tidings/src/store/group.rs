//! The content of one transaction.

use std::time::Duration;

use super::audience::{AudienceOutcome, AudienceRequest, FanOut, FanOutOutcome, FannedOut};
use super::change_step::{ChangeStep, StepOutcome};
use super::content_update::{ContentUpdate, UpdateOutcome, Updated};
use super::publication::{Publication, PublishOutcome, Stored};

/// The content of one transaction: first the publish requests, then those to several owners, the changes of audiences,
/// the updates and the steps, each in its order.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) publications: Vec<Publication>,
    pub(crate) fan_outs: Vec<FanOut>,
    pub(crate) audiences: Vec<AudienceRequest>,
    pub(crate) updates: Vec<ContentUpdate>,
    pub(crate) steps: Vec<ChangeStep>,
}

impl Group {
    /// Whether it has requests that can need room: all but the steps.
    pub(crate) const fn needs_room(&self) -> bool {
        !self.publications.is_empty()
            || !self.updates.is_empty()
            || !self.fan_outs.is_empty()
            || !self.audiences.is_empty()
    }

    /// Whether there is nothing to commit.
    pub(crate) const fn is_empty(&self) -> bool {
        self.publications.is_empty()
            && self.fan_outs.is_empty()
            && self.audiences.is_empty()
            && self.updates.is_empty()
            && self.steps.is_empty()
    }
}

/// Forms the group of a commit when the store is ready to begin it. It can block while requests that
/// are about to arrive are waited for.
pub(crate) type NextGroup = Box<dyn FnOnce() -> Group + Send>;

/// The outcomes of a group, in its order.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    pub(crate) published: Vec<PublishOutcome>,
    pub(crate) fanned_out: Vec<FanOutOutcome>,
    pub(crate) audiences: Vec<AudienceOutcome>,
    pub(crate) updated: Vec<UpdateOutcome>,
    pub(crate) changed: Vec<StepOutcome>,
    /// How long the commit itself took, until it was on disk.
    pub(crate) sync_time: Duration,
}

impl Committed {
    /// The events of the publish requests that were stored, now or before.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Stored> {
        let published = self.published.iter();
        published.flat_map(PublishOutcome::stored)
    }

    /// The events that are in the feeds of several owners, now or before.
    pub(crate) fn fanned_out(&self) -> impl Iterator<Item = &FannedOut> {
        self.fanned_out.iter().filter_map(FanOutOutcome::stored)
    }

    /// The events that have new content.
    pub(crate) fn updated(&self) -> impl Iterator<Item = &Updated> {
        self.updated.iter().filter_map(|outcome| match outcome {
            UpdateOutcome::Updated(updated) => Some(updated),
            UpdateOutcome::Kept { .. }
            | UpdateOutcome::NotFound
            | UpdateOutcome::Superseded
            | UpdateOutcome::ForeignSystem(_)
            | UpdateOutcome::OnlyTexts { .. }
            | UpdateOutcome::TooLarge { .. }
            | UpdateOutcome::OverQuota { .. }
            | UpdateOutcome::NoRoom(_) => None,
        })
    }
}
