//! The default store: one SQLite database in a directory of its own.
//!
//! One thread writes and commits. Reads have connections of their own.

mod audit;
mod audit_feed;
mod backup;
mod backup_error;
mod blob;
mod change;
mod checkpoints;
mod connection;
mod counts;
mod counts_blob;
mod created_events;
mod data_files;
mod directory;
mod directory_error;
mod due;
mod ended_events;
mod event_budget;
#[cfg(feature = "postgres")]
mod exclusive;
mod expired;
#[cfg(feature = "postgres")]
mod export;
mod fault;
mod feed;
mod feeds;
mod functions;
#[cfg(feature = "postgres")]
mod import;
mod known_feeds;
mod last_use;
mod list;
mod listing;
mod lists;
mod log_checkpoint;
mod measure;
mod migrations;
mod newest;
mod opening;
mod overlay_counts;
mod publish;
mod query;
mod read_connection;
mod read_pool;
mod recipients;
mod replay;
mod reserve;
mod restore;
#[cfg(feature = "metrics")]
mod room;
mod row;
mod schema;
mod search;
mod search_blocks;
mod select;
mod select_newest;
mod settling;
mod store_file;
mod tombstones;
mod type_pairs;
mod unfinished_file;
mod update;
mod upgrade;
mod viewer;
mod volume;
mod writer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use tidings_event::{
    EventFilter, EventId, EventType, EventTypes, OwnerId, PageRequest, PageToken, Rev, SystemId,
    Timestamp,
};

pub use audit::{AuditError, audit};
pub use backup::{backup, backup_to_writer};
pub use backup_error::BackupError;
pub use directory_error::DirectoryError;
pub use restore::{restore, restore_from_reader};
pub use store_file::{StoreSummary, schema_differences};

use crate::retention::Retention;
use crate::store::{
    Committed, DueEvents, EncodedEvents, ExpiredPage, FeedPosition, ListPage, MatchPage, Matching,
    NextGroup, Progress, Refill, ReplayPage, RevRange, RevokedPage, RevokedToken, Side, Snapshot,
    Store, StoreError, StoreIdentity, Target, Unread,
};
use directory::DataDirectory;
#[cfg(feature = "postgres")]
pub(crate) use exclusive::ExclusiveSqlite;
use fault::io_error;
pub(crate) use opening::OpenStoreError;
use read_connection::ReadConnection;
use read_pool::ReadPool;
use reserve::Disk;
use writer::Writer;

/// A store in a data directory, which it locks until it is closed.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    identity: StoreIdentity,
    database: PathBuf,
    writer: Writer,
    /// For streams and other short reads, which must not wait for lists.
    stream_pool: ReadPool,
    list_pool: ReadPool,
    upkeep_pool: ReadPool,
    disk: Arc<Disk>,
    /// The feed that was added to the search index last.
    last_indexed: AtomicI64,
    directory: Mutex<Option<DataDirectory>>,
}

impl SqliteStore {
    /// Whether the disk has no space for an event of ordinary size.
    async fn rejects_events(&self) -> Result<bool, StoreError> {
        let left = self
            .stream_pool
            .read(|connection| event_budget::free_pages(&connection.connection));
        Ok(self.disk.rejects(left.await?))
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn identity(&self) -> StoreIdentity {
        self.identity
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn lanes(&self) -> usize {
        1
    }

    async fn leads(&self) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn commit(&self, next: NextGroup) -> Result<Committed, StoreError> {
        self.writer.commit(next).await
    }

    async fn snapshot(&self, owner: OwnerId) -> Result<Snapshot, StoreError> {
        self.stream_pool
            .read_for(owner, move |connection| connection.snapshot(owner))
            .await
    }

    async fn replay(
        &self,
        owner: OwnerId,
        side: Side,
        range: RevRange,
    ) -> Result<ReplayPage, StoreError> {
        self.stream_pool
            .read_for(owner, move |connection| {
                connection.replay(owner, side, range)
            })
            .await
    }

    async fn refill(&self, owner: OwnerId, _: RevRange) -> Result<Refill, StoreError> {
        let heads = self.heads(&[owner]).await?;
        let head = heads.first().map_or(Rev::ZERO, |(_, head)| *head);
        Ok(Refill::Incomplete { head })
    }

    async fn heads(&self, owners: &[OwnerId]) -> Result<Vec<(OwnerId, Rev)>, StoreError> {
        let owners = owners.to_vec();
        self.stream_pool
            .read(move |connection| connection.heads(&owners))
            .await
    }

    async fn event(&self, owner: OwnerId, target: Target) -> Result<Option<Bytes>, StoreError> {
        self.stream_pool
            .read_for(owner, move |connection| connection.event(owner, target))
            .await
    }

    async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
        bytes: usize,
    ) -> Result<ListPage, StoreError> {
        self.list_pool
            .read_for(owner, move |connection| {
                connection.list(owner, &filter, page, bytes)
            })
            .await
    }

    async fn list_rest(
        &self,
        owner: OwnerId,
        unread: Unread,
        bytes: usize,
    ) -> Result<(EncodedEvents, Unread), StoreError> {
        self.list_pool
            .read_for(owner, move |connection| {
                connection.list_rest(owner, unread.clone(), bytes)
            })
            .await
    }

    async fn type_pairs(&self, owner: OwnerId) -> Result<Vec<EventType>, StoreError> {
        self.list_pool
            .read_for(owner, move |connection| connection.type_pairs(owner))
            .await
    }

    async fn types(&self, owner: OwnerId) -> Result<EventTypes, StoreError> {
        self.list_pool
            .read_for(owner, move |connection| connection.types(owner))
            .await
    }

    async fn audience(
        &self,
        id: EventId,
        system: SystemId,
        after: Option<OwnerId>,
        limit: usize,
    ) -> Result<Vec<OwnerId>, StoreError> {
        self.upkeep_pool
            .read(move |connection| connection.audience(id, system, after, limit))
            .await
    }

    async fn matching(
        &self,
        owner: OwnerId,
        matching: Matching,
        after: Option<PageToken>,
    ) -> Result<MatchPage, StoreError> {
        self.list_pool
            .read_for(owner, move |connection| {
                connection.matching(owner, &matching, after)
            })
            .await
    }

    async fn last_use(&self) -> Result<Option<Timestamp>, StoreError> {
        self.upkeep_pool.read(ReadConnection::last_use).await
    }

    async fn note_use(&self, at: Timestamp) -> Result<(), StoreError> {
        self.writer
            .upkeep_beside_feeds_if_room(move |transaction| last_use::note_use(transaction, at))
            .await
    }

    async fn expired(
        &self,
        retention: Retention,
        now: Timestamp,
        from: FeedPosition,
    ) -> Result<ExpiredPage, StoreError> {
        self.upkeep_pool
            .read(move |connection| connection.expired(&retention, now, from))
            .await
    }

    async fn due(&self, now: Timestamp) -> Result<DueEvents, StoreError> {
        self.upkeep_pool
            .read(move |connection| connection.due(now))
            .await
    }

    async fn forget_deleted(
        &self,
        before: Timestamp,
        kept: u64,
    ) -> Result<(u64, Progress), StoreError> {
        let look =
            move |connection: &ReadConnection| connection.has_deletions_to_forget(before, kept);
        if !self.upkeep_pool.read(look).await? {
            return Ok((0, Progress::Done));
        }
        self.writer
            .upkeep(move |transaction| tombstones::forget(transaction, before, kept))
            .await
    }

    async fn tidy(&self) -> Result<Progress, StoreError> {
        let mut progress = Progress::Done;
        if self
            .upkeep_pool
            .read(ReadConnection::has_ended_events)
            .await?
        {
            self.writer.upkeep(ended_events::drop_overlays).await?;
            progress = Progress::More;
        }
        if self
            .upkeep_pool
            .read(ReadConnection::has_unmeasured_feeds)
            .await?
        {
            self.writer.upkeep(measure::measure).await?;
            progress = Progress::More;
        }
        // The search index can wait, and takes space.
        if self.disk.is_tight() {
            return Ok(progress);
        }
        // Feeds take turns.
        let after = self.last_indexed.load(Ordering::Relaxed);
        let new = self
            .upkeep_pool
            .read(move |connection| connection.new_search_blocks(after))
            .await?;
        let Some(blocks) = new else {
            return Ok(progress);
        };
        self.last_indexed.store(blocks.feed(), Ordering::Relaxed);
        self.writer
            .upkeep_beside_feeds_if_room(move |transaction| {
                search_blocks::add_blocks(transaction, &blocks)
            })
            .await?;
        Ok(Progress::More)
    }

    #[cfg(feature = "metrics")]
    fn room(&self) -> Option<crate::store::DiskSpace> {
        room::of(&self.database)
    }

    async fn look_after_room(&self) -> Result<crate::store::Pressure, StoreError> {
        self.writer.look_after_room().await
    }

    async fn revoke(&self, _: RevokedToken) -> Result<(), StoreError> {
        unreachable!("the store is not shared")
    }

    async fn revoked(&self, _: u64) -> Result<RevokedPage, StoreError> {
        unreachable!("the store is not shared")
    }

    async fn check(&self) -> Result<(), StoreError> {
        // The last look at the disk can be older than the space that is free now.
        if self.rejects_events().await? {
            self.writer.look_after_room().await?;
            if self.rejects_events().await? {
                return Err(StoreError::Full(self.disk.kept().into()));
            }
        }
        if self.writer.is_in_doubt() {
            let database = self.database.clone();
            let probed = tokio::task::spawn_blocking(move || directory::probe(&database)).await;
            probed
                .map_err(|panic| StoreError::Internal(panic.into()))?
                .map_err(io_error)?;
            self.writer.probe().await?;
        }
        self.stream_pool.read(|connection| connection.check()).await
    }

    async fn close(&self) {
        self.writer.close().await;
        self.stream_pool.close().await;
        self.list_pool.close().await;
        self.upkeep_pool.close().await;
        self.disk.take_what_is_left();
        drop(
            self.directory
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .take(),
        );
    }
}
