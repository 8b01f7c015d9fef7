//! A store for tests that counts what subscribers read, that several engines can share, and that can be made to
//! fail.

mod log;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use tidings_event::{
    EventFilter, EventId, EventType, EventTypes, OwnerId, PageRequest, PageToken, Rev, SystemId,
    Timestamp,
};

use tokio::sync::{RwLock, Semaphore};

use super::sqlite::SqliteStore;
use super::{
    Committed, DueEvents, EncodedEvents, ExpiredPage, FeedPosition, ListPage, MatchPage, Matching,
    NextGroup, Pressure, Progress, Refill, ReplayPage, RevRange, RevokedPage, RevokedToken, Side,
    Snapshot, Store, StoreError, StoreIdentity, Target, Unread,
};
use crate::retention::Retention;
use log::Log;

/// A SQLite store under watch.
#[derive(Debug)]
pub(crate) struct WatchedStore {
    store: SqliteStore,
    /// Snapshots and pieces of replays that were read.
    pub(crate) reads: AtomicUsize,
    pub(crate) commit_panics: AtomicBool,
    pub(crate) upkeep_panics: AtomicBool,
    /// The commits, if several engines share the store.
    log: Option<Log>,
    /// Held from before a commit until the log has it: a real store never shows less than it has committed.
    committing: RwLock<()>,
    /// Reads of heads.
    pub(crate) comparisons: AtomicUsize,
    pub(crate) refills: AtomicUsize,
    pub(crate) refills_fail: AtomicBool,
    /// Each refill takes a permit.
    pub(crate) refill_gate: Semaphore,
}

impl WatchedStore {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self {
            store,
            reads: AtomicUsize::new(0),
            commit_panics: AtomicBool::new(false),
            upkeep_panics: AtomicBool::new(false),
            log: None,
            committing: RwLock::default(),
            comparisons: AtomicUsize::new(0),
            refills: AtomicUsize::new(0),
            refills_fail: AtomicBool::new(false),
            refill_gate: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }

    /// A store that several engines share.
    pub(crate) fn shared(store: SqliteStore) -> Self {
        Self {
            log: Some(Log::default()),
            ..Self::new(store)
        }
    }

    /// Forgets what was committed so far, so that a refill of it is incomplete.
    pub(crate) fn forget_changes(&self) {
        self.log().forget();
    }

    fn log(&self) -> &Log {
        self.log.as_ref().expect("the store is shared")
    }
}

#[async_trait]
impl Store for WatchedStore {
    fn identity(&self) -> StoreIdentity {
        self.store.identity()
    }

    fn is_shared(&self) -> bool {
        self.log.is_some()
    }

    fn lanes(&self) -> usize {
        self.log.as_ref().map_or(1, |_| 4)
    }

    async fn leads(&self) -> Result<bool, StoreError> {
        self.store.leads().await
    }

    async fn commit(&self, next: NextGroup) -> Result<Committed, StoreError> {
        assert!(
            !self.commit_panics.load(Ordering::Relaxed),
            "a test of commits"
        );
        let _committing = self.committing.read().await;
        let committed = self.store.commit(next).await?;
        if let Some(log) = &self.log {
            log.note(&committed);
        }
        Ok(committed)
    }

    async fn snapshot(&self, owner: OwnerId) -> Result<Snapshot, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.store.snapshot(owner).await
    }

    async fn replay(
        &self,
        owner: OwnerId,
        side: Side,
        range: RevRange,
    ) -> Result<ReplayPage, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.store.replay(owner, side, range).await
    }

    async fn refill(&self, owner: OwnerId, range: RevRange) -> Result<Refill, StoreError> {
        self.refills.fetch_add(1, Ordering::Relaxed);
        let gate = self.refill_gate.acquire().await;
        gate.expect("the gate is never closed").forget();
        if self.refills_fail.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("a test of refills".into()));
        }
        let _committed = self.committing.write().await;
        Ok(self.log().refill(owner, range))
    }

    async fn heads(&self, owners: &[OwnerId]) -> Result<Vec<(OwnerId, Rev)>, StoreError> {
        self.comparisons.fetch_add(1, Ordering::Relaxed);
        let _committed = self.committing.write().await;
        Ok(self.log().heads(owners))
    }

    async fn event(&self, owner: OwnerId, target: Target) -> Result<Option<Bytes>, StoreError> {
        self.store.event(owner, target).await
    }

    async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
        bytes: usize,
    ) -> Result<ListPage, StoreError> {
        self.store.list(owner, filter, page, bytes).await
    }

    async fn list_rest(
        &self,
        owner: OwnerId,
        unread: Unread,
        bytes: usize,
    ) -> Result<(EncodedEvents, Unread), StoreError> {
        self.store.list_rest(owner, unread, bytes).await
    }

    async fn types(&self, owner: OwnerId) -> Result<EventTypes, StoreError> {
        self.store.types(owner).await
    }

    async fn type_pairs(&self, owner: OwnerId) -> Result<Vec<EventType>, StoreError> {
        self.store.type_pairs(owner).await
    }

    async fn audience(
        &self,
        id: EventId,
        system: SystemId,
        after: Option<OwnerId>,
        limit: usize,
    ) -> Result<Vec<OwnerId>, StoreError> {
        self.store.audience(id, system, after, limit).await
    }

    async fn matching(
        &self,
        owner: OwnerId,
        matching: Matching,
        after: Option<PageToken>,
    ) -> Result<MatchPage, StoreError> {
        self.store.matching(owner, matching, after).await
    }

    async fn last_use(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.last_use().await
    }

    async fn note_use(&self, at: Timestamp) -> Result<(), StoreError> {
        self.store.note_use(at).await
    }

    async fn expired(
        &self,
        retention: Retention,
        now: Timestamp,
        from: FeedPosition,
    ) -> Result<ExpiredPage, StoreError> {
        self.store.expired(retention, now, from).await
    }

    async fn due(&self, now: Timestamp) -> Result<DueEvents, StoreError> {
        self.store.due(now).await
    }

    async fn forget_deleted(
        &self,
        before: Timestamp,
        kept: u64,
    ) -> Result<(u64, Progress), StoreError> {
        self.store.forget_deleted(before, kept).await
    }

    async fn tidy(&self) -> Result<Progress, StoreError> {
        assert!(
            !self.upkeep_panics.load(Ordering::Relaxed),
            "a test of upkeep"
        );
        self.store.tidy().await
    }

    #[cfg(feature = "metrics")]
    fn room(&self) -> Option<crate::store::DiskSpace> {
        self.store.room()
    }

    async fn look_after_room(&self) -> Result<Pressure, StoreError> {
        self.store.look_after_room().await
    }

    async fn revoke(&self, token: RevokedToken) -> Result<(), StoreError> {
        self.store.revoke(token).await
    }

    async fn revoked(&self, after: u64) -> Result<RevokedPage, StoreError> {
        self.store.revoked(after).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.store.check().await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
