//! The deletion of system events, which changes the counts of each reader in another way.

use std::collections::HashMap;

use tidings_event::{CountDelta, Deletion, EventId, OwnerId, Rev, Status};

use crate::ended_overlay::EndedOverlay;
use crate::frame::Frame;

/// Most readers have neither read nor deleted the events, and share one frame. For the others it is
/// known how their counts differ from those of the shared frame.
#[derive(Debug)]
pub(crate) struct SystemDeletion {
    ids: Vec<EventId>,
    counts: CountDelta,
    shared: Frame,
    by_reader: HashMap<OwnerId, Difference>,
}

/// The changes of one reader to the events.
#[derive(Debug, Default)]
struct Difference {
    counts: CountDelta,
    /// The newest of these changes in the reader's own feed.
    own: Rev,
}

/// About the memory of a difference.
const DIFFERENCE_BYTES: usize = 160;

impl SystemDeletion {
    /// `counts` is what the deletion does to the counts of a reader without an overlay.
    pub(crate) fn new(ids: Vec<EventId>, counts: CountDelta, overlays: &[EndedOverlay]) -> Self {
        let mut by_reader: HashMap<OwnerId, Difference> = HashMap::new();
        for overlay in overlays {
            let difference = by_reader.entry(overlay.owner).or_default();
            difference.own = difference.own.max(overlay.changed_rev);
            match overlay.status {
                Some(Status::Unread) => {}
                Some(Status::Read) => {
                    difference.counts.add(Status::Unread, overlay.severity, 1);
                    difference.counts.add(Status::Read, overlay.severity, -1);
                }
                // The reader did not count the event any more.
                None => difference.counts.add(Status::Unread, overlay.severity, 1),
            }
        }
        let shared = Frame::deleted(
            &Deletion::new(ids.clone())
                .with_system_ids(Some(ids.clone()))
                .with_counts(counts.clone()),
        );
        Self {
            ids,
            counts,
            shared,
            by_reader,
        }
    }

    /// How far the reader must have got in its own feed before it sees the deletion. Otherwise the
    /// counts would leave out what the reader did to the events before.
    pub(super) fn waits_for(&self, reader: OwnerId) -> Rev {
        self.by_reader
            .get(&reader)
            .map_or(Rev::ZERO, |difference| difference.own)
    }

    /// The frame with the reader's counts.
    pub(super) fn frame_for(&self, reader: OwnerId) -> Frame {
        let Some(difference) = self.by_reader.get(&reader) else {
            return self.shared.clone();
        };
        let mut counts = self.counts.clone();
        for (status, deltas) in [
            (Status::Unread, &difference.counts.unread),
            (Status::Read, &difference.counts.read),
        ] {
            for (severity, by) in deltas {
                counts.add(status, *severity, *by);
            }
        }
        Frame::deleted(
            &Deletion::new(self.ids.clone())
                .with_system_ids(Some(self.ids.clone()))
                .with_counts(counts),
        )
    }

    /// About its memory.
    pub(super) fn size(&self) -> usize {
        self.shared.size() + self.by_reader.len() * DIFFERENCE_BYTES
    }
}
