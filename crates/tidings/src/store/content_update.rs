//! An update of an event's content, and its outcome.

use std::sync::Arc;

use bytes::Bytes;
use tidings_event::{CountDelta, EventId, OwnerId, Rev, Severity, SystemId, Timestamp};
use uuid::Uuid;

use super::StoreError;
use crate::quota::EVENT_BYTES;

/// New content for an event of its owner's feed.
#[derive(Clone, Debug)]
pub(crate) struct ContentUpdate {
    pub(crate) owner: OwnerId,
    pub(crate) id: EventId,
    pub(crate) severity: Severity,
    pub(crate) description: Arc<str>,
    /// The JSON of the metadata.
    pub(crate) metadata: Option<Arc<str>>,
    /// The publisher's number of the update.
    pub(crate) sequence: Option<u64>,
    /// Whether the event becomes unread again.
    pub(crate) renotify: bool,
    /// The systems whose events the publisher can change; `None` if all.
    pub(crate) systems: Option<Vec<SystemId>>,
    /// The key of this content, if it is that of the event's whole audience. Then the event is updated only while the
    /// audience still has it.
    pub(crate) shared: Option<Uuid>,
    /// The time of the update.
    pub(crate) at: Timestamp,
    /// The most bytes that the events of the owner can take after it.
    pub(crate) quota: Option<u64>,
    /// The most bytes of the event's JSON.
    pub(crate) event_bytes: usize,
}

impl ContentUpdate {
    /// The most bytes that the updated event takes, without the columns that stay.
    pub(crate) fn stored_bytes(&self) -> u64 {
        EVENT_BYTES + self.text_bytes()
    }

    /// The bytes of its texts.
    pub(crate) fn text_bytes(&self) -> u64 {
        let metadata = self.metadata.as_ref().map_or(0, |text| text.len());
        (self.description.len() + metadata) as u64
    }

    /// About the memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + usize::try_from(self.text_bytes()).unwrap_or(usize::MAX)
    }
}

/// An event with new content.
#[derive(Clone, Debug)]
pub(crate) struct Updated {
    /// The owner of the feed that has the change.
    pub(crate) owner: OwnerId,
    /// The position of the change.
    pub(crate) rev: Rev,
    /// The event.
    pub(crate) id: EventId,
    /// The JSON of the event after it.
    pub(crate) json: Bytes,
    /// The difference that it makes to the owner's counts.
    pub(crate) counts: CountDelta,
}

/// The outcome of an update.
#[derive(Debug)]
pub(crate) enum UpdateOutcome {
    /// The event has the new content.
    Updated(Updated),
    /// The event has this content already, or that of a later update. Nothing was changed.
    Kept {
        /// The owner of the event.
        owner: OwnerId,
        /// The position of the last change of its content, or of its creation.
        rev: Rev,
        /// Its JSON.
        json: Bytes,
        /// The number of the later update, if that is why.
        later: Option<u64>,
    },
    /// The owner has no such event.
    NotFound,
    /// The content was to be that of the event's whole audience, which has got another since.
    Superseded,
    /// Another system has published the event.
    ForeignSystem(SystemId),
    /// It is an event of the system, and the update changes more than its texts.
    OnlyTexts {
        /// The severity that it has.
        severity: Severity,
    },
    /// The event would be too large.
    TooLarge {
        /// The size of its JSON.
        bytes: usize,
    },
    /// The events of the owner would take too many bytes.
    OverQuota {
        /// The bytes that the event would take.
        bytes: u64,
        /// The bytes that the events of the owner take.
        used: u64,
    },
    /// The disk is nearly full.
    NoRoom(Arc<StoreError>),
}

impl UpdateOutcome {
    /// The owner whose subscribers must have the content before the update is acknowledged; `None` if it is rejected.
    pub(crate) const fn owner(&self) -> Option<OwnerId> {
        match self {
            Self::Updated(Updated { owner, .. }) | Self::Kept { owner, .. } => Some(*owner),
            Self::NotFound
            | Self::Superseded
            | Self::ForeignSystem(_)
            | Self::OnlyTexts { .. }
            | Self::TooLarge { .. }
            | Self::OverQuota { .. }
            | Self::NoRoom(_) => None,
        }
    }
}
