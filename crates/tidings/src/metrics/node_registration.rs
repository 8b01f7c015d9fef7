//! Registers the metrics of a node that shares its store with others.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::Metrics;

impl Metrics {
    /// Adds the metrics to a registry, under names that begin with `tidings_`. `depths` counts the queued
    /// requests of each lane.
    pub(crate) fn register_nodes(
        &self,
        depths: impl Fn() -> Vec<usize> + Send + Sync + 'static,
        registry: &mut Registry,
    ) {
        let registry = registry.sub_registry_with_prefix("tidings");
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter(
            "hints_sent",
            "Hints about changed feeds sent to other nodes",
            &self.hints_sent,
        );
        counter(
            "hints_dropped",
            "Hints that could not be sent; other nodes find the changes when they compare heads",
            &self.hints_dropped,
        );
        counter(
            "hints_received",
            "Hints of other nodes",
            &self.hints_received,
        );
        counter(
            "hints_useless",
            "Hints of other nodes about feeds without subscribers here, or about changes that were known",
            &self.hints_useless,
        );
        counter(
            "hints_lost",
            "Changes of other nodes that were found by comparing heads and not by a hint",
            &self.hints_lost,
        );
        counter(
            "bus_messages_refused",
            "Messages of the bus that are malformed, too large or of another program",
            &self.messages_refused,
        );
        counter(
            "heads_compared",
            "Feeds compared with the store",
            &self.heads_compared,
        );
        counter(
            "refills",
            "Reads of what other nodes have committed, one for all subscribers of a feed",
            &self.refills,
        );
        counter(
            "refills_useless",
            "Refills that found nothing new",
            &self.refills_useless,
        );
        counter(
            "refills_incomplete",
            "Refills after which the subscribers read the store themselves",
            &self.refills_incomplete,
        );
        counter(
            "refills_failed",
            "Refills whose read failed",
            &self.refills_failed,
        );
        registry.register_collector(Box::new(LaneDepths(depths)));
    }
}

/// Counts the queued requests when the registry is encoded.
struct LaneDepths<F>(F);

impl<F> std::fmt::Debug for LaneDepths<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LaneDepths").finish_non_exhaustive()
    }
}

impl<F: Fn() -> Vec<usize> + Send + Sync + 'static> Collector for LaneDepths<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut family = encoder.encode_descriptor(
            "lane_depth",
            "Requests that wait in a lane of the committer",
            None,
            MetricType::Gauge,
        )?;
        for (lane, depth) in (self.0)().into_iter().enumerate() {
            let label = [("lane", lane.to_string())];
            ConstGauge::new(depth as u64).encode(family.encode_family(&label)?)?;
        }
        Ok(())
    }
}
