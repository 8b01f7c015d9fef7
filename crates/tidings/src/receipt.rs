//! What a publisher gets.

use bytes::Bytes;
use tidings_event::{Event, EventId, OwnerId, Rev, Warning};

use crate::store::Stored;

/// What publish returns: the stored event and its place.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The event's id.
    pub id: EventId,
    /// Whose feed it is in.
    pub owner: OwnerId,
    /// The event's JSON as it is stored. A repeat gets the event that was stored first, as it is now.
    pub json: Bytes,
    /// Its position in its owner's feed.
    pub rev: Rev,
    /// Whether it had been there before, so that nothing was stored now.
    pub repeated: bool,
    /// Whether the event was stored before and has been deleted since.
    pub deleted: bool,
    /// What was repaired in the event as it was published. Not stored.
    pub warnings: Vec<Warning>,
}

impl Receipt {
    /// The event as it is stored.
    pub fn event(&self) -> Event {
        serde_json::from_slice(&self.json).expect("the engine wrote this JSON itself")
    }
}

impl From<Stored> for Receipt {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            owner: stored.owner,
            json: stored.json,
            rev: stored.rev,
            repeated: stored.repeated,
            deleted: stored.deleted,
            warnings: Vec::new(),
        }
    }
}
