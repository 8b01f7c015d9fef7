//! The commits of other nodes to a feed.

use bytes::Bytes;
use tidings_event::Rev;

use super::change_step::StepOutcome;
use super::content_update::Updated;
#[cfg(test)]
use super::feeds::RevRange;

/// The next changes of a feed that another node has committed, for the windows of this node.
#[derive(Debug)]
#[allow(
    dead_code,
    reason = "only a store that nodes share tells it, which is a feature"
)]
pub(crate) enum Refill {
    /// Each change is told as exactly as the node that committed it delivers it.
    Exact {
        /// The changes after the beginning of the range, in the order of their revs and without a hole. They
        /// can end before the range does: at the head of the feed, or after about 64 KiB.
        items: Vec<RefillItem>,
        /// The head of the feed in the same read. The range can end beyond it.
        head: Rev,
    },
    /// A change of the range is not known that exactly any more, for example because its event was deleted
    /// since. Subscribers read the store instead.
    Incomplete {
        /// The head of the feed in the same read.
        head: Rev,
    },
}

/// One frame of a [`Refill`].
#[derive(Clone, Debug)]
#[allow(
    dead_code,
    reason = "only a store that nodes share tells it, which is a feature"
)]
pub(crate) enum RefillItem {
    /// A new event.
    Created {
        /// Its position in its owner's feed.
        rev: Rev,
        /// Its JSON when it was created.
        json: Bytes,
    },
    /// New content of an event.
    Updated(Updated),
    /// A mark or deletion of one or more events, whose revs are consecutive. `unchanged` is not read.
    Changed(StepOutcome),
}

#[cfg(test)]
impl RefillItem {
    /// The revs that it stands for.
    pub(crate) const fn revs(&self) -> RevRange {
        match self {
            Self::Created { rev, .. } => RevRange {
                after: Rev::new(rev.get() - 1),
                up_to: *rev,
            },
            Self::Updated(Updated { rev, .. }) => RevRange {
                after: Rev::new(rev.get() - 1),
                up_to: *rev,
            },
            Self::Changed(step) => step.revs,
        }
    }
}
