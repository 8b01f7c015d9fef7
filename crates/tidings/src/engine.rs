//! The engine: the handle that programs hold.

#[cfg(test)]
mod tests;

use std::sync::Arc;

#[cfg(feature = "metrics")]
use prometheus_client::registry::Registry;
use tidings_event::{
    CursorTag, Draft, EventType, EventTypes, InboxSummary, IntoDraft, Limits, OwnerId, Receipt,
    Start, SystemId, Violations, Warning,
};

use crate::activity::Activity;
#[cfg(feature = "nats")]
use crate::bus::nats::NatsBus;
#[cfg(feature = "postgres")]
use crate::bus::postgres::PostgresBus;
use crate::bus::{Bus, BusError};
use crate::committer::{Committer, Parts};
use crate::config::{BusConfig, Config, StoreConfig};
use crate::error::{OpenError, PublishError};
use crate::follower::{Follower, Source};
use crate::hub::{Holes, Hub};
use crate::metrics::Metrics;
use crate::nodes::{NodeTasks, Nodes};
use crate::quota::{Publisher, Quota};
use crate::revoked_tokens::RevokedTokens;
use crate::start::cursor_at;
#[cfg(feature = "postgres")]
use crate::store::postgres::{PostgresStore, connect::Connector};
use crate::store::sqlite::SqliteStore;
use crate::store::{Identity, Publication, Store, StoreError, Submission};
use crate::subscription::Subscription;
use crate::timekeeper::Timekeeper;
use crate::turns::{Bounds, Turns};
use crate::upkeep::{Upkeep, UpkeepTask};
use crate::vitals::Vitals;

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
    pub(crate) identity: Identity,
    pub(crate) store: Arc<dyn Store>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    /// What all followers share.
    source: Arc<Source>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) bulk_changes: Turns<OwnerId>,
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

/// A valid event, encoded and ready to be stored. It holds the metadata as text, because parsed metadata
/// can take many times the memory.
#[derive(Debug)]
pub struct Prepared {
    submission: Submission,
    /// The repairs of the event.
    warnings: Vec<Warning>,
}

impl Prepared {
    /// The size of the stored JSON in bytes, plus the approximate size of the warnings in the response.
    pub fn json_bytes(&self) -> usize {
        const WARNING_BYTES: usize = 64;
        let warnings = self.warnings.iter();
        let warnings = warnings.map(|one| WARNING_BYTES + one.field.len() + one.message.len());
        self.submission.json.len() + warnings.sum::<usize>()
    }
}

/// Opens the store that is configured.
async fn open_store(config: StoreConfig) -> Result<Arc<dyn Store>, OpenError> {
    match config {
        StoreConfig::Sqlite(config) => {
            let opened = tokio::task::spawn_blocking(move || SqliteStore::open_with(&config)).await;
            match opened {
                Ok(Ok(store)) => Ok(Arc::new(store)),
                Ok(Err(error)) => Err(error.into()),
                Err(panic) => Err(OpenError::Store(panic.into())),
            }
        }
        #[cfg(feature = "postgres")]
        StoreConfig::Postgres(config) => Ok(Arc::new(PostgresStore::open(&config).await?)),
    }
}

/// Begins to connect to the bus that is configured.
#[cfg_attr(
    not(feature = "nats"),
    expect(clippy::unused_async, reason = "only the features have a bus to open")
)]
async fn open_bus(config: &Config, store: &dyn Store) -> Result<Option<Arc<dyn Bus>>, OpenError> {
    if !store.is_shared() {
        return Ok(None);
    }
    match &config.bus {
        BusConfig::None => Ok(None),
        #[cfg(feature = "nats")]
        BusConfig::Nats(config) => {
            let bus = NatsBus::open(config, store.identity().system).await;
            Ok(Some(Arc::new(bus.map_err(OpenError::Bus)?)))
        }
        #[cfg(feature = "postgres")]
        BusConfig::Postgres => match &config.store {
            // It is not shared.
            StoreConfig::Sqlite(_) => Ok(None),
            StoreConfig::Postgres(server) => {
                let connector = Connector::new(server)?;
                let bus = PostgresBus::open(connector, store.identity().system);
                Ok(Some(Arc::new(bus)))
            }
        },
    }
}

impl Tidings {
    /// Opens the store, migrates its schema, and starts the engine on the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// The store cannot be used, or another process uses its data directory.
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let store = open_store(config.store.clone()).await?;
        let bus = open_bus(&config, &*store).await?;
        Self::start(store, bus, config).await
    }

    /// Starts the engine on an open store.
    async fn start(
        store: Arc<dyn Store>,
        bus: Option<Arc<dyn Bus>>,
        config: Config,
    ) -> Result<Self, OpenError> {
        let Config {
            limits,
            window_bytes,
            page_bytes,
            retention,
            owner_bytes,
            clock,
            heads_interval,
            store: _,
            bus: _,
        } = config;
        let last_use = store.last_use().await;
        let last_use = last_use.map_err(|error| OpenError::Store(error.into()))?;
        let time = Arc::new(Timekeeper::start(clock, last_use));
        let holes = match store.is_shared() {
            true => Holes::Refill,
            false => Holes::Skip,
        };
        let hub = Arc::new(Hub::new(window_bytes, holes));
        let metrics = Arc::new(Metrics::new());
        let activity = Arc::new(Activity::default());
        let vitals = Arc::new(Vitals::default());
        let nodes = Nodes {
            store: Arc::clone(&store),
            hub: Arc::clone(&hub),
            metrics: Arc::clone(&metrics),
            vitals: Arc::clone(&vitals),
            bus,
            interval: heads_interval,
        };
        let nodes = nodes.start();
        let committer = Committer::start(&Parts {
            store: Arc::clone(&store),
            hub: Arc::clone(&hub),
            metrics: Arc::clone(&metrics),
            activity: Arc::clone(&activity),
            vitals: Arc::clone(&vitals),
            outbox: nodes.outbox(),
        });
        let committer = Arc::new(committer);
        let upkeep = Upkeep {
            store: Arc::clone(&store),
            committer: Arc::clone(&committer),
            metrics: Arc::clone(&metrics),
            retention,
            time: Arc::clone(&time),
            vitals: Arc::clone(&vitals),
        };
        let source = Source {
            store: Arc::clone(&store),
            hub: Arc::clone(&hub),
            metrics: Arc::clone(&metrics),
            identity: store.identity(),
        };
        let shared = Shared {
            source: Arc::new(source),
            limits,
            page_bytes,
            quota: Quota::new(owner_bytes),
            identity: store.identity(),
            store,
            hub,
            metrics,
            committer,
            bulk_changes: Turns::new(BULK_CHANGES),
            activity,
            time,
            vitals,
            nodes,
            _upkeep: upkeep.start(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Stores an event and delivers it to the subscribers of its owner. When this method returns `Ok`, the
    /// event is on disk.
    ///
    /// Publishing the same event again stores nothing and returns the first receipt. If the caller drops
    /// the future, the event is stored or not; publish it again to be sure that it is.
    ///
    /// # Errors
    ///
    /// Nothing was stored; [`PublishError`] gives the reason.
    pub async fn publish(&self, event: impl IntoDraft) -> Result<Receipt, PublishError> {
        let draft = event.into_draft(&self.shared.limits);
        let prepared = self.prepare(draft.map_err(PublishError::Invalid)?);
        let receipts = self.publish_prepared(vec![prepared]).await?;
        Ok(receipts
            .into_iter()
            .next()
            .expect("a request of one event has one receipt"))
    }

    /// Same as [`Self::publish`], for several events of any owners. Either all events are stored or none.
    /// Events of the same owner keep their order. An empty batch does nothing.
    ///
    /// # Errors
    ///
    /// Nothing was stored; the error lists the violations of all events.
    pub async fn publish_batch<E: IntoDraft>(
        &self,
        events: Vec<E>,
    ) -> Result<Vec<Receipt>, PublishError> {
        let mut violations = Violations::default();
        let mut prepared = Vec::with_capacity(events.len());
        for (index, event) in events.into_iter().enumerate() {
            match event.into_draft(&self.shared.limits) {
                Ok(draft) => prepared.push(self.prepare(draft)),
                Err(of_one) => violations.extend_from_batch(index, of_one),
            }
        }
        violations.into_result().map_err(PublishError::Invalid)?;
        self.publish_prepared(prepared).await
    }

    /// Sets the owner and the system of an event, and encodes the event once for the store, the response
    /// and all subscribers.
    pub fn prepare(&self, mut draft: Draft) -> Prepared {
        let metadata = draft.take_metadata_json();
        let warnings = draft.take_warnings();
        let (mut event, digests) = draft.resolve(self.shared.identity.system);
        event.metadata = None;
        let json = event.to_json_with(metadata.as_deref());
        let aged_from = self.shared.time.aged_from(event.created_at);
        self.shared.metrics.frames_encoded.inc();
        Prepared {
            submission: Submission {
                event,
                metadata,
                digests,
                json: json.into(),
                aged_from,
            },
            warnings,
        }
    }

    /// Same as [`Self::publish_batch`], for events from [`Self::prepare`].
    ///
    /// # Errors
    ///
    /// Nothing was stored; [`PublishError`] gives the reason.
    pub async fn publish_prepared(
        &self,
        events: Vec<Prepared>,
    ) -> Result<Vec<Receipt>, PublishError> {
        self.publish_as(Publisher::Backend, events).await
    }

    /// Same as [`Self::publish_prepared`], for events that their owner publishes. The owner's quota applies;
    /// other publishers can store up to twice the quota.
    ///
    /// # Errors
    ///
    /// Nothing was stored; [`PublishError`] gives the reason.
    pub async fn publish_prepared_by_owner(
        &self,
        events: Vec<Prepared>,
    ) -> Result<Vec<Receipt>, PublishError> {
        self.publish_as(Publisher::Owner, events).await
    }

    async fn publish_as(
        &self,
        publisher: Publisher,
        events: Vec<Prepared>,
    ) -> Result<Vec<Receipt>, PublishError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        self.check_sizes(&events)?;
        let owner = events
            .first()
            .and_then(|first| first.submission.event.owner);
        if let Some(owner) = owner {
            self.shared.activity.note(owner);
        }
        let mut warnings = Vec::new();
        let mut submissions = Vec::with_capacity(events.len());
        for (index, event) in events.into_iter().enumerate() {
            if !event.warnings.is_empty() {
                warnings.push((index, event.warnings));
            }
            submissions.push(event.submission);
        }
        let quota = self.shared.quota.limit_for(publisher);
        let publication = Publication { submissions, quota };
        let by_owner = owner.filter(|_| publisher == Publisher::Owner);
        let mut receipts = self.shared.committer.publish(publication, by_owner).await?;
        for (index, of_one) in warnings {
            receipts[index].warnings = of_one;
        }
        Ok(receipts)
    }

    fn check_sizes(&self, events: &[Prepared]) -> Result<(), PublishError> {
        let limits = &self.shared.limits;
        if events.len() > limits.batch_events {
            return Err(PublishError::TooManyEvents {
                events: events.len(),
                limit: limits.batch_events,
            });
        }
        let sizes = events.iter().map(|event| event.submission.json.len());
        for (index, bytes) in sizes.clone().enumerate() {
            let limit = limits.event_bytes;
            if bytes > limit {
                return Err(PublishError::TooLarge {
                    index,
                    bytes,
                    limit,
                });
            }
        }
        let (bytes, limit) = (sizes.sum(), limits.batch_bytes);
        if events.len() > 1 && bytes > limit {
            return Err(PublishError::BatchTooLarge { bytes, limit });
        }
        Ok(())
    }

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
        self.follow(owner, start).await.map(Subscription::from)
    }

    /// As [`Self::subscribe`], without a task that waits: for a program that serves many streams itself.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn follow(&self, owner: OwnerId, start: Start) -> Result<Follower, StoreError> {
        Follower::open(Arc::clone(&self.shared.source), owner, start).await
    }

    /// Counts frames that a program has sent for its [`Follower`]s, and the bytes of their JSON.
    pub fn count_delivered(&self, frames: u64, bytes: u64) {
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

    /// The pairs of category and action of the events that `owner` sees, sorted. Returns the first
    /// [`EventType::MAX`] pairs.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn type_pairs(&self, owner: OwnerId) -> Result<Vec<EventType>, StoreError> {
        self.shared.activity.note(owner);
        self.shared.store.type_pairs(owner).await
    }

    /// The id of the installation, which owns the events that every user sees.
    pub fn system_id(&self) -> SystemId {
        self.shared.identity.system
    }

    /// The revoked tokens of all nodes; `None` if the store is not shared.
    pub fn revoked_tokens(&self) -> Option<RevokedTokens> {
        RevokedTokens::of(&self.shared.store)
    }

    /// The maximum sizes of an event and of a batch.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The approximate maximum of bytes that one read of a page returns: [`Config::page_bytes`].
    pub fn page_bytes(&self) -> usize {
        self.shared.page_bytes
    }

    /// Checks that the bus between nodes is connected, if there is one. While it is not, the node is ready all
    /// the same: its subscribers get what other nodes commit at the next comparison of heads, so that they wait
    /// for up to [`Config::heads_interval`].
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
        self.shared.vitals.check()?;
        self.shared.store.check().await
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
