//! Events that are published to several owners: the requests about them, and their outcomes.
//!
//! The owners who got an event by such requests are its audience, which is one record for each id and publisher.

use std::sync::Arc;

use tidings_event::wire::Digests;
use tidings_event::{EventId, OwnerId, Rev, Severity, SystemId, Timestamp};
use uuid::Uuid;

use super::{StoreError, Submission};
use crate::quota::EVENT_BYTES;
use crate::shared_json::SharedJson;

/// The most owners that the answer to a conflict names.
pub(crate) const NAMED_OWNERS: usize = 3;

/// An event that is published to several owners, stored for all of them or for none.
#[derive(Debug)]
pub(crate) struct FanOut {
    /// The event without an owner. Its digests are of no owner, and its JSON is empty.
    pub(crate) submission: Submission,
    pub(crate) json: SharedJson,
    /// Sorted by owner, each once.
    pub(crate) recipients: Vec<Recipient>,
    /// The key of its content, if the audience is new.
    pub(crate) content: Uuid,
    /// The most bytes that the events of one owner can take, including this.
    pub(crate) quota: Option<u64>,
}

/// An owner to whom an event is published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipient {
    pub(crate) owner: OwnerId,
    /// The digests of the event as if it had been published to this owner alone.
    pub(crate) digests: Digests,
}

impl FanOut {
    /// The bytes that it needs in the store: its texts once.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.submission.stored_bytes() + EVENT_BYTES * self.recipients.len() as u64
    }

    /// About the memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.submission.bytes() + self.json.len() + self.recipients.len() * size_of::<Recipient>()
    }
}

/// The outcome of publishing to several owners.
#[derive(Debug)]
pub(crate) enum FanOutOutcome {
    /// Each owner has the event, by this request or an earlier one, or had it.
    Stored(FannedOut),
    /// Nothing is stored: some owners have another event with its id.
    Conflict {
        /// Some of them. If there are none, the id was published to other owners with other content.
        owners: Vec<OwnerId>,
        /// How many there are.
        number: usize,
    },
    /// Nothing is stored: the events of an owner would take too many bytes.
    OverQuota {
        owner: OwnerId,
        bytes: u64,
        used: u64,
        limit: u64,
    },
    /// Nothing is stored: the disk is nearly full.
    NoRoom(Arc<StoreError>),
}

/// An event in the feeds of several owners.
#[derive(Clone, Debug)]
pub(crate) struct FannedOut {
    /// The JSON for those who are reached.
    pub(crate) json: SharedJson,
    /// The owners who have it by this request, and its position in their feeds.
    pub(crate) reached: Vec<(OwnerId, Rev)>,
    /// The owners who had it before.
    pub(crate) repeated: Vec<(OwnerId, Rev)>,
    /// Whether the event was retracted from all its owners. Then it reaches no one else.
    pub(crate) retracted: bool,
}

impl FanOutOutcome {
    /// The event in its feeds, unless the request was rejected.
    pub(crate) const fn stored(&self) -> Option<&FannedOut> {
        match self {
            Self::Stored(stored) => Some(stored),
            Self::Conflict { .. } | Self::OverQuota { .. } | Self::NoRoom(_) => None,
        }
    }
}

/// The first step of a change of an event for its whole audience. It changes no feed: it is noted with the audience, so
/// that owners who are added from then on get the event as it becomes, or do not get it any more. The steps after it
/// change the event in the feeds of the others.
#[derive(Clone, Debug)]
pub(crate) struct AudienceRequest {
    pub(crate) id: EventId,
    /// The systems whose events the publisher can change; `None` if all.
    pub(crate) systems: Option<Vec<SystemId>>,
    pub(crate) change: AudienceChange,
}

/// What becomes of an event for its audience.
#[derive(Clone, Debug)]
pub(crate) enum AudienceChange {
    /// It gets new content.
    Update(Arc<SharedContent>),
    /// It is deleted for all, at this time.
    Retract(Timestamp),
}

/// The key of a content that no audience has yet.
pub(crate) fn new_content_key() -> Uuid {
    *EventId::mint().as_uuid()
}

/// New content for an audience.
#[derive(Clone, Debug)]
pub(crate) struct SharedContent {
    pub(crate) severity: Severity,
    pub(crate) description: Arc<str>,
    /// The JSON of the metadata.
    pub(crate) metadata: Option<Arc<str>>,
    /// The publisher's number of the update.
    pub(crate) sequence: Option<u64>,
}

impl AudienceRequest {
    /// The bytes that it stores.
    pub(crate) fn stored_bytes(&self) -> u64 {
        match &self.change {
            AudienceChange::Update(content) => {
                let metadata = content.metadata.as_ref().map_or(0, |text| text.len());
                EVENT_BYTES + (content.description.len() + metadata) as u64
            }
            AudienceChange::Retract(_) => 0,
        }
    }
}

/// The outcome of an [`AudienceRequest`].
#[derive(Clone, Debug)]
pub(crate) enum AudienceOutcome {
    /// The change has begun for the audience of each of these systems.
    Begun(Vec<BegunChange>),
    /// The audience has the content of a later update, with this number.
    Later(u64),
    /// The id was published to no audience, or the event was retracted before it could be updated.
    NotFound,
    /// Another system has published the event.
    ForeignSystem(SystemId),
    /// The disk is nearly full.
    NoRoom(Arc<StoreError>),
}

/// A change that has begun for an audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BegunChange {
    /// The publisher.
    pub(crate) system: SystemId,
    /// The key of the content that the owners get, if this is an update.
    pub(crate) content: Option<Uuid>,
}

/// The record of an audience.
#[derive(Clone, Debug)]
pub(crate) struct Audience {
    /// The key of the content that new owners get; `None` if no owner is left.
    pub(crate) content: Option<Uuid>,
    /// The digests of the event that was first published, and its time.
    pub(crate) digest: tidings_event::wire::Digest,
    pub(crate) created_at: Timestamp,
    /// As new owners get it.
    pub(crate) severity: Severity,
    /// The number of the last update of all.
    pub(crate) sequence: Option<u64>,
    pub(crate) retracted_at: Option<Timestamp>,
    /// How many feeds have the event because of it.
    pub(crate) members: u64,
}
