//! The reads of the store.

use bytes::Bytes;
use futures_util::FutureExt as _;
use tidings_event::{EventFilter, EventType, EventTypes, OwnerId, PageRequest, PageToken, Rev};

use super::pool::Pool;
use super::read_pool::{QueueBounds, ReadPool};
use super::{heads, list, page_events, refill, replay, types};
use crate::store::{
    EncodedEvents, ListPage, MatchPage, Matching, Refill, ReplayPage, RevRange, Side, Snapshot,
    StoreError, StoreIdentity, Target, Unread,
};

/// The reads of lists that wait.
const LISTS: QueueBounds = QueueBounds {
    each: 256,
    all: 4_096,
};

/// The reads of streams that wait: the number of streams limits them.
const STREAMS: QueueBounds = QueueBounds {
    each: usize::MAX,
    all: usize::MAX,
};

/// The reads, each in a pool in which others cannot hold it up.
#[derive(Debug)]
pub(super) struct Reads {
    /// For streams and other short reads, which must not wait for lists.
    streams: ReadPool,
    lists: ReadPool,
}

impl Reads {
    pub(super) fn new(identity: StoreIdentity, streams: Pool, lists: Pool) -> Self {
        Self {
            streams: ReadPool::new(identity, streams, STREAMS),
            lists: ReadPool::new(identity, lists, LISTS),
        }
    }

    pub(super) async fn snapshot(&self, owner: OwnerId) -> Result<Snapshot, StoreError> {
        let read = self.streams.read_for(owner, |_, viewer| {
            async move { Ok(viewer.snapshot()) }.boxed()
        });
        read.await
    }

    pub(super) async fn replay(
        &self,
        owner: OwnerId,
        side: Side,
        range: RevRange,
    ) -> Result<ReplayPage, StoreError> {
        let read = self.streams.read_for(owner, move |reading, viewer| {
            replay::replay(reading, viewer, side, range).boxed()
        });
        read.await
    }

    pub(super) async fn refill(
        &self,
        owner: OwnerId,
        range: RevRange,
    ) -> Result<Refill, StoreError> {
        let read = self.streams.read_for(owner, move |reading, viewer| {
            refill::refill(reading, viewer, range).boxed()
        });
        read.await
    }

    pub(super) async fn heads(
        &self,
        owners: &[OwnerId],
    ) -> Result<Vec<(OwnerId, Rev)>, StoreError> {
        let owners = owners.to_vec();
        let read = self.streams.read(move |client| {
            let owners = owners.clone();
            async move { heads::heads(client, &owners).await }.boxed()
        });
        read.await
    }

    pub(super) async fn event(
        &self,
        owner: OwnerId,
        target: Target,
    ) -> Result<Option<Bytes>, StoreError> {
        let read = self.streams.read_for(owner, move |reading, viewer| {
            page_events::event(reading, viewer, target).boxed()
        });
        read.await
    }

    pub(super) async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
        bytes: usize,
    ) -> Result<ListPage, StoreError> {
        let read = self.lists.read_for(owner, move |reading, viewer| {
            let filter = filter.clone();
            async move { list::list(reading, viewer, &filter, page, bytes).await }.boxed()
        });
        read.await
    }

    pub(super) async fn list_rest(
        &self,
        owner: OwnerId,
        unread: Unread,
        bytes: usize,
    ) -> Result<(EncodedEvents, Unread), StoreError> {
        let read = self.lists.read_for(owner, move |reading, viewer| {
            list::list_rest(reading, viewer, unread.clone(), bytes).boxed()
        });
        read.await
    }

    pub(super) async fn types(&self, owner: OwnerId) -> Result<EventTypes, StoreError> {
        let read = self.lists.read_for(owner, |reading, viewer| {
            types::types(reading, viewer).boxed()
        });
        read.await
    }

    pub(super) async fn type_pairs(&self, owner: OwnerId) -> Result<Vec<EventType>, StoreError> {
        let read = self.lists.read_for(owner, |reading, viewer| {
            types::type_pairs(reading, viewer).boxed()
        });
        read.await
    }

    pub(super) async fn matching(
        &self,
        owner: OwnerId,
        matching: Matching,
        after: Option<PageToken>,
    ) -> Result<MatchPage, StoreError> {
        let read = self.lists.read_for(owner, move |reading, viewer| {
            let matching = matching.clone();
            async move { list::matching(reading, viewer, &matching, after).await }.boxed()
        });
        read.await
    }

    /// Ends the reads.
    pub(super) async fn close(&self) {
        self.streams.close().await;
        self.lists.close().await;
    }
}
