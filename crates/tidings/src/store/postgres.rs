//! A store in PostgreSQL, which any number of nodes share.
#![allow(dead_code, clippy::todo, reason = "the reads and the commits follow")]

mod address;
pub(crate) mod connect;
mod fault;
mod heads;
mod lead;
mod lent;
mod list;
mod migrate;
mod page_events;
mod pool;
mod query;
mod read_fault;
mod read_pool;
mod reading;
mod reads;
mod refill;
mod replay;
mod row;
mod search;
mod search_blocks;
mod select;
mod tls;
mod types;
mod viewer;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_event::{
    EventFilter, EventType, EventTypes, OwnerId, PageRequest, PageToken, Rev, Timestamp,
};

use crate::config::PostgresConfig;
use crate::retention::Retention;
use crate::store::{
    Committed, EncodedEvents, ExpiredPage, FeedPosition, Identity, ListPage, MatchPage, Matching,
    NextGroup, Pressure, Progress, Refill, ReplayPage, RevRange, Side, Snapshot, Store, StoreError,
    Target, Unread,
};
use connect::Connector;
pub(crate) use fault::OpenFault;
use lead::Lead;
use pool::{Pool, Role};
use reads::Reads;

/// A store in PostgreSQL.
#[derive(Debug)]
pub(crate) struct PostgresStore {
    identity: Identity,
    reads: Reads,
    lead: Lead,
    lanes: usize,
}

impl PostgresStore {
    /// Opens the store, creates it if it is missing, and upgrades an old schema.
    pub(crate) async fn open(config: &PostgresConfig) -> Result<Self, OpenFault> {
        let connector = Arc::new(Connector::new(config)?);
        let identity = migrate::prepare(&connector).await?;
        let role = Role::Commit {
            lossy: config.allow_lossy_commit,
        };
        let pool = |size| Pool::new(&connector, Role::Read, size);
        let streams = pool(config.stream_connections);
        let lists = pool(config.list_connections);
        Ok(Self {
            identity,
            reads: Reads::new(identity, streams, lists),
            lead: Lead::new(Arc::clone(&connector), role, identity.system),
            lanes: config.commit_connections.max(1),
        })
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn lanes(&self) -> usize {
        self.lanes
    }

    async fn leads(&self) -> Result<bool, StoreError> {
        self.lead.take().await
    }

    async fn commit(&self, _next: NextGroup) -> Result<Committed, StoreError> {
        todo!()
    }

    async fn snapshot(&self, owner: OwnerId) -> Result<Snapshot, StoreError> {
        self.reads.snapshot(owner).await
    }

    async fn replay(
        &self,
        owner: OwnerId,
        side: Side,
        range: RevRange,
    ) -> Result<ReplayPage, StoreError> {
        self.reads.replay(owner, side, range).await
    }

    async fn refill(&self, owner: OwnerId, range: RevRange) -> Result<Refill, StoreError> {
        self.reads.refill(owner, range).await
    }

    async fn heads(&self, owners: &[OwnerId]) -> Result<Vec<(OwnerId, Rev)>, StoreError> {
        self.reads.heads(owners).await
    }

    async fn event(&self, owner: OwnerId, target: Target) -> Result<Option<Bytes>, StoreError> {
        self.reads.event(owner, target).await
    }

    async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
        bytes: usize,
    ) -> Result<ListPage, StoreError> {
        self.reads.list(owner, filter, page, bytes).await
    }

    async fn list_rest(
        &self,
        owner: OwnerId,
        unread: Unread,
        bytes: usize,
    ) -> Result<(EncodedEvents, Unread), StoreError> {
        self.reads.list_rest(owner, unread, bytes).await
    }

    async fn types(&self, owner: OwnerId) -> Result<EventTypes, StoreError> {
        self.reads.types(owner).await
    }

    async fn type_pairs(&self, owner: OwnerId) -> Result<Vec<EventType>, StoreError> {
        self.reads.type_pairs(owner).await
    }

    async fn matching(
        &self,
        owner: OwnerId,
        matching: Matching,
        after: Option<PageToken>,
    ) -> Result<MatchPage, StoreError> {
        self.reads.matching(owner, matching, after).await
    }

    async fn last_use(&self) -> Result<Option<Timestamp>, StoreError> {
        todo!()
    }

    async fn note_use(&self, _at: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    async fn expired(
        &self,
        _retention: Retention,
        _now: Timestamp,
        _from: FeedPosition,
    ) -> Result<ExpiredPage, StoreError> {
        todo!()
    }

    async fn forget_deleted(
        &self,
        _before: Timestamp,
        _kept: u64,
    ) -> Result<(u64, Progress), StoreError> {
        todo!()
    }

    async fn tidy(&self) -> Result<Progress, StoreError> {
        todo!()
    }

    #[cfg(feature = "metrics")]
    fn room(&self) -> Option<crate::store::Room> {
        // The disk is the server's.
        None
    }

    async fn look_after_room(&self) -> Result<Pressure, StoreError> {
        Ok(Pressure::Enough)
    }

    async fn check(&self) -> Result<(), StoreError> {
        todo!()
    }

    async fn close(&self) {
        self.lead.release().await;
        self.reads.close().await;
    }
}
