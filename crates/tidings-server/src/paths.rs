//! Paths that several parts of the server know.

/// The collections of events: the second is the alias that newer generated clients use.
pub(crate) const COLLECTIONS: [&str; 2] = ["/api/system/events", "/api/events"];

/// Health checks and metrics: served without authentication on the listener for metrics, and on connections
/// beyond the limit.
pub(crate) const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The same path with a trailing slash, if that is served too. Many clients and probes send one.
pub(crate) fn with_slash(path: &str) -> Option<String> {
    let is_served = COLLECTIONS.contains(&path) || PROBES.contains(&path);
    is_served.then(|| format!("{path}/"))
}
