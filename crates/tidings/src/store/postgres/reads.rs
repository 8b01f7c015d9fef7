//! The reads of the store.

use bytes::Bytes;
use tidings_event::{EventFilter, EventType, EventTypes, OwnerId, PageRequest, PageToken, Rev};

use super::pool::Pool;
use crate::store::{
    EncodedEvents, Identity, ListPage, MatchPage, Matching, Refill, ReplayPage, RevRange, Side,
    Snapshot, StoreError, Target, Unread,
};

/// The reads, each in a pool in which others cannot hold it up.
#[derive(Debug)]
pub(super) struct Reads {
    identity: Identity,
    /// For streams and other short reads, which must not wait for lists.
    streams: Pool,
    lists: Pool,
}

impl Reads {
    pub(super) const fn new(identity: Identity, streams: Pool, lists: Pool) -> Self {
        Self {
            identity,
            streams,
            lists,
        }
    }

    pub(super) async fn snapshot(&self, _owner: OwnerId) -> Result<Snapshot, StoreError> {
        todo!()
    }

    pub(super) async fn replay(
        &self,
        _owner: OwnerId,
        _side: Side,
        _range: RevRange,
    ) -> Result<ReplayPage, StoreError> {
        todo!()
    }

    pub(super) async fn refill(
        &self,
        _owner: OwnerId,
        _range: RevRange,
    ) -> Result<Refill, StoreError> {
        todo!()
    }

    pub(super) async fn heads(
        &self,
        _owners: &[OwnerId],
    ) -> Result<Vec<(OwnerId, Rev)>, StoreError> {
        todo!()
    }

    pub(super) async fn event(
        &self,
        _owner: OwnerId,
        _target: Target,
    ) -> Result<Option<Bytes>, StoreError> {
        todo!()
    }

    pub(super) async fn list(
        &self,
        _owner: OwnerId,
        _filter: EventFilter,
        _page: PageRequest,
        _bytes: usize,
    ) -> Result<ListPage, StoreError> {
        todo!()
    }

    pub(super) async fn list_rest(
        &self,
        _owner: OwnerId,
        _unread: Unread,
        _bytes: usize,
    ) -> Result<(EncodedEvents, Unread), StoreError> {
        todo!()
    }

    pub(super) async fn types(&self, _owner: OwnerId) -> Result<EventTypes, StoreError> {
        todo!()
    }

    pub(super) async fn type_pairs(&self, _owner: OwnerId) -> Result<Vec<EventType>, StoreError> {
        todo!()
    }

    pub(super) async fn matching(
        &self,
        _owner: OwnerId,
        _matching: Matching,
        _after: Option<PageToken>,
    ) -> Result<MatchPage, StoreError> {
        todo!()
    }

    pub(super) fn close(&self) {
        self.streams.close();
        self.lists.close();
    }
}
