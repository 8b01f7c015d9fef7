//! The metrics of the server, besides those of the engine.

mod format;
mod process;
mod requests;

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tidings::Tidings;

use crate::dropped_lines::DroppedLines;
use crate::identity::Foreign;
use crate::limits::{LimitError, Reach};

pub(crate) use format::Format;
use process::Process;
pub(crate) use requests::{CountedRoute, Requests, SeriesIndex};

/// The names of the limits in `/metrics`.
const LIMITS: [&str; 10] = [
    "publish_rate",
    "own_publish_rate",
    "request_rate",
    "streams_per_owner",
    "streams_per_address",
    "unfinished_uploads",
    "waiting_changes",
    "untaken_answers",
    "waiting_queries",
    "uri_bytes",
];

/// Everything that `/metrics` shows.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) registry: Registry,
    closed_for_stall: Counter,
    refused_by_limit: Family<LimitLabel, Counter>,
    beyond_limit: Counter,
    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "without TLS it is shown and stays at zero")
    )]
    failed_handshakes: Counter,
    foreign: Family<ForeignLabel, Counter>,
    connections: Gauge,
    pub(crate) requests: Arc<Requests>,
}

/// The label of the server's version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabel {
    version: &'static str,
}

/// The label of the reason why a request is foreign.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ForeignLabel {
    reason: &'static str,
}

/// One open connection, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Exports the number of lines that the program's log has lost.
#[derive(Debug)]
struct LogLines(DroppedLines);

impl Collector for LogLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let dropped = ConstCounter::new(self.0.get());
        dropped.encode(encoder.encode_descriptor(
            "tidings_log_lines_dropped",
            "Lines of the log that standard error did not take in time, or at all",
            None,
            MetricType::Counter,
        )?)
    }
}

/// The label of an exceeded limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabel {
    limit: &'static str,
}

impl Metrics {
    pub(crate) fn new(
        engine: &Tidings,
        log_dropped: &DroppedLines,
        routes: Vec<CountedRoute>,
    ) -> Self {
        let mut registry = Registry::default();
        engine.register_metrics(&mut registry);
        registry.register_collector(Box::new(LogLines(log_dropped.clone())));
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
            "Connections beyond a limit, on which only health checks and metrics were served",
        );
        let failed_handshakes = counter(
            "tidings_tls_handshakes_failed",
            "TLS handshakes that failed or took too long",
        );
        let refused_by_limit = Family::<LimitLabel, Counter>::default();
        // Every series exists from the start, so that a rate includes the first rejection.
        for limit in LIMITS {
            refused_by_limit.get_or_create_owned(&LimitLabel { limit });
        }
        let foreign = Family::<ForeignLabel, Counter>::default();
        for reason in Foreign::ALL.map(Foreign::as_str) {
            foreign.get_or_create_owned(&ForeignLabel { reason });
        }
        registry.register(
            "tidings_requests_refused_as_foreign",
            "Requests rejected because they name another host or come from another web page",
            foreign.clone(),
        );
        let connections = Gauge::default();
        registry.register(
            "tidings_connections_open",
            "Connections now, those of the listener for metrics included",
            connections.clone(),
        );
        let build = Family::<BuildLabel, Gauge>::default();
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create_owned(&BuildLabel { version }).set(1);
        registry.register("tidings_build_info", "The version of the server", build);
        let requests = Arc::new(Requests::new(routes));
        registry.register_collector(Box::new(Arc::clone(&requests)));
        registry.register_collector(Box::new(Process));
        registry.register(
            "tidings_requests_refused_by_limit",
            "Requests rejected because they were beyond a limit, by the limit",
            refused_by_limit.clone(),
        );
        Self {
            registry,
            closed_for_stall,
            refused_by_limit,
            beyond_limit,
            failed_handshakes,
            foreign,
            connections,
            requests,
        }
    }

    /// Counts a connection until the returned guard is dropped.
    pub(crate) fn connection(&self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    /// Counts a request for another host or from a page of another origin.
    pub(crate) fn count_foreign(&self, what: Foreign) {
        let reason = what.as_str();
        self.foreign.get_or_create(&ForeignLabel { reason }).inc();
    }

    /// Counts a request that exceeds a limit.
    pub(crate) fn count_rejection(&self, limit: LimitError) {
        let [
            publishes,
            own_publishes,
            requests,
            of_owner,
            to_address,
            uploads,
            changes,
            responses,
            queries,
            uri,
        ] = LIMITS;
        let limit = match limit {
            LimitError::Publishes { reach, .. } => match reach {
                Reach::Themselves => own_publishes,
                Reach::Everyone => publishes,
            },
            LimitError::Requests { .. } => requests,
            LimitError::StreamsOfOwner { .. } => of_owner,
            LimitError::StreamsToAddress { .. } => to_address,
            LimitError::Uploads { .. } => uploads,
            LimitError::Changes { .. } => changes,
            LimitError::Responses { .. } => responses,
            LimitError::Queries { .. } => queries,
            LimitError::Uri { .. } => uri,
        };
        let label = LimitLabel { limit };
        self.refused_by_limit.get_or_create(&label).inc();
    }

    /// Counts a connection that was closed because its client stalled.
    pub(crate) fn count_stalled(&self) {
        self.closed_for_stall.inc();
    }

    /// Counts a connection beyond a limit.
    pub(crate) fn count_beyond_limit(&self) {
        self.beyond_limit.inc();
    }

    /// Counts a TLS handshake that failed.
    #[cfg(feature = "tls")]
    pub(crate) fn count_failed_handshake(&self) {
        self.failed_handshakes.inc();
    }

    /// Counts a broken connection as stalled if the cause is a time-out.
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
