//! Decides what becomes of an audience.

use tidings_event::Timestamp;
use tidings_event::wire::{Digest, Digests};

use crate::store::{Audience, SharedContent};

/// What an update does to an audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentStep {
    /// The audience gets the content.
    Replace,
    /// It has this content already. An earlier attempt may have been interrupted.
    Continue,
    /// It has the content of a later update.
    Later(u64),
    /// The event was retracted.
    Gone,
}

/// Whether an event that is published again is the one with this digest and time.
pub(crate) fn is_repeat(
    digests: &Digests,
    created_at: Timestamp,
    digest: Digest,
    first: Timestamp,
) -> bool {
    // Events of several owners are new: no earlier version has stored them by other rules.
    digests.is_repeat(created_at == first, digest, || None)
}

impl Audience {
    /// What an update does, if `is_same` tells whether the content is that of the audience.
    pub(crate) fn step(&self, update: &SharedContent, is_same: bool) -> ContentStep {
        if self.retracted_at.is_some() {
            return ContentStep::Gone;
        }
        let is_same = is_same && self.severity == update.severity;
        match (update.sequence, self.sequence) {
            (Some(number), Some(last)) if number < last || (number == last && !is_same) => {
                ContentStep::Later(last)
            }
            _ if is_same => ContentStep::Continue,
            _ => ContentStep::Replace,
        }
    }
}
