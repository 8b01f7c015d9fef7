//! What the server counts, beside what the engine does.

use std::error::Error;
use std::io;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use tidings::Tidings;

/// All that `/metrics` shows.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) registry: Registry,
    closed_for_stall: Counter,
}

impl Metrics {
    pub(crate) fn new(engine: &Tidings) -> Self {
        let mut registry = Registry::default();
        engine.register_metrics(&mut registry);
        let closed_for_stall = Counter::default();
        registry.register(
            "tidings_connections_closed_for_stall",
            "Connections closed because their client took nothing",
            closed_for_stall.clone(),
        );
        Self {
            registry,
            closed_for_stall,
        }
    }

    /// Counts a connection that broke, if it did so because its client took nothing for too long.
    pub(crate) fn count_broken(&self, error: &(dyn Error + 'static)) {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>()
                && error.kind() == io::ErrorKind::TimedOut
            {
                self.closed_for_stall.inc();
                return;
            }
            cause = error.source();
        }
    }
}
