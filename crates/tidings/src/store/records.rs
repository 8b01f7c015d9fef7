//! The rows of a store as all backends have them, for moving a store from one to another.

use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};
use tidings_event::Timestamp;
use uuid::Uuid;

use super::StoreIdentity;
use super::kind::Kind;

/// The most records that are read or written at a time: at most 32 MiB of the largest events.
pub(crate) const RECORDS_AT_A_TIME: usize = 256;

/// A part of a store. Each is ordered by owner and rev.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Feeds,
    Events,
    Tombstones,
    Overlays,
    Ended,
    Contents,
    Audiences,
}

/// A position in a part: after the record of this owner and rev.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordPosition {
    pub(crate) owner: Uuid,
    pub(crate) rev: i64,
}

/// The properties of a store as a whole.
#[derive(Clone, Debug)]
pub(crate) struct StoreHead {
    pub(crate) identity: StoreIdentity,
    pub(crate) last_use: Option<Timestamp>,
    pub(crate) events: u64,
    pub(crate) state: StoreState,
}

impl StoreHead {
    /// Whether a store has the same rows, if both were the same store once.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.identity, self.state, self.events) == (other.identity, other.state, other.events)
    }
}

/// Numbers of which one changes with every change of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreState {
    pub(crate) feeds: i64,
    /// The sums over all feeds.
    pub(crate) heads: i64,
    pub(crate) floors: i64,
    pub(crate) deletions: i64,
    /// Deleted system events whose overlays are not removed yet.
    pub(crate) ended: i64,
}

/// The state of a store that is to take the rows of another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TargetState {
    /// Nothing.
    New,
    /// A part of the rows of another store.
    Unfinished {
        /// The other store, as it was when the move began.
        identity: StoreIdentity,
        state: StoreState,
        /// Where the move continues.
        part: i16,
        place: RecordPosition,
    },
    /// Rows of its own.
    Used,
}

/// A row. Its numbers are those that both backends store; times are nanoseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Record {
    Feed(Box<FeedRecord>),
    Event(Box<EventRecord>),
    Tombstone(TombstoneRecord),
    Overlay(OverlayRecord),
    Ended(EndedRecord),
    Content(Box<ContentRecord>),
    Audience(Box<AudienceRecord>),
}

/// A feed with its counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct FeedRecord {
    pub(crate) owner: Uuid,
    pub(crate) head: i64,
    pub(crate) floor: i64,
    pub(crate) bytes: i64,
    pub(crate) deletions: i64,
    /// By the number of the kind.
    pub(crate) counts: [i64; Kind::NUMBER],
    /// How many of the system's events the owner has read or deleted, by the number of the severity.
    pub(crate) read: [i64; 8],
    pub(crate) deleted: [i64; 8],
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EventRecord {
    pub(crate) owner: Uuid,
    pub(crate) id: Uuid,
    pub(crate) created_rev: i64,
    pub(crate) changed_rev: Option<i64>,
    pub(crate) content_rev: Option<i64>,
    pub(crate) sequence: Option<i64>,
    /// The number of its severity and status.
    pub(crate) kind: u8,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) aged_from: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) system_id: Uuid,
    pub(crate) operation_id: Uuid,
    pub(crate) acted_upon: Uuid,
    pub(crate) category: String,
    pub(crate) action: String,
    pub(crate) description: String,
    pub(crate) metadata: Option<String>,
    pub(crate) digest: Vec<u8>,
    /// Nil if it went to several owners and has its own content, else the key of the content that it shares.
    pub(crate) shared: Option<Uuid>,
}

/// A content that several events share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ContentRecord {
    pub(crate) key: Uuid,
    pub(crate) description: String,
    pub(crate) metadata: Option<String>,
    /// How many events have it.
    pub(crate) rows: i64,
}

/// The owners who got an event together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AudienceRecord {
    pub(crate) key: Uuid,
    pub(crate) id: Uuid,
    pub(crate) system_id: Uuid,
    pub(crate) content: Option<Uuid>,
    pub(crate) digest: Vec<u8>,
    pub(crate) created_at: i64,
    /// The number of the severity.
    pub(crate) severity: u8,
    pub(crate) sequence: Option<i64>,
    pub(crate) retracted_at: Option<i64>,
    pub(crate) members: i64,
}

/// The remains of a deleted event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TombstoneRecord {
    pub(crate) owner: Uuid,
    pub(crate) id: Uuid,
    pub(crate) created_rev: i64,
    pub(crate) deleted_rev: i64,
    pub(crate) digest: Vec<u8>,
    pub(crate) created_at: i64,
    pub(crate) deleted_at: i64,
}

/// The changes of a user to a system event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OverlayRecord {
    pub(crate) owner: Uuid,
    pub(crate) system_rev: i64,
    pub(crate) changed_rev: i64,
    /// The number of the event's severity and the user's status.
    pub(crate) kind: u8,
    pub(crate) deleted: bool,
    pub(crate) updated_at: i64,
}

/// A deleted system event that has overlays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EndedRecord {
    /// The system.
    pub(crate) owner: Uuid,
    pub(crate) system_rev: i64,
    /// The number of its severity.
    pub(crate) severity: u8,
}

impl Part {
    /// All parts, in the order in which they are copied.
    pub(crate) const ALL: [Self; 7] = [
        Self::Feeds,
        Self::Events,
        Self::Tombstones,
        Self::Overlays,
        Self::Ended,
        Self::Contents,
        Self::Audiences,
    ];

    /// The number of the part in a half-moved store.
    pub(crate) const fn number(self) -> i16 {
        match self {
            Self::Feeds => 0,
            Self::Events => 1,
            Self::Tombstones => 2,
            Self::Overlays => 3,
            Self::Ended => 4,
            Self::Contents => 5,
            Self::Audiences => 6,
        }
    }

    /// The name of its records.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Feeds => "feeds",
            Self::Events => "events",
            Self::Tombstones => "remembered deletions",
            Self::Overlays => "marks of system events",
            Self::Ended => "deleted system events",
            Self::Contents => "shared contents",
            Self::Audiences => "events of several owners",
        }
    }
}

impl RecordPosition {
    /// Before all records.
    pub(crate) const BEGINNING: Self = Self {
        owner: Uuid::nil(),
        rev: -1,
    };
}

impl Record {
    /// Where it stands in its part.
    pub(crate) const fn position(&self) -> RecordPosition {
        let (owner, rev) = match self {
            Self::Feed(feed) => (feed.owner, 0),
            Self::Event(event) => (event.owner, event.created_rev),
            Self::Tombstone(tombstone) => (tombstone.owner, tombstone.deleted_rev),
            Self::Overlay(overlay) => (overlay.owner, overlay.system_rev),
            Self::Ended(ended) => (ended.owner, ended.system_rev),
            Self::Content(content) => (content.key, 0),
            Self::Audience(audience) => (audience.key, 0),
        };
        RecordPosition { owner, rev }
    }
}

/// Digests records, in the order in which they are added.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordDigest(Sha256);

impl RecordDigest {
    pub(crate) fn add(&mut self, record: &Record) {
        record.hash(self);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

impl Hasher for RecordDigest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the whole digest is used")
    }
}
