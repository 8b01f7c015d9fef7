//! The rows that a group reads and changes, in memory: as they are and as they become.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use tidings_event::wire::Digest;
use tidings_event::{EventId, OwnerId, Rev, Severity, Status, SystemId, Timestamp};
use uuid::Uuid;

use super::subjects::Key;
use crate::ended_overlay::EndedOverlay;
use crate::quota::occupy;
use crate::store::decide::change::UsersState;
use crate::store::decide::publish::Remains;
use crate::store::decide::update::BeforeUpdate;
use crate::store::kind::{Kind, KindCounts};
use crate::store::{Audience, StoreIdentity, Submission};

/// The feeds and events of a group. Everything in it is locked.
#[derive(Debug)]
pub(super) struct State<'a> {
    pub(super) identity: StoreIdentity,
    pub(super) feeds: HashMap<OwnerId, Feed>,
    pub(super) events: HashMap<Key, EventState<'a>>,
    pub(super) tombstones: HashMap<Key, Tombstone>,
    /// By the user and the position of the system event.
    pub(super) overlays: HashMap<(OwnerId, Rev), Overlay>,
    /// The overlays of system events that the group can delete.
    pub(super) ending: Ending,
    /// The audiences of the group's events, by id and publisher.
    pub(super) audiences: BTreeMap<(EventId, SystemId), AudienceState>,
    /// Contents of audiences, by their keys.
    pub(super) texts: HashMap<Uuid, Text>,
    /// How many more rows have a content after the group. Those with 0 may not be needed any more.
    pub(super) content_rows: BTreeMap<Uuid, i64>,
    /// The marks and deletions of the group, in its order.
    pub(super) changes: Vec<RecentChange>,
    /// The updates of the group, in its order.
    pub(super) updates: Vec<RecentUpdate>,
}

/// A feed.
#[derive(Clone, Debug, Default)]
pub(super) struct Feed {
    pub(super) head: Rev,
    pub(super) bytes: u64,
    pub(super) deletions: u64,
    pub(super) counts: KindCounts,
    /// By the number of the severity.
    pub(super) overlays_read: [i64; Severity::ALL.len()],
    pub(super) overlays_deleted: [i64; Severity::ALL.len()],
    pub(super) is_changed: bool,
}

/// An event.
#[derive(Clone, Debug)]
pub(super) struct EventState<'a> {
    pub(super) created_rev: Rev,
    pub(super) changed_rev: Option<Rev>,
    /// The system that has published it.
    pub(super) system_id: SystemId,
    pub(super) severity: Severity,
    pub(super) status: Status,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) digest: Digest,
    /// Its bytes in the quota of its owner.
    pub(super) bytes: u64,
    /// Whether its content was replaced.
    pub(super) is_updated: bool,
    /// Its content, if the group updates it.
    pub(super) content: Option<Box<UpdatedContent>>,
    /// Nil if it is in an audience and has its own content, else the key of the content that it shares.
    pub(super) shared: Option<Uuid>,
    /// Whether the group adds it to an audience.
    pub(super) joins: bool,
    pub(super) origin: EventSource<'a>,
}

/// An audience.
#[derive(Clone, Debug)]
pub(super) struct AudienceState {
    pub(super) record: Audience,
    pub(super) is_changed: bool,
    /// Whether the group begins a change for all of it.
    pub(super) is_begun: bool,
}

/// A content that several events share.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) description: String,
    pub(super) metadata: Option<String>,
    /// Whether the group has made it.
    pub(super) is_new: bool,
}

/// Where an event comes from.
#[derive(Clone, Debug)]
pub(super) enum EventSource<'a> {
    /// The database.
    Database {
        /// Its JSON, if it is published again.
        json: Option<Bytes>,
        /// Whether the group marks it.
        is_marked: bool,
    },
    /// The group.
    Group(&'a Submission),
}

/// The content of an event that the group updates.
#[derive(Clone, Debug)]
pub(super) struct UpdatedContent {
    pub(super) before: BeforeUpdate,
    /// The position of its last update.
    pub(super) rev: Option<Rev>,
    /// The block of the search index that the event is in.
    pub(super) block: Option<SearchBlock>,
    /// Whether the group has replaced it.
    pub(super) is_new: bool,
}

/// A block of the search index.
#[derive(Clone, Debug)]
pub(super) struct SearchBlock {
    pub(super) last_rev: i64,
    pub(super) grams: Vec<u8>,
    pub(super) is_changed: bool,
}

/// The rest of a deleted event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tombstone {
    pub(super) remains: Remains,
    /// The position of its deletion.
    pub(super) deleted_rev: Rev,
    /// How the group has deleted it; `None` if it was deleted before.
    pub(super) burial: Option<Burial>,
}

/// A deletion by the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Burial {
    /// Of an event in the database.
    OfStored,
    /// Of an event that the same group publishes.
    OfNew,
}

/// A user's changes of a system event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overlay {
    pub(super) state: UsersState,
    pub(super) severity: Severity,
    pub(super) changed_rev: Rev,
    pub(super) updated_at: Timestamp,
    /// Whether the group changes it.
    pub(super) is_changed: bool,
}

/// The overlays of system events that may end, as they are in the database.
#[derive(Debug, Default)]
pub(super) struct Ending {
    pub(super) overlays: HashMap<Rev, Vec<EndedOverlay>>,
    /// Whether not all were read, because they are too many.
    pub(super) is_cut: bool,
    /// The events that have ended, with their severities.
    pub(super) ended: Vec<(Rev, Severity)>,
}

/// A mark or deletion, for the frames of other nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecentChange {
    pub(super) owner: OwnerId,
    pub(super) rev: Rev,
    /// The first rev of the step.
    pub(super) step: Rev,
    pub(super) id: EventId,
    pub(super) system_rev: Option<Rev>,
    pub(super) severity: Severity,
    pub(super) before: Status,
    pub(super) after: Option<Status>,
    pub(super) updated_before: Timestamp,
    pub(super) changed_before: Option<Rev>,
    pub(super) at: Timestamp,
}

/// An update, for the frames of other nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecentUpdate {
    pub(super) owner: OwnerId,
    pub(super) rev: Rev,
    pub(super) id: EventId,
    pub(super) severity_before: Severity,
    pub(super) status_before: Status,
    pub(super) status_after: Status,
    pub(super) at: Timestamp,
}

impl Feed {
    /// Takes the next rev.
    pub(super) fn advance(&mut self) -> Rev {
        self.head = self.head.next();
        self.is_changed = true;
        self.head
    }

    /// Adds the bytes of an event, unless the feed would exceed `limit`. Returns whether it fits.
    pub(super) fn occupy(&mut self, bytes: u64, limit: Option<u64>) -> bool {
        occupy(&mut self.bytes, bytes, limit)
    }

    /// Counts a user's overlay of a system event.
    pub(super) fn count_overlay(&mut self, severity: Severity, read: i64, deleted: i64) {
        let index = usize::from(Kind::of(severity, Status::Unread).number() / 2);
        self.overlays_read[index] += read;
        self.overlays_deleted[index] += deleted;
    }
}

impl<'a> State<'a> {
    pub(super) fn new(identity: StoreIdentity) -> Self {
        Self {
            identity,
            feeds: HashMap::new(),
            events: HashMap::new(),
            tombstones: HashMap::new(),
            overlays: HashMap::new(),
            ending: Ending::default(),
            audiences: BTreeMap::new(),
            texts: HashMap::new(),
            content_rows: BTreeMap::new(),
            changes: Vec::new(),
            updates: Vec::new(),
        }
    }

    /// The feed of an owner of the group.
    pub(super) fn feed(&mut self, owner: OwnerId) -> &mut Feed {
        self.feeds.entry(owner).or_default()
    }

    /// Adds an event at the next rev. Its bytes are counted already.
    pub(super) fn add(&mut self, owner: OwnerId, submission: &'a Submission) -> Rev {
        let event = &submission.event;
        let feed = self.feed(owner);
        feed.counts.add(Kind::of(event.severity, event.status));
        let created_rev = feed.advance();
        let stored = EventState {
            created_rev,
            changed_rev: None,
            system_id: event.system_id,
            severity: event.severity,
            status: event.status,
            created_at: event.created_at,
            updated_at: event.updated_at,
            digest: submission.digests.of_content,
            bytes: submission.stored_bytes(),
            is_updated: false,
            content: None,
            shared: None,
            joins: false,
            origin: EventSource::Group(submission),
        };
        self.events.insert((owner, event.id), stored);
        created_rev
    }

    /// Takes back the event of a feed that was added last, with its bytes.
    pub(super) fn take_back(&mut self, owner: OwnerId, submission: &Submission) {
        let event = &submission.event;
        self.events.remove(&(owner, event.id));
        let feed = self.feed(owner);
        feed.counts.subtract(Kind::of(event.severity, event.status));
        feed.bytes = feed.bytes.saturating_sub(submission.stored_bytes());
        feed.head = Rev::new(feed.head.get() - 1);
    }

    /// The owners whose feeds are locked, sorted.
    pub(super) fn owners(&self) -> Vec<Uuid> {
        let mut owners: Vec<Uuid> = self.feeds.keys().map(|owner| *owner.as_uuid()).collect();
        owners.sort_unstable();
        owners
    }

    /// Whether the group changes nothing.
    pub(super) fn is_unchanged(&self) -> bool {
        let is_new = |event: &EventState<'_>| matches!(event.origin, EventSource::Group(_));
        self.changes.is_empty()
            && self.updates.is_empty()
            && !self.events.values().any(is_new)
            && !self.audiences.values().any(|audience| audience.is_changed)
    }
}
