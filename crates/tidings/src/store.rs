//! Where events are kept: one trait, one backend so far.
//!
//! The store knows nothing of subscribers; only the engine brings the two together.

mod error;
pub(crate) mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_event::{
    Digest, Epoch, Event, EventFilter, EventId, OwnerId, PageRequest, PageToken, Rev, Summary,
    SystemId,
};

pub use error::StoreError;
pub use sqlite::{BackupError, DirectoryError, StoreSummary, backup, restore};

/// An event on its way into the store, with what the engine has made of it.
#[derive(Debug)]
pub(crate) struct Submission {
    /// The event, with its owner and its system id settled, but without its metadata, which as
    /// parsed values can take many times the memory of its text.
    pub(crate) event: Event,
    /// The JSON of its metadata.
    pub(crate) metadata: Option<Box<str>>,
    /// Tells a repeat from a conflict.
    pub(crate) digest: Digest,
    /// The event's JSON.
    pub(crate) json: Bytes,
}

impl Submission {
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
}

/// What became of one publish request within a group.
pub(crate) type Outcome = Result<Vec<Stored>, Conflict>;

/// The id of an event in a request is taken by an event with other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// Which event of the request.
    pub(crate) index: usize,
    /// The id that is taken.
    pub(crate) id: EventId,
}

/// What became of a group.
#[derive(Debug)]
pub(crate) struct Committed {
    /// One for each request of the group, in its order.
    pub(crate) outcomes: Vec<Outcome>,
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct RevRange {
    /// Not included.
    pub(crate) after: Rev,
    /// Included.
    pub(crate) up_to: Rev,
}

/// A bounded piece of a replay.
#[derive(Debug)]
pub(crate) struct ReplayPage {
    /// In the order of their revs.
    pub(crate) events: Vec<(Rev, Event)>,
    /// The replay has got this far: every change up to here is in a page.
    pub(crate) reached: Rev,
}

/// A page of the list with the counts that belong to it, all from one snapshot.
#[derive(Debug)]
pub(crate) struct ListPage {
    /// The newest first.
    pub(crate) events: Vec<Event>,
    /// The page after this one.
    pub(crate) next: Option<PageToken>,
    /// How many events match the filter.
    pub(crate) total: u64,
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

    /// Commits a group of publish requests in one transaction. Each request is stored whole or, on
    /// a conflict, not at all, whatever becomes of the others. When this returns `Ok`, the group is
    /// on disk; on an error nothing of it may be acknowledged.
    async fn commit(&self, group: Vec<Vec<Submission>>) -> Result<Committed, StoreError>;

    /// What `owner` sees now.
    async fn snapshot(&self, owner: OwnerId) -> Result<Snapshot, StoreError>;

    /// The next piece of a replay of `owner`'s own feed. Holds no transaction afterwards.
    async fn replay(&self, owner: OwnerId, range: RevRange) -> Result<ReplayPage, StoreError>;

    /// One event that `owner` sees; `None` for an unknown one and for another's alike.
    async fn event(&self, owner: OwnerId, id: EventId) -> Result<Option<Event>, StoreError>;

    /// A page of what `owner` sees.
    async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<ListPage, StoreError>;

    /// Whether the store answers.
    async fn check(&self) -> Result<(), StoreError>;

    /// Ends the store when what it was given is committed. Later calls are refused.
    async fn close(&self);
}
