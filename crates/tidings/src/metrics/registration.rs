//! Registers the metrics in a registry of `prometheus-client`.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::Metrics;
use crate::hub::Hub;
use crate::store::Store;
use crate::timekeeper::Timekeeper;

impl Metrics {
    /// Adds all metrics to a registry, under names that begin with `tidings_`.
    pub(crate) fn register(
        &self,
        hub: Arc<Hub>,
        time: Arc<Timekeeper>,
        store: Arc<dyn Store>,
        registry: &mut Registry,
    ) {
        let registry = registry.sub_registry_with_prefix("tidings");
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter("events_stored", "Events stored", &self.events_stored);
        counter(
            "events_repeated",
            "Published events that were already stored",
            &self.events_repeated,
        );
        counter(
            "events_updated",
            "Events whose publishers replaced their content",
            &self.events_updated,
        );
        counter(
            "frames_encoded",
            "Frames encoded as JSON, once per publication, change or replay",
            &self.frames_encoded,
        );
        counter(
            "frames_delivered",
            "Frames delivered to subscribers",
            &self.frames_delivered,
        );
        counter(
            "delivered_bytes",
            "Bytes of JSON in the frames delivered to subscribers",
            &self.bytes_delivered,
        );
        counter(
            "replays",
            "Subscriptions that started before the head of a feed",
            &self.replays,
        );
        counter(
            "replayed_events",
            "Events read from the store for subscribers",
            &self.replayed_events,
        );
        counter(
            "events_expired",
            "Events that retention deleted; events_changed counts them too",
            &self.events_expired,
        );
        counter(
            "deletions_forgotten",
            "Deletions that the store no longer remembers",
            &self.deletions_forgotten,
        );
        counter(
            "tidy_steps",
            "Steps of background maintenance of the store, such as indexing for search",
            &self.tidy_steps,
        );
        counter(
            "clock_jumps",
            "Jumps of the wall clock relative to the trusted time",
            &self.clock_jumps,
        );
        registry.register(
            "events_changed",
            "Events marked or deleted, by change",
            self.events_changed.clone(),
        );
        registry.register(
            "publish_requests",
            "Publish requests by outcome",
            self.requests.clone(),
        );
        registry.register(
            "resets",
            "Subscriptions whose start could not be used, by reason",
            self.resets.clone(),
        );
        registry.register(
            "commit_events",
            "Events per commit",
            self.commit_events.clone(),
        );
        registry.register_with_unit(
            "commit_sync",
            "Time to write a commit to disk",
            Unit::Seconds,
            self.commit_sync_seconds.clone(),
        );
        registry.register(
            "subscribers",
            "Current subscriptions",
            self.subscribers.clone(),
        );
        registry.register_collector(Box::new(LiveFeeds(hub)));
        registry.register_collector(Box::new(StoreRoom(store)));
        registry.register_collector(Box::new(Clocks(time)));
    }
}

/// Reads the clocks when the registry is encoded.
#[derive(Debug)]
struct Clocks(Arc<Timekeeper>);

impl Collector for Clocks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let gauge = ConstGauge::new(self.0.wall_ahead_seconds());
        let encoder = encoder.encode_descriptor(
            "clock_ahead",
            "Wall clock minus the trusted time that retention uses",
            Some(&Unit::Seconds),
            gauge.metric_type(),
        )?;
        gauge.encode(encoder)
    }
}

/// Queries the file system when the registry is encoded.
struct StoreRoom(Arc<dyn Store>);

impl std::fmt::Debug for StoreRoom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreRoom").finish_non_exhaustive()
    }
}

impl Collector for StoreRoom {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(room) = self.0.room() else {
            return Ok(());
        };
        for (name, help, bytes) in [
            (
                "database",
                "Size of the database, including its write-ahead log",
                room.database_bytes,
            ),
            (
                "disk_free",
                "Free space of the file system that holds the database",
                room.free_bytes,
            ),
            (
                "disk_size",
                "Size of the file system that holds the database",
                room.disk_bytes,
            ),
        ] {
            let gauge = ConstGauge::new(bytes);
            let unit = Some(&Unit::Bytes);
            gauge.encode(encoder.encode_descriptor(name, help, unit, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// Measures the hub when the registry is encoded.
#[derive(Debug)]
struct LiveFeeds(Arc<Hub>);

impl Collector for LiveFeeds {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let state = self.0.measure();
        let mut gauge = |name, help, value: u64| {
            let gauge = ConstGauge::new(value);
            let encoder = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(encoder)
        };
        gauge(
            "live_feeds",
            "Feeds with at least one subscriber",
            state.feeds,
        )?;
        gauge(
            "window_bytes",
            "Bytes of frames kept for lagging subscribers",
            state.window_bytes,
        )?;
        gauge(
            "subscriber_lag_events",
            "Lag of the slowest subscriber, in events",
            state.largest_lag,
        )
    }
}
