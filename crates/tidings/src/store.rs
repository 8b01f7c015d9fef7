//! Where events are kept: one trait, one backend so far.
//!
//! The store knows nothing of subscribers; only the engine brings the two together.

mod encoded;
mod error;
pub(crate) mod sqlite;
#[cfg(test)]
pub(crate) mod watched;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_event::wire::{Digests, Epoch};
use tidings_event::{
    Change, CountDelta, Event, EventFilter, EventId, EventType, EventTypes, OwnerId, PageRequest,
    PageToken, Receipt, Rev, Severity, Status, Summary, SystemId, Timestamp,
};

use crate::quota::EVENT_BYTES;
use crate::retention::Retention;
pub(crate) use encoded::{EncodedEvents, Unread};
pub use error::StoreError;
pub use sqlite::{
    Audit, AuditError, BackupError, DirectoryError, StoreSummary, WrongCount, audit, backup,
    backup_to_writer, restore, restore_from_reader, schema_differences,
};

/// The room that a store takes, and what is left beside it, in bytes.
#[cfg(feature = "metrics")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// What its files take.
    pub(crate) database_bytes: u64,
    /// What is free on its file system for this user.
    pub(crate) free_bytes: u64,
    /// What its file system has in all.
    pub(crate) disk_bytes: u64,
}

/// An event on its way into the store, with what the engine has made of it.
#[derive(Debug)]
pub(crate) struct Submission {
    /// The event, with its owner and its system id settled, but without its metadata, which as
    /// parsed values can take many times the memory of its text.
    pub(crate) event: Event,
    /// The JSON of its metadata.
    pub(crate) metadata: Option<Box<str>>,
    /// Tell a repeat from a conflict.
    pub(crate) digests: Digests,
    /// The event's JSON.
    pub(crate) json: Bytes,
    /// From when its age counts, if not from when it was created.
    pub(crate) aged_from: Option<Timestamp>,
}

impl Submission {
    /// What it counts against the quota of its owner.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let event = &self.event;
        let metadata = self.metadata.as_ref().map_or(0, |text| text.len());
        let (category, action) = (event.category.as_str(), event.action.as_str());
        let texts = event.description.len() + metadata + category.len() + action.len();
        EVENT_BYTES + texts as u64
    }

    /// The memory it takes, about.
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
    /// Whose feed it is in.
    pub(crate) owner: OwnerId,
    /// Its JSON.
    pub(crate) json: Bytes,
    /// Its position in its owner's feed.
    pub(crate) rev: Rev,
    /// Whether it had been there before.
    pub(crate) repeated: bool,
    /// Whether it was there before and has been deleted since.
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
    /// The most bytes that the events of one owner may take with these.
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

impl Target {
    /// The event that `id` means to the owner who names it.
    pub(crate) const fn named(id: EventId) -> Self {
        Self { id, side: None }
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
    /// What is done to them.
    pub(crate) change: Change,
    /// Only to those that have this status.
    pub(crate) only: Option<Status>,
    /// When.
    pub(crate) at: Timestamp,
}

/// The outcome of a publish request.
#[derive(Debug)]
pub(crate) enum PublishOutcome {
    /// The events are stored, now or before.
    Stored(Vec<Stored>),
    /// None of them is, since the owner of one has another event with its id.
    Conflict(Conflict),
    /// None of them is, since an owner's events take too much.
    OverQuota(OverQuota),
    /// None of them is, since the disk is nearly full.
    NoRoom(Arc<StoreError>),
}

/// The owner of an event in a request has an event with the same id and other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The position of the event in the request.
    pub(crate) index: usize,
    /// Their id.
    pub(crate) id: EventId,
}

/// Whether there is room for new events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// There is.
    Enough,
    /// Only what deleted events have left.
    Tight,
}

/// An event of a request does not fit into its owner's quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverQuota {
    /// Which event of the request.
    pub(crate) index: usize,
    /// What it takes.
    pub(crate) bytes: u64,
    /// What its owner has without the request.
    pub(crate) used: u64,
    /// What its owner may have.
    pub(crate) limit: u64,
}

/// The outcome of a step.
#[derive(Debug)]
pub(crate) struct StepOutcome {
    /// Whose feed the changes stand in.
    pub(crate) owner: OwnerId,
    /// What was done.
    pub(crate) change: Change,
    /// When.
    pub(crate) at: Timestamp,
    /// The events that are now different, in the order of their revs.
    pub(crate) ids: Vec<EventId>,
    /// Those of `ids` that are the system's, if one of `ids` is in both feeds that the owner sees. If the
    /// system deletes: all, if a user has an event with one of the ids.
    pub(crate) system_ids: Option<Vec<EventId>>,
    /// How many of the others are there, or were deleted before if it is a deletion.
    pub(crate) unchanged: usize,
    /// Where the changes stand in the owner's feed; an empty run if nothing changed.
    pub(crate) revs: RevRange,
    /// The newest of the system's events among them, by its position in the system's feed.
    pub(crate) system: Rev,
    /// What that does to the owner's counts. If system events end, to those of a user without an
    /// overlay.
    pub(crate) counts: CountDelta,
    /// The overlays of system events that end; `None` if they are too many to be told.
    pub(crate) ended: Option<Vec<EndedOverlay>>,
}

/// What one user had done to a system event that ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndedOverlay {
    /// The user.
    pub(crate) owner: OwnerId,
    /// Where the change stands in the user's feed.
    pub(crate) changed_rev: Rev,
    /// The event's severity.
    pub(crate) severity: Severity,
    /// The event's status for the user; `None` if the user had deleted it.
    pub(crate) status: Option<Status>,
}

/// The outcomes of a group, in its order.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    pub(crate) published: Vec<PublishOutcome>,
    pub(crate) changed: Vec<StepOutcome>,
    /// How long the commit itself took: until it was on disk.
    pub(crate) sync_time: Duration,
}

/// What the store is: the same for its whole life, but for the epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    /// The installation.
    pub(crate) system: SystemId,
    /// Binds cursors to this life of the store.
    pub(crate) epoch: Epoch,
}

/// Where a feed begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeedBounds {
    /// The rev of the newest change.
    pub(crate) head: Rev,
    /// Below this rev changes are no longer kept.
    pub(crate) floor: Rev,
}

/// What an owner sees at one moment: read in one snapshot, so that counts and heads agree.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The owner's own feed.
    pub(crate) own: FeedBounds,
    /// The system's feed.
    pub(crate) system: FeedBounds,
    /// The counts of both feeds together at these heads.
    pub(crate) summary: Summary,
}

/// A run of changes of one feed: those after one rev, up to and with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RevRange {
    /// Not included.
    pub(crate) after: Rev,
    /// Included.
    pub(crate) up_to: Rev,
}

/// Which of the two feeds that a user sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The system's.
    System,
    /// The user's own. The system itself has none.
    Own,
}

/// A change as a replay shows it.
#[derive(Debug)]
pub(crate) enum Replayed {
    /// The JSON of an event, as its reader sees it now.
    Created(Bytes),
    /// These events have this status since this moment.
    Status {
        ids: Vec<EventId>,
        /// As in [`Changed::system_ids`]; deleted events count, too.
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
    /// In the order of their revs; what covers several has the last one's.
    pub(crate) changes: Vec<(Rev, Replayed)>,
    /// The replay has got this far: every change up to here is in a page.
    pub(crate) reached: Rev,
    /// Where the feed begins now. Deletions up to here are forgotten.
    pub(crate) floor: Rev,
}

/// Which events a bulk change is about.
#[derive(Clone, Debug)]
pub(crate) struct Matching {
    /// Those it lets through.
    pub(crate) filter: EventFilter,
    /// Nothing newer in the owner's own feed.
    pub(crate) own_up_to: Rev,
    /// Nothing newer in the system's feed.
    pub(crate) system_up_to: Rev,
}

/// A piece of what matches.
#[derive(Debug)]
pub(crate) struct MatchPage {
    /// The oldest first.
    pub(crate) targets: Vec<Target>,
    /// Where the next piece begins; `None` after the last one.
    pub(crate) next: Option<PageToken>,
}

/// Where a search for events to remove goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeedPosition(pub(crate) i64);

/// Events that retention no longer keeps.
#[derive(Debug)]
pub(crate) struct ExpiredPage {
    /// By the owner whose events they are.
    pub(crate) events: Vec<(OwnerId, Vec<EventId>)>,
    /// Where to go on; `None` when all feeds were seen. The same place again where one feed has more.
    pub(crate) next: Option<FeedPosition>,
}

/// Whether there is more of the same to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There is.
    More,
    /// That was all.
    Done,
}

/// A page of the list with the counts that belong to it, all from one snapshot.
#[derive(Debug)]
pub(crate) struct ListPage {
    /// In the order that was asked for.
    pub(crate) events: EncodedEvents,
    /// Those that follow them on the page: not of the snapshot, but as they are when they are read.
    pub(crate) unread: Unread,
    /// The page after this one.
    pub(crate) next: Option<PageToken>,
    /// How many events match the filter, if that was asked for.
    pub(crate) total: Option<u64>,
    /// What the owner sees at the page's moment.
    pub(crate) snapshot: Snapshot,
}

/// The durable truth: feeds, their events, their counters.
///
/// Every method on owned records takes the owner first and shows only what that owner may see: the
/// owner's own feed and the system's.
#[async_trait]
pub(crate) trait Store: std::fmt::Debug + Send + Sync {
    /// What the store is.
    fn identity(&self) -> Identity;

    /// Forms a group when the store is ready to begin, and commits it in one transaction. Each publish
    /// request is stored whole or not at all, whatever becomes of the others. An id is
    /// compared with those of the same owner only. When this returns `Ok`,
    /// the group is on disk; after an error nothing of it may be acknowledged.
    async fn commit(&self, next: NextGroup) -> Result<Committed, StoreError>;

    /// What `owner` sees now.
    async fn snapshot(&self, owner: OwnerId) -> Result<Snapshot, StoreError>;

    /// The next piece of a replay of one of the feeds that `owner` sees. Holds no transaction
    /// afterwards.
    async fn replay(
        &self,
        owner: OwnerId,
        side: Side,
        range: RevRange,
    ) -> Result<ReplayPage, StoreError>;

    /// The JSON of the event that `id` means to `owner`: their own, else the system's. `None` if they see
    /// neither, whether or not another owner has an event with this id.
    async fn event(&self, owner: OwnerId, id: EventId) -> Result<Option<Bytes>, StoreError>;

    /// A page of what `owner` sees. One event is read, and further ones while all have at most about
    /// `bytes` of JSON: a page that may end early ends there, of another the rest is unread.
    async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
        bytes: usize,
    ) -> Result<ListPage, StoreError>;

    /// Reads on where [`Self::list`] or this stopped, in the same way. An event that `owner` does not
    /// see any more is left out.
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

    /// A piece of what `owner` sees and `matching` means, after an event.
    async fn matching(
        &self,
        owner: OwnerId,
        matching: Matching,
        after: Option<PageToken>,
    ) -> Result<MatchPage, StoreError>;

    /// The trusted time when the store was in use last; none in a new one.
    async fn last_use(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Keeps the trusted time for the next start.
    async fn note_use(&self, at: Timestamp) -> Result<(), StoreError>;

    /// A piece of what `retention` does not keep at `now`, which is the trusted time.
    async fn expired(
        &self,
        retention: Retention,
        now: Timestamp,
        from: FeedPosition,
    ) -> Result<ExpiredPage, StoreError>;

    /// Forgets some of the deletions before a moment or beyond the last `kept` of an owner, and says
    /// where the feeds begin since; how many were forgotten.
    async fn forget_deleted(
        &self,
        before: Timestamp,
        kept: u64,
    ) -> Result<(u64, Progress), StoreError>;

    /// A step of the store's work on itself: dropping what users did to events of the system that are
    /// gone, measuring the events of an older version, adding events to the index for searching.
    async fn tidy(&self) -> Result<Progress, StoreError>;

    /// The room that the store takes and has, if that is known. Blocks for as long as the file system does.
    #[cfg(feature = "metrics")]
    fn room(&self) -> Option<Room>;

    /// Looks whether the disk has room, makes what is missing of the reserve, and tells the operator
    /// when events begin or cease to be refused.
    async fn look_after_room(&self) -> Result<Pressure, StoreError>;

    /// Whether the store answers and takes events.
    async fn check(&self) -> Result<(), StoreError>;

    /// Ends the store when what it was given is committed. Later calls are refused.
    async fn close(&self);
}
