//! Deliveries to the subscribers of a feed.

use std::sync::Arc;

use tidings_event::{EventId, OwnerId, Rev};

use super::system_deletion::SystemDeletion;
use crate::frame::Frame;

/// A frame on its way to the subscribers of a feed.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The first rev it stands for.
    pub(crate) first: Rev,
    /// The last rev it stands for.
    pub(crate) last: Rev,
    /// If it is about a system event, the event's rev: a subscriber that has not got that far in the system's
    /// feed must wait for it.
    pub(crate) system: Rev,
    pub(crate) content: Content,
}

/// The frame of a delivery.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// The same to all readers.
    Shared(Frame),
    /// The same to all readers: an event with other texts, and no other count. A reader who has not taken it is shown
    /// only the last one that waits, since each has the whole event.
    Texts(EventId, Frame),
    /// Counts that differ by reader.
    PerReader(Arc<SystemDeletion>),
    /// Each reader reads it from the store.
    InStore,
}

impl Content {
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Shared(frame) | Self::Texts(_, frame) => frame.size(),
            Self::PerReader(deletion) => deletion.size(),
            Self::InStore => 0,
        }
    }

    /// Whether a subscriber that has got this far can see it.
    pub(super) fn is_due(&self, reader: OwnerId, reached: Reached) -> bool {
        match self {
            Self::PerReader(deletion) => deletion.waits_for(reader) <= reached.own,
            Self::Shared(_) | Self::Texts(..) | Self::InStore => true,
        }
    }

    pub(super) fn frame_for(&self, reader: OwnerId) -> Option<Frame> {
        match self {
            Self::Shared(frame) | Self::Texts(_, frame) => Some(frame.clone()),
            Self::PerReader(deletion) => Some(deletion.frame_for(reader)),
            Self::InStore => None,
        }
    }
}

/// How far a subscriber has got.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reached {
    /// In its own feed.
    pub(crate) own: Rev,
    /// In the system's feed.
    pub(crate) system: Rev,
}

impl Delivery {
    /// The delivery of a frame that stands for one rev and for nothing elsewhere.
    pub(crate) const fn of_one(rev: Rev, frame: Frame) -> Self {
        Self {
            first: rev,
            last: rev,
            system: Rev::ZERO,
            content: Content::Shared(frame),
        }
    }

    /// The same as a frame that shows only other texts of an event.
    pub(crate) fn of_texts(self, event: EventId) -> Self {
        let content = match self.content {
            Content::Shared(frame) => Content::Texts(event, frame),
            other => other,
        };
        Self { content, ..self }
    }
}
