//! What the engine counts, for Prometheus.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tidings_event::{Change, ResetReason, Status};

use crate::hub::Hub;
use crate::store::Store;
use crate::timekeeper::Timekeeper;

/// Numbers that only ever grow, unless they say otherwise.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) events_stored: Counter,
    pub(crate) events_repeated: Counter,
    pub(crate) events_changed: Family<ChangeLabel, Counter>,
    pub(crate) events_expired: Counter,
    pub(crate) deletions_forgotten: Counter,
    pub(crate) tidy_steps: Counter,
    pub(crate) clock_jumps: Counter,
    pub(crate) requests: Family<OutcomeLabel, Counter>,
    pub(crate) commit_events: Histogram,
    pub(crate) commit_sync_seconds: Histogram,
    pub(crate) frames_encoded: Counter,
    pub(crate) frames_delivered: Counter,
    pub(crate) bytes_delivered: Counter,
    /// Now.
    pub(crate) subscribers: Gauge,
    pub(crate) replays: Counter,
    pub(crate) replayed_events: Counter,
    pub(crate) resets: Family<ReasonLabel, Counter>,
}

/// What became of a publish request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OutcomeLabel {
    outcome: &'static str,
}

/// What was done to events.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ChangeLabel {
    change: &'static str,
}

impl ChangeLabel {
    pub(crate) const fn of(change: Change) -> Self {
        let change = match change {
            Change::Status(Status::Read) => "read",
            Change::Status(Status::Unread) => "unread",
            Change::Delete => "deleted",
        };
        Self { change }
    }
}

/// Why a subscription could not begin where its reader wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReasonLabel {
    reason: String,
}

impl OutcomeLabel {
    pub(crate) const STORED: Self = Self { outcome: "stored" };
    pub(crate) const CONFLICT: Self = Self {
        outcome: "conflict",
    };
    pub(crate) const OVER_QUOTA: Self = Self {
        outcome: "over_quota",
    };
    pub(crate) const FAILED: Self = Self { outcome: "failed" };
    const ALL: [Self; 4] = [Self::STORED, Self::CONFLICT, Self::OVER_QUOTA, Self::FAILED];
}

impl From<ResetReason> for ReasonLabel {
    fn from(reason: ResetReason) -> Self {
        Self {
            reason: reason.to_string(),
        }
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let metrics = Self::empty();
        // Each label is there from the beginning: what counts from nothing to one is no increase.
        for label in OutcomeLabel::ALL {
            metrics.requests.get_or_create_owned(&label);
        }
        for change in [
            Change::Status(Status::Read),
            Change::Status(Status::Unread),
            Change::Delete,
        ] {
            let label = ChangeLabel::of(change);
            metrics.events_changed.get_or_create_owned(&label);
        }
        for reason in [
            ResetReason::Malformed,
            ResetReason::Foreign,
            ResetReason::TooOld,
            ResetReason::TooNew,
        ] {
            metrics.resets.get_or_create_owned(&reason.into());
        }
        metrics
    }

    fn empty() -> Self {
        Self {
            events_stored: Counter::default(),
            events_repeated: Counter::default(),
            events_changed: Family::default(),
            events_expired: Counter::default(),
            deletions_forgotten: Counter::default(),
            tidy_steps: Counter::default(),
            clock_jumps: Counter::default(),
            requests: Family::default(),
            // 1, 2, 4 … 2048 events.
            commit_events: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            // 50 µs, 100 µs … 1.6 s.
            commit_sync_seconds: Histogram::new(exponential_buckets(0.000_05, 2.0, 16)),
            frames_encoded: Counter::default(),
            frames_delivered: Counter::default(),
            bytes_delivered: Counter::default(),
            subscribers: Gauge::default(),
            replays: Counter::default(),
            replayed_events: Counter::default(),
            resets: Family::default(),
        }
    }

    /// Adds all of them to a registry, under names that begin with `tidings_`.
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
            "Events that had been stored before",
            &self.events_repeated,
        );
        counter(
            "frames_encoded",
            "Events encoded as JSON, once each when published and when replayed",
            &self.frames_encoded,
        );
        counter(
            "frames_delivered",
            "Frames handed to subscribers",
            &self.frames_delivered,
        );
        counter(
            "delivered_bytes",
            "Bytes of frames handed to streams",
            &self.bytes_delivered,
        );
        counter(
            "replays",
            "Subscriptions that began behind the head of a feed",
            &self.replays,
        );
        counter(
            "replayed_events",
            "Events read from the store for subscribers",
            &self.replayed_events,
        );
        counter(
            "events_expired",
            "Events that retention deleted; they are among the deleted ones too",
            &self.events_expired,
        );
        counter(
            "deletions_forgotten",
            "Deletions that are no longer remembered",
            &self.deletions_forgotten,
        );
        counter(
            "tidy_steps",
            "Steps of the store's work on itself, such as indexing for searching",
            &self.tidy_steps,
        );
        counter(
            "clock_jumps",
            "Jumps of the wall clock against the time that has passed",
            &self.clock_jumps,
        );
        registry.register(
            "events_changed",
            "Events that were marked or deleted, by what was done",
            self.events_changed.clone(),
        );
        registry.register(
            "publish_requests",
            "Publish requests by outcome",
            self.requests.clone(),
        );
        registry.register(
            "resets",
            "Subscriptions that could not begin where their reader wanted",
            self.resets.clone(),
        );
        registry.register(
            "commit_events",
            "Events in a commit",
            self.commit_events.clone(),
        );
        registry.register_with_unit(
            "commit_sync",
            "Time until a commit is on disk",
            Unit::Seconds,
            self.commit_sync_seconds.clone(),
        );
        registry.register("subscribers", "Subscriptions now", self.subscribers.clone());
        registry.register_collector(Box::new(LiveFeeds(hub)));
        registry.register_collector(Box::new(StoreRoom(store)));
        registry.register_collector(Box::new(Clocks(time)));
    }
}

/// What the clocks show when they are asked.
#[derive(Debug)]
struct Clocks(Arc<Timekeeper>);

impl Collector for Clocks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let gauge = ConstGauge::new(self.0.wall_ahead_seconds());
        let encoder = encoder.encode_descriptor(
            "clock_ahead",
            "How far the wall clock is ahead of the time by which retention works",
            Some(&Unit::Seconds),
            gauge.metric_type(),
        )?;
        gauge.encode(encoder)
    }
}

/// What the file system says when it is asked.
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
                "Size of the database with its write-ahead log",
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

/// What the hub knows when it is asked.
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
        gauge("live_feeds", "Feeds with a subscriber", state.feeds)?;
        gauge(
            "window_bytes",
            "Bytes of frames kept for subscribers that are behind",
            state.window_bytes,
        )?;
        gauge(
            "subscriber_lag_events",
            "Events by which the slowest subscriber is behind",
            state.largest_lag,
        )
    }
}
