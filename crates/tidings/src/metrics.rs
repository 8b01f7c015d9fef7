//! The metrics of the engine.
//!
//! With the feature `metrics` they are types of `prometheus-client` that can be registered. Without the
//! feature they are zero-sized types whose methods do nothing.

#[cfg(feature = "metrics")]
mod node_registration;
#[cfg(feature = "metrics")]
mod registration;
#[cfg(not(feature = "metrics"))]
mod uncounted;

#[cfg(feature = "metrics")]
use prometheus_client::encoding::EncodeLabelSet;
#[cfg(feature = "metrics")]
use prometheus_client::metrics::{
    counter::Counter,
    family::Family,
    gauge::Gauge,
    histogram::{Histogram, exponential_buckets},
};
use tidings_event::{Change, ResetReason, Status};

#[cfg(not(feature = "metrics"))]
use uncounted::{Counter, Family, Gauge, Histogram, exponential_buckets};

/// All metrics of the engine.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) events_stored: Counter,
    pub(crate) events_repeated: Counter,
    pub(crate) events_updated: Counter,
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
    /// The current number of subscriptions.
    pub(crate) subscribers: Gauge,
    pub(crate) replays: Counter,
    pub(crate) replayed_events: Counter,
    pub(crate) resets: Family<ReasonLabel, Counter>,
    pub(crate) hints_sent: Counter,
    pub(crate) hints_dropped: Counter,
    pub(crate) hints_received: Counter,
    pub(crate) hints_useless: Counter,
    pub(crate) hints_lost: Counter,
    pub(crate) messages_refused: Counter,
    pub(crate) heads_compared: Counter,
    pub(crate) refills: Counter,
    pub(crate) refills_useless: Counter,
    pub(crate) refills_incomplete: Counter,
    pub(crate) refills_failed: Counter,
}

/// The outcome of a publish request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "metrics", derive(EncodeLabelSet))]
pub(crate) struct OutcomeLabel {
    outcome: &'static str,
}

/// The kind of a change to events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "metrics", derive(EncodeLabelSet))]
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

/// The reason for which a subscription began with a reset.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "metrics", derive(EncodeLabelSet))]
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
        // Exports each label from 0: Prometheus does not see a counter that appears at 1 as an increase.
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
            events_updated: Counter::default(),
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
            hints_sent: Counter::default(),
            hints_dropped: Counter::default(),
            hints_received: Counter::default(),
            hints_useless: Counter::default(),
            hints_lost: Counter::default(),
            messages_refused: Counter::default(),
            heads_compared: Counter::default(),
            refills: Counter::default(),
            refills_useless: Counter::default(),
            refills_incomplete: Counter::default(),
            refills_failed: Counter::default(),
        }
    }
}
