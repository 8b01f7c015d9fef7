//! What the handlers share.

use std::time::Duration;

use tidings::Tidings;

use crate::body::BodyBudget;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::shutdown::Drain;

/// The shortest silence: a shorter one would make an idle stream a busy one.
const MIN_KEEPALIVE: Duration = Duration::from_secs(1);

/// The collaborators of every handler. Handlers get it behind an `Arc`.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) engine: Tidings,
    pub(crate) drain: Drain,
    pub(crate) bodies: BodyBudget,
    pub(crate) metrics: Metrics,
    /// The silence after which a stream says that it is alive.
    pub(crate) keepalive: Duration,
    /// Within which time of the drain's begin the streams end.
    pub(crate) drain_spread: Duration,
}

impl AppState {
    pub(crate) fn new(engine: Tidings, config: &Config) -> Self {
        Self {
            metrics: Metrics::new(&engine),
            engine,
            drain: Drain::default(),
            bodies: BodyBudget::default(),
            keepalive: config.keepalive.max(MIN_KEEPALIVE),
            // Every stream has said goodbye well before the grace time cuts it off.
            drain_spread: config.drain_spread.min(config.drain_grace / 2),
        }
    }
}
