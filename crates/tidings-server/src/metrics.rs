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
    beyond_limit: Counter,
    failed_handshakes: Counter,
}

impl Metrics {
    pub(crate) fn new(engine: &Tidings) -> Self {
        let mut registry = Registry::default();
        engine.register_metrics(&mut registry);
        let mut counter = |name, help| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let closed_for_stall = counter(
            "tidings_connections_closed_for_stall",
            "Connections closed because their client took nothing",
        );
        let beyond_limit = counter(
            "tidings_connections_beyond_limit",
            "Connections beyond a limit, on which only health checks and metrics were answered",
        );
        let failed_handshakes = counter(
            "tidings_tls_handshakes_failed",
            "TLS handshakes that failed or took too long",
        );
        Self {
            registry,
            closed_for_stall,
            beyond_limit,
            failed_handshakes,
        }
    }

    /// Counts a connection whose client took nothing for too long.
    pub(crate) fn count_stalled(&self) {
        self.closed_for_stall.inc();
    }

    /// Counts a connection beyond a limit.
    pub(crate) fn count_beyond_limit(&self) {
        self.beyond_limit.inc();
    }

    /// Counts a TLS handshake that came to nothing.
    pub(crate) fn count_failed_handshake(&self) {
        self.failed_handshakes.inc();
    }

    /// Counts a connection that broke, if it did so because its client took nothing for too long.
    pub(crate) fn count_broken(&self, error: &(dyn Error + 'static)) {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>()
                && error.kind() == io::ErrorKind::TimedOut
            {
                self.count_stalled();
                return;
            }
            cause = error.source();
        }
    }
}
