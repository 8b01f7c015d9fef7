//! The program's parts and routes.

use std::sync::Arc;

use axum::routing::post;
use axum::{Router, middleware};
use tidings::Tidings;
use tidings_server::local_only;
use tokio_util::task::TaskTracker;

use crate::cluster::Connections;
use crate::ping::ping_connection;

/// State that the handlers share.
#[derive(Debug)]
pub struct App {
    pub(crate) tidings: Tidings,
    pub(crate) connections: Connections,
    /// The pings under way. They outlive the requests that started them.
    pub(crate) pings: TaskTracker,
}

impl App {
    /// State without pings under way.
    pub fn new(tidings: Tidings, connections: Connections) -> Self {
        Self {
            tidings,
            connections,
            pings: TaskTracker::new(),
        }
    }
}

/// The app's own route and those of Tidings.
pub(crate) fn router(app: Arc<App>) -> Router {
    let events = tidings_server::router(app.tidings.clone(), &tidings_server::Config::default());
    Router::new()
        // A POST, since each call publishes an event: browsers, proxies and crawlers may repeat, prefetch
        // or cache a GET.
        .route("/api/connections/{id}/ping", post(ping_connection))
        .layer(middleware::from_fn(local_only))
        .with_state(app)
        .merge(events)
}
