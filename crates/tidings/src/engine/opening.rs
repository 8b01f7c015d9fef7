//! Opens the store and the bus, and starts the parts of the engine.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::recipients::AUDIENCE_CHANGES;
use super::{BULK_CHANGES, Shared, Tidings};
use crate::activity::Activity;
use crate::bus::Bus;
#[cfg(feature = "nats")]
use crate::bus::nats::NatsBus;
#[cfg(feature = "postgres")]
use crate::bus::postgres::PostgresBus;
use crate::committer::{Committer, Parts};
use crate::config::{BusConfig, Config, StoreConfig};
use crate::error::OpenError;
use crate::follower::FollowerContext;
use crate::hub::{Holes, Hub};
use crate::metrics::Metrics;
use crate::nodes::Nodes;
use crate::quota::Quota;
use crate::store::Store;
#[cfg(feature = "postgres")]
use crate::store::postgres::{PostgresStore, connect::Connector};
use crate::store::sqlite::SqliteStore;
use crate::timekeeper::Timekeeper;
use crate::turns::Turns;
use crate::upkeep::Upkeep;
use crate::vitals::Vitals;

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
    pub(super) async fn start(
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
        let source = FollowerContext {
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
            audience_changes: Arc::new(Semaphore::new(AUDIENCE_CHANGES)),
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
