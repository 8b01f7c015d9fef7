//! The listener for a monitoring system. It serves `/metrics` and the health checks only, without a token,
//! under any host name and on any address.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, options};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::Layer as _;
use tower::util::option_layer;
use tower_http::cors::CorsLayer;

use crate::admission::{Admission, RESERVE};
use crate::config::Config;
use crate::connection::Connections;
use crate::error::{method_not_allowed, route_not_found};
use crate::gate::GateLayer;
use crate::listener::{accept_within, log_panic};
use crate::paths::PROBES;
use crate::router::Routes;
use crate::routes::{health, metrics};
use crate::state::AppState;

/// The most connections at a time: room for a few scrapers and probes, and for clients that do not
/// close their connections. Each further connection is accepted and ends the oldest one beyond the
/// limit.
const MAX_CONNECTIONS: usize = 32;

fn routes(state: &Arc<AppState>) -> Routes {
    let mut routes = Router::new();
    for (path, handler) in PROBES.into_iter().zip([
        get(health::healthz).options(health::healthz),
        get(health::readyz).options(health::readyz),
        get(metrics::open_metrics),
    ]) {
        routes = routes
            .route(path, handler.clone())
            .route(&format!("{path}/"), handler);
    }
    // HAProxy asks with `OPTIONS /` unless it is configured otherwise.
    let root = options(health::root_options).fallback(route_not_found);
    let routes = routes
        .route("/", root)
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(route_not_found);
    let gate = GateLayer::open(Arc::clone(state));
    let routes = gate.layer(routes.with_state(Arc::clone(state)));
    option_layer(None::<CorsLayer>).layer(routes)
}

/// Accepts connections until the future is dropped, which ends them. It also serves while the rest of the
/// server shuts down, so that `/readyz` can report it.
pub(crate) async fn serve(
    listener: &TcpListener,
    state: Arc<AppState>,
    config: &Config,
) -> Infallible {
    let routes = routes(&state);
    let connections = Connections::new(routes, state, None, None, config).through_drain();
    let connections = Arc::new(connections);
    let admission = Arc::new(Admission::for_metrics(MAX_CONNECTIONS));
    let room = Arc::new(Semaphore::new(admission.most_at_all() + RESERVE));
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            Some(ended) = tasks.join_next() => log_panic(ended),
            (socket, peer, room) = accept_within(&room, listener) => {
                let occupancy = connections.occupancy(admission.admit(peer.0), room);
                let connections = Arc::clone(&connections);
                tasks.spawn(async move { connections.serve(socket, peer, occupancy).await });
            }
        }
    }
}
