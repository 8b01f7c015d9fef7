//! The engine: the handle that programs hold.

mod opening;
mod publishing;
mod recipients;
mod retracting;
#[cfg(test)]
mod tests;
mod updating;

use std::sync::Arc;

#[cfg(feature = "metrics")]
use prometheus_client::registry::Registry;
use tidings_event::{CursorTag, EventTypes, InboxSummary, Limits, OwnerId, Start, SystemId};
use tokio::sync::Semaphore;

use crate::activity::Activity;
use crate::bus::BusError;
use crate::committer::Committer;
use crate::follower::{Follower, FollowerContext};
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::nodes::NodeTasks;
use crate::quota::Quota;
use crate::start::cursor_at;
use crate::store::{Store, StoreError, StoreIdentity};
use crate::subscription::Subscription;
use crate::timekeeper::Timekeeper;
use crate::turns::{Bounds, Turns};
use crate::upkeep::UpkeepTask;
use crate::vitals::Vitals;
pub use publishing::Prepared;
pub use recipients::PreparedForMany;

/// The limits of running and waiting bulk changes. A running change has one step in the committer's queue
/// and 4,096 ids in memory; a waiting change has the ids of its request in memory.
pub(crate) const BULK_CHANGES: Bounds = Bounds {
    running: 16,
    running_each: 1,
    waiting_each: 8,
    waiting: 256,
};

/// A handle to the engine. Clones share the engine.
///
/// When the last handle is dropped, the subscriptions end and the engine commits the accepted requests in
/// the background; [`Tidings::close`] waits for them. The data directory stays locked until the
/// subscriptions are dropped too.
#[derive(Clone, Debug)]
pub struct Tidings {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    /// The approximate maximum of bytes that one read of a page returns.
    pub(crate) page_bytes: usize,
    quota: Quota,
    pub(crate) identity: StoreIdentity,
    pub(crate) store: Arc<dyn Store>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    /// The parts that all followers share.
    source: Arc<FollowerContext>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) bulk_changes: Turns<OwnerId>,
    /// The turns of changes for whole audiences.
    audience_changes: Arc<Semaphore>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) time: Arc<Timekeeper>,
    vitals: Arc<Vitals>,
    nodes: NodeTasks,
    _upkeep: UpkeepTask,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.hub.close();
    }
}

impl Tidings {
    /// Subscribes to everything that `owner` sees: the owner's own feed and the system's. The subscription
    /// misses no event that is published after this method returns, no matter when it is first read.
    ///
    /// An unusable start is not an error: the subscription begins with a reset.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn subscribe(
        &self,
        owner: OwnerId,
        start: Start,
    ) -> Result<Subscription, StoreError> {
        self.follow(owner, start).await.map(Subscription::of)
    }

    pub(crate) async fn follow(
        &self,
        owner: OwnerId,
        start: Start,
    ) -> Result<Follower, StoreError> {
        Follower::open(Arc::clone(&self.shared.source), owner, start).await
    }

    pub(crate) fn count_delivered(&self, frames: u64, bytes: u64) {
        self.shared.source.count_delivered(frames, bytes);
    }

    /// The exact counts of the events that `owner` sees, with the cursor at which they are exact. A
    /// subscription from this cursor reports every later change. The cost does not depend on the number of
    /// events.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn summary(&self, owner: OwnerId) -> Result<InboxSummary, StoreError> {
        self.shared.activity.note(owner);
        let snapshot = self.shared.store.snapshot(owner).await?;
        let tag = CursorTag::derive(self.shared.identity.epoch, owner);
        let cursor = cursor_at(&snapshot, tag);
        Ok(InboxSummary::new(
            snapshot.summary,
            cursor,
            self.shared.identity.system,
        ))
    }

    /// The categories and actions of the events that `owner` sees.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn types(&self, owner: OwnerId) -> Result<EventTypes, StoreError> {
        self.shared.activity.note(owner);
        self.shared.store.types(owner).await
    }

    /// The id of the installation, which owns the events that every user sees.
    pub fn system_id(&self) -> SystemId {
        self.shared.identity.system
    }

    /// The maximum sizes of an event and of a batch.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Checks that the bus between nodes is connected, if there is one. While it is not, the node is ready all
    /// the same: its subscribers get what other nodes commit at the next comparison of heads, so that they wait
    /// for up to [`Config::heads_interval`](crate::Config::heads_interval).
    ///
    /// # Errors
    ///
    /// The bus is not connected.
    pub fn check_bus(&self) -> Result<(), BusError> {
        self.shared.nodes.check_bus()
    }

    /// Checks that the tasks of the engine run and that the store accepts events. It does not check the
    /// [bus](Self::check_bus).
    ///
    /// # Errors
    ///
    /// A task has ended, or the store does not accept events.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.check_tasks()?;
        self.shared.store.check().await
    }

    /// Checks that the tasks of the engine run. A task that has ended runs again only in a new process.
    ///
    /// # Errors
    ///
    /// A task has ended.
    pub fn check_tasks(&self) -> Result<(), StoreError> {
        self.shared.vitals.check()
    }

    /// Registers the engine's metrics, whose names begin with `tidings_`. Encoding the registry queries the
    /// free space of the file system, which can block.
    #[cfg(feature = "metrics")]
    pub fn register_metrics(&self, registry: &mut Registry) {
        let hub = Arc::clone(&self.shared.hub);
        let time = Arc::clone(&self.shared.time);
        let store = Arc::clone(&self.shared.store);
        let metrics = &self.shared.metrics;
        if store.is_shared() {
            let committer = Arc::clone(&self.shared.committer);
            metrics.register_nodes(move || committer.depths(), registry);
        }
        metrics.register(hub, time, store, registry);
    }

    /// Ends every present and future subscription after it has delivered the events in its window.
    /// Publishing still works, so that a program can end its streams first, finish its own work, and then
    /// call [`Self::close`].
    pub fn end_subscriptions(&self) {
        self.shared.hub.close();
    }

    /// Rejects new requests, commits and acknowledges the accepted ones, lets the subscriptions deliver
    /// them and end, and unlocks the data directory. This closes all clones of the handle. Every call
    /// waits until the engine is closed.
    pub async fn close(&self) {
        // Rejects the waiting changes; the running ones end with the committer.
        self.shared.bulk_changes.reject();
        self.shared.committer.close().await;
        self.shared.hub.close();
        // An error means that the store is closed or cannot be written. The next start then finds an
        // older time of last use and waits longer before it trusts the wall clock.
        let _ = self.shared.store.note_use(self.shared.time.trusted()).await;
        self.shared.store.close().await;
    }
}
