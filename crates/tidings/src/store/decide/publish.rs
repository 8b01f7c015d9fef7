//! Decides whether an event that is published is a repeat.

use bytes::Bytes;
use tidings_event::wire::Digest;
use tidings_event::{Event, OwnerId, Rev, SystemId, Timestamp};

use crate::store::{Publication, Stored, Submission};

/// The owner of an event. The engine has settled it; an event without an owner is the system's.
pub(crate) fn owner_of(event: &Event, system: SystemId) -> OwnerId {
    event.owner.unwrap_or_else(|| system.into())
}

/// The most bytes that the events of an owner can take, including those of a request. Retention bounds the
/// system's.
pub(crate) fn limit_of(owner: OwnerId, system: SystemId, request: &Publication) -> Option<u64> {
    request.quota.filter(|_| owner != OwnerId::from(system))
}

/// The event that a feed has under an id.
pub(crate) struct There {
    /// Its position.
    pub(crate) rev: Rev,
    /// When it was created.
    pub(crate) created_at: Timestamp,
    /// Its JSON.
    pub(crate) json: Bytes,
    /// The digest of its content.
    pub(crate) digest: Digest,
    /// Whether an update has replaced its content since it was published.
    pub(crate) updated: bool,
    /// Whether it is deleted.
    pub(crate) deleted: bool,
}

/// The remains of a deleted event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remains {
    /// Its position.
    pub(crate) rev: Rev,
    /// The digest of its content.
    pub(crate) digest: Digest,
    /// When it was created.
    pub(crate) created_at: Timestamp,
    /// When it was deleted.
    pub(crate) deleted_at: Timestamp,
}

impl There {
    /// The event that the feed had under the id of `submission` and that was deleted. Its content is gone; if
    /// this is a repeat, its content is what was sent.
    pub(crate) fn deleted(remains: Remains, submission: &Submission) -> Self {
        // Without its metadata, which is kept as text.
        let mut event = submission.event.clone();
        event.created_at = remains.created_at;
        event.updated_at = remains.deleted_at;
        event.deleted_at = Some(remains.deleted_at);
        Self {
            rev: remains.rev,
            created_at: remains.created_at,
            json: event.to_json_with(submission.metadata.as_deref()).into(),
            digest: remains.digest,
            updated: false,
            deleted: true,
        }
    }

    /// The answer to a publisher who sends this event again. `None` if `submission` is another event.
    pub(crate) fn repeated_by(self, submission: &Submission, owner: OwnerId) -> Option<Stored> {
        let digests = &submission.digests;
        let same_time = submission.event.created_at == self.created_at;
        // A deleted event has no content to compare, and an updated one not that of its publish request.
        let stored = || match self.deleted || self.updated {
            true => None,
            false => serde_json::from_slice(&self.json).ok(),
        };
        digests
            .is_repeat(same_time, self.digest, stored)
            .then(|| Stored {
                id: submission.event.id,
                owner,
                json: self.json.clone(),
                rev: self.rev,
                repeated: true,
                deleted: self.deleted,
            })
    }
}
