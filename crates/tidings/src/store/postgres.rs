//! A store in PostgreSQL, which any number of nodes share.

mod address;
mod audience;
mod audit;
mod commit;
pub(crate) mod connect;
mod due;
mod exclusive;
mod export;
mod fault;
mod fence;
mod heads;
mod hosts;
mod import;
mod inspect;
mod lead;
mod lent;
mod list;
mod migrate;
mod open_fault;
mod page_events;
mod pool;
mod query;
mod read_fault;
mod read_pool;
mod read_transaction;
mod reads;
mod refill;
mod replay;
mod retention;
mod revocations;
mod row;
mod search;
mod search_blocks;
mod select;
#[cfg(test)]
pub(crate) mod tests;
mod tls;
mod types;
mod upkeep;
mod viewer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use tidings_event::{
    EventFilter, EventId, EventType, EventTypes, OwnerId, PageRequest, PageToken, Rev, SystemId,
    Timestamp,
};

use crate::config::PostgresConfig;
use crate::retention::Retention;
use crate::store::audit::Audit;
use crate::store::{
    Committed, DueEvents, EncodedEvents, ExpiredPage, FeedPosition, ListPage, MatchPage, Matching,
    NextGroup, Pressure, Progress, Refill, ReplayPage, RevRange, RevokedPage, RevokedToken, Side,
    Snapshot, Store, StoreError, StoreIdentity, Target, Unread,
};
use commit::Commits;
use connect::Connector;
pub(crate) use exclusive::{ExclusivePostgres, renew_epoch};
pub use inspect::{PostgresState, Standby};
use lead::{Lead, Membership};
use migrate::NamedMigration;
pub(crate) use open_fault::OpenFault;
use pool::{Pool, Role};
use reads::Reads;
use revocations::RevocationTable;
use upkeep::Maintenance;

/// The connections for upkeep and health checks, which must not wait for commits.
const UPKEEP_CONNECTIONS: usize = 2;

/// The address of a store without a password, for logs.
pub(crate) fn described(config: &PostgresConfig) -> Result<String, OpenFault> {
    Ok(address::Address::of(config)?.to_string())
}

/// Reads the state of the server and of the store. Changes nothing.
pub(crate) async fn inspect(config: &PostgresConfig) -> Result<PostgresState, OpenFault> {
    inspect::inspect(config).await
}

/// Counts everything again, for at most `time`. Nodes can use the store meanwhile.
pub(crate) async fn audit(config: &PostgresConfig, time: Duration) -> Result<Audit, StoreError> {
    let connector =
        Connector::new(config).map_err(|fault| StoreError::Unavailable(fault.into()))?;
    let mut connection = pool::Connection::open(&connector, Role::Read).await?;
    Ok(audit::audit(&mut connection, Some(Instant::now() + time)).await?)
}

/// A store in PostgreSQL.
#[derive(Debug)]
pub(crate) struct PostgresStore {
    identity: StoreIdentity,
    reads: Reads,
    commits: Commits,
    upkeep: Maintenance,
    upkeep_pool: Pool,
    revocations: RevocationTable,
    lead: Lead,
    lanes: usize,
}

impl PostgresStore {
    /// Opens the store, creates it if it is missing, and upgrades an old schema.
    pub(crate) async fn open(config: &PostgresConfig) -> Result<Self, OpenFault> {
        Self::open_with(config, migrate::MIGRATIONS).await
    }

    /// Opens the store, and applies those of `migrations` that its schema lacks.
    async fn open_with(
        config: &PostgresConfig,
        migrations: &[NamedMigration<'_>],
    ) -> Result<Self, OpenFault> {
        let connector = Arc::new(Connector::new(config)?);
        let role = Role::Commit {
            lossy: config.allow_lossy_commit,
        };
        // First, so that no move begins while the store is opened. It checks the settings of the server, too.
        let joined = Membership::join(&connector, role, config.silence).await?;
        let identity = migrate::prepare_with(&connector, migrations).await?;
        let pool = |size| Pool::new(&connector, Role::Read, size);
        let streams = pool(config.stream_connections);
        let lists = pool(config.list_connections);
        let lanes = config.commit_connections.max(1);
        let commits = Pool::new(&connector, role, lanes);
        let upkeep_pool = Pool::new(&connector, role, UPKEEP_CONNECTIONS);
        Ok(Self {
            identity,
            reads: Reads::new(identity, streams, lists),
            commits: Commits::new(commits, identity, config.timeout),
            upkeep: Maintenance::new(upkeep_pool.clone(), config.keep_overlays),
            upkeep_pool,
            revocations: RevocationTable::new(&connector, role, identity),
            lead: Lead::new(Arc::clone(&connector), role, identity.system, joined),
            lanes,
        })
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn identity(&self) -> StoreIdentity {
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

    async fn commit(&self, next: NextGroup) -> Result<Committed, StoreError> {
        self.commits.commit(next).await
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

    async fn audience(
        &self,
        id: EventId,
        system: SystemId,
        after: Option<OwnerId>,
        limit: usize,
    ) -> Result<Vec<OwnerId>, StoreError> {
        audience::owners(&self.upkeep_pool, id, system, after, limit).await
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
        self.upkeep.last_use().await
    }

    async fn note_use(&self, at: Timestamp) -> Result<(), StoreError> {
        self.upkeep.note_use(at).await
    }

    async fn expired(
        &self,
        retention: Retention,
        now: Timestamp,
        from: FeedPosition,
    ) -> Result<ExpiredPage, StoreError> {
        let system = self.identity.system;
        retention::expired(&self.upkeep_pool, system, &retention, now, from).await
    }

    async fn due(&self, now: Timestamp) -> Result<DueEvents, StoreError> {
        due::due(&self.upkeep_pool, now).await
    }

    async fn forget_deleted(
        &self,
        before: Timestamp,
        kept: u64,
    ) -> Result<(u64, Progress), StoreError> {
        self.upkeep.forget(before, kept).await
    }

    async fn tidy(&self) -> Result<Progress, StoreError> {
        self.upkeep.tidy().await
    }

    #[cfg(feature = "metrics")]
    fn room(&self) -> Option<crate::store::DiskSpace> {
        // PostgreSQL does not report the free space of its disk.
        None
    }

    async fn look_after_room(&self) -> Result<Pressure, StoreError> {
        Ok(Pressure::Enough)
    }

    async fn revoke(&self, token: RevokedToken) -> Result<(), StoreError> {
        self.revocations.revoke(token).await
    }

    async fn revoked(&self, after: u64) -> Result<RevokedPage, StoreError> {
        self.revocations.after(after).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.upkeep.check(self.identity).await
    }

    async fn close(&self) {
        self.lead.release().await;
        self.commits.close();
        self.upkeep_pool.close();
        self.reads.close().await;
        self.revocations.close();
    }
}
