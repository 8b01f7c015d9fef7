//! A publish request, and its outcome.

use std::sync::Arc;

use bytes::Bytes;
use tidings_event::wire::Digests;
use tidings_event::{Event, EventId, OwnerId, Receipt, Rev, Timestamp};

use super::StoreError;
use crate::quota::EVENT_BYTES;

/// An event to be stored, with the values that the engine has computed from it.
#[derive(Debug)]
pub(crate) struct Submission {
    /// The event with its owner and system id, but without its metadata, which as parsed values can take
    /// many times the memory of its text.
    pub(crate) event: Event,
    /// The JSON of its metadata.
    pub(crate) metadata: Option<Box<str>>,
    /// The digests that tell a repeat from a conflict.
    pub(crate) digests: Digests,
    /// The event's JSON.
    pub(crate) json: Bytes,
    /// The time from which its age counts, if not from its creation.
    pub(crate) aged_from: Option<Timestamp>,
}

impl Submission {
    /// The bytes that it counts against the quota of its owner.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let event = &self.event;
        let metadata = self.metadata.as_ref().map_or(0, |text| text.len());
        let (category, action) = (event.category.as_str(), event.action.as_str());
        let texts = event.description.len() + metadata + category.len() + action.len();
        EVENT_BYTES + texts as u64
    }

    /// Whether the publisher chose its time of creation. Else each node takes it from its own clock, so that it tells
    /// which of two nodes has stored an event.
    #[cfg(feature = "postgres")]
    pub(crate) const fn has_time_of_publisher(&self) -> bool {
        self.digests.without_time.is_some()
    }

    /// About the memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let metadata = self.metadata.as_ref().map_or(0, |text| text.len());
        size_of::<Self>() + self.json.len() + metadata + self.event.description.len()
    }
}

/// An event in the store.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Its id.
    pub(crate) id: EventId,
    /// The owner of the feed it is in.
    pub(crate) owner: OwnerId,
    /// Its JSON.
    pub(crate) json: Bytes,
    /// Its position in its owner's feed.
    pub(crate) rev: Rev,
    /// Whether it was stored before.
    pub(crate) repeated: bool,
    /// Whether it was stored before and deleted since.
    pub(crate) deleted: bool,
}

impl From<Stored> for Receipt {
    fn from(stored: Stored) -> Self {
        let mut receipt = Self::new(stored.id, stored.owner, stored.json);
        receipt.rev = Some(stored.rev);
        receipt.repeated = stored.repeated;
        receipt.deleted = stored.deleted;
        receipt
    }
}

/// A publish request.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) submissions: Vec<Submission>,
    /// The most bytes that the events of one owner can take, including these.
    pub(crate) quota: Option<u64>,
}

/// The outcome of a publish request.
#[derive(Debug)]
pub(crate) enum PublishOutcome {
    /// The events are stored, by this request or an earlier one.
    Stored(Vec<Stored>),
    /// No event is stored: the owner of one has another event with its id.
    Conflict(Conflict),
    /// No event is stored: the events of an owner would take too many bytes.
    OverQuota(OverQuota),
    /// No event is stored: the disk is nearly full.
    NoRoom(Arc<StoreError>),
}

impl PublishOutcome {
    /// The stored events; none if the request was rejected.
    pub(crate) fn stored(&self) -> &[Stored] {
        match self {
            Self::Stored(stored) => stored,
            Self::Conflict(_) | Self::OverQuota(_) | Self::NoRoom(_) => &[],
        }
    }
}

/// The owner of an event in a request has an event with the same id and other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The position of the event in the request.
    pub(crate) index: usize,
    /// Their id.
    pub(crate) id: EventId,
}

/// An event of a request exceeds the quota of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverQuota {
    /// The position of the event in the request.
    pub(crate) index: usize,
    /// The bytes that it takes.
    pub(crate) bytes: u64,
    /// The bytes of the owner's events without the request.
    pub(crate) used: u64,
    /// The quota of the owner.
    pub(crate) limit: u64,
}
