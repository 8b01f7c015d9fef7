//! The program's parts and routes.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use tidings::Tidings;

use crate::cluster::Connections;
use crate::ping::ping_connection;

/// What the handlers share.
#[derive(Debug)]
pub struct App {
    pub(crate) tidings: Tidings,
    pub(crate) connections: Connections,
}

impl App {
    /// Brings the parts together.
    pub const fn new(tidings: Tidings, connections: Connections) -> Self {
        Self {
            tidings,
            connections,
        }
    }
}

/// The app's own route, and beside it those of Tidings: the list, and the live stream.
pub fn router(app: App) -> Router {
    let events = tidings_server::router(app.tidings.clone(), &tidings_server::Config::default());
    Router::new()
        // A POST: each call makes an event, so no browser, proxy or crawler may repeat it, fetch it
        // ahead of time, or answer it from a cache, all of which a GET allows.
        .route("/api/connections/{id}/ping", post(ping_connection))
        .with_state(Arc::new(app))
        .merge(events)
}
