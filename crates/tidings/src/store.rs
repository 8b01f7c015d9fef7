//! Storage of events: one trait, and one backend so far.
//!
//! The store does not know subscribers. Only the engine connects the two.

pub(crate) mod audit;
mod decide;
mod encoded;
mod error;
mod kind;
mod lanes;
mod list_position;
mod moment;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "postgres")]
pub(crate) mod records;
mod replayed;
pub(crate) mod sqlite;
mod wanted;
#[cfg(test)]
pub(crate) mod watched;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_event::wire::{Digests, Epoch};
use tidings_event::{
    Change, CountDelta, Event, EventFilter, EventId, EventRef, EventType, EventTypes, OwnerId,
    OwnerKind, PageRequest, PageToken, Receipt, Rev, Status, Summary, SystemId, Timestamp,
};

use crate::ended_overlay::EndedOverlay;
use crate::quota::EVENT_BYTES;
use crate::retention::Retention;
use crate::revoked_tokens::{RevokedPage, RevokedToken};
pub(crate) use encoded::{EncodedEvents, Unread};
pub use error::StoreError;

/// The space that a store takes and the space of its disk, in bytes.
#[cfg(feature = "metrics")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// The size of its files.
    pub(crate) database_bytes: u64,
    /// The free space of its file system for this user.
    pub(crate) free_bytes: u64,
    /// The size of its file system.
    pub(crate) disk_bytes: u64,
}

/// An event to be stored, with what the engine has computed from it.
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

/// What one transaction commits: first the publish requests, then the steps, each in its order.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) publications: Vec<Publication>,
    pub(crate) steps: Vec<ChangeStep>,
}

impl Group {
    /// Whether there is nothing to commit.
    pub(crate) const fn is_empty(&self) -> bool {
        self.publications.is_empty() && self.steps.is_empty()
    }
}

/// Forms the group of a commit when the store is ready to begin it. It can block while requests that
/// are about to arrive are waited for.
pub(crate) type NextGroup = Box<dyn FnOnce() -> Group + Send>;

/// An event that is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its id, which an event of the owner and one of the system can share.
    pub(crate) id: EventId,
    /// The feed it is in. If it was named by its id alone: the owner's feed if the id is there, else the
    /// system's.
    pub(crate) side: Option<Side>,
}

impl From<EventRef> for Target {
    fn from(event: EventRef) -> Self {
        Self {
            id: event.id,
            side: event.owner_kind.map(|kind| match kind {
                OwnerKind::User => Side::Own,
                OwnerKind::System => Side::System,
            }),
        }
    }
}

/// A bounded part of a change.
#[derive(Clone, Debug)]
pub(crate) struct ChangeStep {
    /// The owner whose view of the events changes; events that this owner does not see stay as they are.
    /// The system changes its own events for all users, and a user changes them for themselves only.
    pub(crate) owner: OwnerId,
    /// Which events; at most [`StreamItem::MAX_IDS`](tidings_event::StreamItem::MAX_IDS).
    pub(crate) targets: Vec<Target>,
    /// The change.
    pub(crate) change: Change,
    /// Only events that have this status.
    pub(crate) only: Option<Status>,
    /// The time of the change.
    pub(crate) at: Timestamp,
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
    /// The stored events; none if the request was refused.
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

/// Whether the disk has space for new events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// It has.
    Enough,
    /// Only the space that deleted events have left.
    Tight,
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

/// The outcome of a step.
#[derive(Clone, Debug)]
pub(crate) struct StepOutcome {
    /// The owner of the feed that has the changes.
    pub(crate) owner: OwnerId,
    /// The change.
    pub(crate) change: Change,
    /// The time of the change.
    pub(crate) at: Timestamp,
    /// The events that are now different, in the order of their revs.
    pub(crate) ids: Vec<EventId>,
    /// Those of `ids` that are the system's.
    pub(crate) system_ids: Vec<EventId>,
    /// How many other events exist, or were deleted before if this is a deletion.
    pub(crate) unchanged: usize,
    /// The revs of the changes in the owner's feed; empty if nothing changed.
    pub(crate) revs: RevRange,
    /// The rev of the newest changed event of the system in the system's feed.
    pub(crate) system: Rev,
    /// The difference that it makes to the owner's counts. If system events end, to those of a user without an
    /// overlay.
    pub(crate) counts: CountDelta,
    /// The overlays of system events that end; `None` if they are too many to be told.
    pub(crate) ended: Option<Vec<EndedOverlay>>,
}

/// The outcomes of a group, in its order.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    pub(crate) published: Vec<PublishOutcome>,
    pub(crate) changed: Vec<StepOutcome>,
    /// How long the commit itself took, until it was on disk.
    pub(crate) sync_time: Duration,
}

impl Committed {
    /// The events of the publish requests that were stored, now or before.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Stored> {
        let published = self.published.iter();
        published.flat_map(PublishOutcome::stored)
    }
}

/// The identity of a store. Only the epoch ever changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    /// The installation.
    pub(crate) system: SystemId,
    /// The epoch, which binds cursors to this store until a restore.
    pub(crate) epoch: Epoch,
}

/// The bounds of a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeedBounds {
    /// The rev of the newest change.
    pub(crate) head: Rev,
    /// Changes below this rev are no longer kept.
    pub(crate) floor: Rev,
}

/// What an owner sees at one moment. It is read in one snapshot, so that counts and heads agree.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The owner's own feed.
    pub(crate) own: FeedBounds,
    /// The system's feed.
    pub(crate) system: FeedBounds,
    /// The counts of both feeds together at these heads.
    pub(crate) summary: Summary,
}

/// A run of changes of one feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RevRange {
    /// Not included.
    pub(crate) after: Rev,
    /// The last rev of the run.
    pub(crate) up_to: Rev,
}

/// One of the two feeds that a user sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The system's.
    System,
    /// The user's own. For the system itself there is only the other.
    Own,
}

/// What a replay yields: a change of one or more events.
#[derive(Debug)]
pub(crate) enum ReplayItem {
    /// The JSON of an event, as its reader sees it now.
    Created(Bytes),
    /// These events have this status since this moment.
    Status {
        ids: Vec<EventId>,
        /// Those of `ids` that are the system's, if one of `ids` is, or was, in both feeds that the owner sees.
        system_ids: Option<Vec<EventId>>,
        status: Status,
        at: Timestamp,
    },
    /// These events are gone.
    Deleted {
        ids: Vec<EventId>,
        system_ids: Option<Vec<EventId>>,
    },
}

/// A bounded piece of a replay.
#[derive(Debug)]
pub(crate) struct ReplayPage {
    /// The items in the order of their revs. An item with several revs has the last one.
    pub(crate) changes: Vec<(Rev, ReplayItem)>,
    /// Every change up to this rev is in this page or an earlier one.
    pub(crate) reached: Rev,
    /// The floor of the feed now. Deletions up to this rev are forgotten.
    pub(crate) floor: Rev,
}

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
            Self::Changed(step) => step.revs,
        }
    }
}

/// The events that a bulk change is about.
#[derive(Clone, Debug)]
pub(crate) struct Matching {
    /// The filter that they match.
    pub(crate) filter: EventFilter,
    /// The newest rev in the owner's own feed.
    pub(crate) own_up_to: Rev,
    /// The newest rev in the system's feed.
    pub(crate) system_up_to: Rev,
}

/// A piece of the matching events.
#[derive(Debug)]
pub(crate) struct MatchPage {
    /// The oldest first.
    pub(crate) targets: Vec<Target>,
    /// Where the next piece begins; `None` after the last one.
    pub(crate) next: Option<PageToken>,
}

/// The position at which retention continues: after a feed, which each store names in its own way. The
/// default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeedPosition(u128);

impl FeedPosition {
    /// After the feed that the store knows under this number.
    const fn after(feed: u128) -> Self {
        Self(feed)
    }

    /// Before this feed, whose number is not 0, and after all before it.
    const fn before(feed: u128) -> Self {
        Self(feed - 1)
    }
}

/// Expired events.
#[derive(Debug)]
pub(crate) struct ExpiredPage {
    /// The events by their owners.
    pub(crate) events: Vec<(OwnerId, Vec<EventId>)>,
    /// Where retention continues; `None` after the last feed. The same position again if one feed has more.
    pub(crate) next: Option<FeedPosition>,
}

/// Whether there is more of the same work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There is more.
    More,
    /// There is none.
    Done,
}

/// A page of the list with its counts, from one snapshot.
#[derive(Debug)]
pub(crate) struct ListPage {
    /// The events in the requested order.
    pub(crate) events: EncodedEvents,
    /// The other events of the page. They are read later, and not from the snapshot.
    pub(crate) unread: Unread,
    /// The token of the next page.
    pub(crate) next: Option<PageToken>,
    /// How many events match the filter, if requested.
    pub(crate) total: Option<u64>,
    /// What the owner sees at the moment of the page.
    pub(crate) snapshot: Snapshot,
}

/// The durable state: feeds, their events, their counters.
///
/// Every method on owned records takes the owner first and returns only what that owner may see: the owner's
/// own feed and the system's.
#[async_trait]
pub(crate) trait Store: std::fmt::Debug + Send + Sync {
    /// The identity of the store.
    fn identity(&self) -> Identity;

    /// Whether other nodes write to the store, too. Then the node has to learn what they commit.
    fn is_shared(&self) -> bool;

    /// How many groups can be committed at the same time; at least one.
    fn lanes(&self) -> usize;

    /// Whether this node is the one that does the upkeep of the store. Another node takes over when this one
    /// ends. A store that is not shared is always led.
    async fn leads(&self) -> Result<bool, StoreError>;

    /// Forms a group when the store is ready to begin, and commits it in one transaction. Each publish
    /// request is stored whole or not at all, whatever becomes of the others. An id is
    /// compared with those of the same owner only. When this returns `Ok`,
    /// the group is on disk; after an error nothing of it may be acknowledged.
    async fn commit(&self, next: NextGroup) -> Result<Committed, StoreError>;

    /// What `owner` sees now.
    async fn snapshot(&self, owner: OwnerId) -> Result<Snapshot, StoreError>;

    /// The next piece of a replay of one of the feeds that `owner` sees. No transaction stays open.
    async fn replay(
        &self,
        owner: OwnerId,
        side: Side,
        range: RevRange,
    ) -> Result<ReplayPage, StoreError>;

    /// What happened in the feed of `owner` itself, from one read. Called only if the store
    /// [is shared](Self::is_shared).
    async fn refill(&self, owner: OwnerId, range: RevRange) -> Result<Refill, StoreError>;

    /// The heads of the feeds of `owners`, in any order. A feed without a change is left out.
    async fn heads(&self, owners: &[OwnerId]) -> Result<Vec<(OwnerId, Rev)>, StoreError>;

    /// The JSON of an event that `owner` sees. `None` if they see none, whether or not another owner has an
    /// event with this id.
    async fn event(&self, owner: OwnerId, target: Target) -> Result<Option<Bytes>, StoreError>;

    /// A page of what `owner` sees. At least one event is read, and more while all have at most about
    /// `bytes` of JSON. A page that may end early ends there; the rest of another page stays unread.
    async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
        bytes: usize,
    ) -> Result<ListPage, StoreError>;

    /// Continues where [`Self::list`] or this method stopped. Events that `owner` no longer sees are left
    /// out.
    async fn list_rest(
        &self,
        owner: OwnerId,
        unread: Unread,
        bytes: usize,
    ) -> Result<(EncodedEvents, Unread), StoreError>;

    /// The categories and actions of what `owner` sees.
    async fn types(&self, owner: OwnerId) -> Result<EventTypes, StoreError>;

    /// The first pairs of a category and an action of what `owner` sees, sorted.
    async fn type_pairs(&self, owner: OwnerId) -> Result<Vec<EventType>, StoreError>;

    /// The next piece of what `owner` sees and `matching` matches, after an event.
    async fn matching(
        &self,
        owner: OwnerId,
        matching: Matching,
        after: Option<PageToken>,
    ) -> Result<MatchPage, StoreError>;

    /// The trusted time of the store's last use; `None` for a new store.
    async fn last_use(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Stores the trusted time for the next start.
    async fn note_use(&self, at: Timestamp) -> Result<(), StoreError>;

    /// A piece of the events that `retention` does not keep at `now`, the trusted time.
    async fn expired(
        &self,
        retention: Retention,
        now: Timestamp,
        from: FeedPosition,
    ) -> Result<ExpiredPage, StoreError>;

    /// Forgets some of the deletions before a moment, or beyond the last `kept` of an owner, and raises the
    /// floors of their feeds. Returns how many.
    async fn forget_deleted(
        &self,
        before: Timestamp,
        kept: u64,
    ) -> Result<(u64, Progress), StoreError>;

    /// A step of maintenance: removing overlays of deleted system events, measuring the events of an older
    /// version, adding events to the search index.
    async fn tidy(&self) -> Result<Progress, StoreError>;

    /// The space that the store takes and has, if known. Blocks as long as the file system does.
    #[cfg(feature = "metrics")]
    fn room(&self) -> Option<Room>;

    /// Checks the space of the disk, creates the missing part of the reserve, and logs when the store begins
    /// or ends to refuse events.
    async fn look_after_room(&self) -> Result<Pressure, StoreError>;

    /// Stores a token that all nodes refuse from now on. Called only if the store [is shared](Self::is_shared).
    async fn revoke(&self, token: RevokedToken) -> Result<(), StoreError>;

    /// The tokens that were revoked after a version, which is the number of the last one that is known; from the
    /// beginning if the store has not reached that version. Called only if the store
    /// [is shared](Self::is_shared).
    async fn revoked(&self, after: u64) -> Result<RevokedPage, StoreError>;

    /// Checks that the store can be read and takes events.
    async fn check(&self) -> Result<(), StoreError>;

    /// Commits the requests it was given and ends the store. Later calls are refused.
    async fn close(&self);
}
