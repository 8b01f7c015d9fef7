//! The program's parts and routes.

use std::sync::Arc;

use axum::routing::post;
use axum::{Router, middleware};
use tidings::Tidings;
use tokio_util::task::TaskTracker;

use crate::cluster::Connections;
use crate::guard::only_from_here;
use crate::ping::ping_connection;

/// What the handlers share.
#[derive(Debug)]
pub struct App {
    pub(crate) tidings: Tidings,
    pub(crate) connections: Connections,
    /// The pings under way. They outlive the requests that asked for them.
    pub(crate) pings: TaskTracker,
}

impl App {
    /// Brings the parts together.
    pub fn new(tidings: Tidings, connections: Connections) -> Self {
        Self {
            tidings,
            connections,
            pings: TaskTracker::new(),
        }
    }
}

/// The app's own route, and beside it those of Tidings: the list, and the live stream.
pub(crate) fn router(app: Arc<App>) -> Router {
    let events = tidings_server::router(app.tidings.clone(), &tidings_server::Config::default());
    Router::new()
        // A POST: each call makes an event, so no browser, proxy or crawler may repeat it, fetch it
        // ahead of time, or answer it from a cache, all of which a GET allows.
        .route("/api/connections/{id}/ping", post(ping_connection))
        .layer(middleware::from_fn(only_from_here))
        .with_state(app)
        .merge(events)
}
