//! Storage of events: the trait [`Store`], which the backends implement, and its vocabulary.
//!
//! The store does not know subscribers. Only the engine connects the two.

mod audience;
pub(crate) mod audit;
mod change_step;
mod content_update;
mod decide;
mod due;
mod encoded;
mod error;
mod feeds;
mod group;
mod identity;
mod kind;
mod lanes;
mod list_order;
mod list_page;
mod list_plan;
mod list_position;
mod moment;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod publication;
#[cfg(feature = "postgres")]
pub(crate) mod records;
mod refill;
mod replay_page;
mod replayed;
mod revocation;
mod search_walk;
pub(crate) mod sqlite;
mod upkeep;
mod wanted;
#[cfg(test)]
pub(crate) mod watched;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_event::{
    EventFilter, EventId, EventType, EventTypes, OwnerId, PageRequest, PageToken, Rev, SystemId,
    Timestamp,
};

use crate::retention::Retention;
pub(crate) use audience::{
    Audience, AudienceChange, AudienceOutcome, AudienceRequest, BegunChange, FanOut, FanOutOutcome,
    FannedOut, NAMED_OWNERS, Recipient, SharedContent, new_content_key,
};
pub(crate) use change_step::{ChangeStep, StepOutcome, Target};
pub(crate) use content_update::{ContentUpdate, UpdateOutcome, Updated};
pub(crate) use due::DueEvents;
pub(crate) use encoded::{EncodedEvents, Unread};
pub use error::StoreError;
pub(crate) use feeds::{FeedBounds, RevRange, Side, Snapshot};
pub(crate) use group::{Committed, Group, NextGroup};
pub(crate) use identity::StoreIdentity;
pub(crate) use list_page::{ListPage, MatchPage, Matching};
pub(crate) use publication::{
    Conflict, OverQuota, Publication, PublishOutcome, Stored, Submission,
};
pub(crate) use refill::{Refill, RefillItem};
pub(crate) use replay_page::{ReplayItem, ReplayPage};
pub use revocation::{RevokedPage, RevokedToken};
#[cfg(feature = "metrics")]
pub(crate) use upkeep::DiskSpace;
pub(crate) use upkeep::{ExpiredPage, FeedPosition, Pressure, Progress};

/// The durable state: feeds, their events, their counters.
///
/// Every method on owned records takes the owner first and returns only what that owner may see: the owner's
/// own feed and the system's.
#[async_trait]
pub(crate) trait Store: std::fmt::Debug + Send + Sync {
    /// The identity of the store.
    fn identity(&self) -> StoreIdentity;

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

    /// The counts and revs that `owner` sees now.
    async fn snapshot(&self, owner: OwnerId) -> Result<Snapshot, StoreError>;

    /// The next piece of a replay of one of the feeds that `owner` sees. No transaction stays open.
    async fn replay(
        &self,
        owner: OwnerId,
        side: Side,
        range: RevRange,
    ) -> Result<ReplayPage, StoreError>;

    /// The changes in the feed of `owner` itself, from one read. Called only if the store
    /// [is shared](Self::is_shared).
    async fn refill(&self, owner: OwnerId, range: RevRange) -> Result<Refill, StoreError>;

    /// The heads of the feeds of `owners`, in any order. A feed without a change is left out.
    async fn heads(&self, owners: &[OwnerId]) -> Result<Vec<(OwnerId, Rev)>, StoreError>;

    /// The JSON of an event that `owner` sees. `None` if they see none, whether or not another owner has an
    /// event with this id.
    async fn event(&self, owner: OwnerId, target: Target) -> Result<Option<Bytes>, StoreError>;

    /// A page of the list of `owner`. At least one event is read, and more while all have at most about
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

    /// The categories and actions of the events that `owner` sees.
    async fn types(&self, owner: OwnerId) -> Result<EventTypes, StoreError>;

    /// The first pairs of a category and an action of the events that `owner` sees, sorted.
    async fn type_pairs(&self, owner: OwnerId) -> Result<Vec<EventType>, StoreError>;

    /// The next owners, at most `limit`, after `after` in an order of the store, whose feeds have an event because it was
    /// published to several owners by `system`.
    async fn audience(
        &self,
        id: EventId,
        system: SystemId,
        after: Option<OwnerId>,
        limit: usize,
    ) -> Result<Vec<OwnerId>, StoreError>;

    /// The next events that `owner` sees and `matching` matches, after an event.
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

    /// The events whose publishers have set a time until `now` for their deletion, the earliest first.
    async fn due(&self, now: Timestamp) -> Result<DueEvents, StoreError>;

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
    fn room(&self) -> Option<DiskSpace>;

    /// Checks the space of the disk, creates the missing part of the reserve, and logs when the store begins
    /// or ends to reject events.
    async fn look_after_room(&self) -> Result<Pressure, StoreError>;

    /// Stores a token that all nodes reject from now on. Called only if the store [is shared](Self::is_shared).
    async fn revoke(&self, token: RevokedToken) -> Result<(), StoreError>;

    /// The tokens that were revoked after a version, which is the number of the last one that is known; from the
    /// beginning if the store has not reached that version. Called only if the store
    /// [is shared](Self::is_shared).
    async fn revoked(&self, after: u64) -> Result<RevokedPage, StoreError>;

    /// Checks that the store can be read and takes events.
    async fn check(&self) -> Result<(), StoreError>;

    /// Commits the requests it was given and ends the store. Later calls are rejected.
    async fn close(&self);
}
