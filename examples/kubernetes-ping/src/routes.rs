//! The program's routes.

use std::sync::Arc;

use axum::routing::post;
use axum::{Router, middleware};
use tidings_server::local_only;

use crate::app::App;
use crate::ping::ping_connection;

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
