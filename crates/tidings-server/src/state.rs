//! What the handlers share.

use std::time::Duration;

use axum::extract::Request;
use tidings::Tidings;

use crate::body::{BodyBudget, ReadBody};
use crate::config::Config;
use crate::error::ApiError;
use crate::log_level::LogLevel;
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
    /// The level of the program's log, if it lets the server at it.
    pub(crate) log_level: Option<LogLevel>,
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
            log_level: config.log_level.clone(),
        }
    }

    /// Reads the body of a request that asks for a change; it may be as large as a batch.
    pub(crate) async fn read_change(&self, request: Request) -> Result<ReadBody, ApiError> {
        let (head, body) = request.into_parts();
        let limit = self.engine.limits().batch_bytes;
        self.bodies.read_json(&head.headers, body, limit).await
    }

    /// Reads the body of a request that says which events are to be changed.
    pub(crate) async fn read_choice(&self, request: Request) -> Result<ReadBody, ApiError> {
        let body = self.read_change(request).await;
        body.map_err(|error| match error {
            ApiError::BodyTooLarge { limit } => ApiError::ChangeTooLarge { limit },
            other => other,
        })
    }
}
