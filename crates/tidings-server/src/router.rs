//! The routes, with the layers in front of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderName, Method};
use axum::routing::any;
use tidings::Tidings;
use tower::Layer as _;
use tower::util::{Either, option_layer};
use tower_http::cors::{AllowOrigin, Cors, CorsLayer};

use crate::config::Config;
use crate::error::{method_not_allowed, route_not_found};
use crate::gate::{Gate, GateLayer};
use crate::identity::Origin;
use crate::metrics::CountedRoute;
#[cfg(feature = "openapi")]
use crate::openapi;
use crate::operations;
use crate::paths::COLLECTIONS;
use crate::request_id::X_REQUEST_ID;
use crate::state::{AppState, Surface};

/// The published client of Meshery's schemas sends it with every request. It is ignored.
const X_CURRENT_ORGID: HeaderName = HeaderName::from_static("x-current-orgid");

/// How long a browser caches a preflight response.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

/// The API under `/api/system/events` and `/api/events`, to mount in an app of your own with
/// [`Router::merge`] or [`Router::nest`].
///
/// It brings its own authentication, request ids and error bodies, and leaves every other path to the
/// app: it has no fallback, no page and no health checks. Like the server, without authentication it serves
/// only requests that name this machine as their `Host`.
///
/// Settings of listeners and connections in `config` have no effect. When your app shuts down, call
/// [`Tidings::end_subscriptions`], or a graceful shutdown waits for the streams. Close the engine when
/// your own work has ended.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = tidings::Tidings::open(tidings::Config::new("data")).await?;
/// let config = tidings_server::Config::default();
/// let app = axum::Router::new().merge(tidings_server::router(engine.clone(), &config));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// axum::serve(listener, app).await?;
/// # Ok(())
/// # }
/// ```
pub fn router(engine: Tidings, config: &Config) -> Router {
    let state = state(engine, config);
    let mut routes = api().layer(GateLayer::new(Arc::clone(&state)));
    if let Some(cors) = cors(&state) {
        routes = routes.layer(cors);
    }
    // A fallback with these layers would also catch the app's own unknown paths.
    routes.reset_fallback().with_state(state)
}

/// The state of the handlers.
pub(crate) fn state(engine: Tidings, config: &Config) -> Arc<AppState> {
    let surface = Surface {
        routes: counted_routes(),
        #[cfg(feature = "openapi")]
        document: openapi::served,
    };
    Arc::new(AppState::new(engine, config, surface))
}

/// The routes of all operations, each with its documented statuses.
#[cfg(feature = "metrics")]
fn counted_routes() -> Vec<CountedRoute> {
    let counted = |operation: operations::ApiOperation| CountedRoute {
        method: operation.method.clone(),
        paths: operation.paths().map(str::to_owned).collect(),
        // Without the documentation a series is shown from its first request.
        #[cfg(not(feature = "openapi"))]
        statuses: Vec::new(),
        #[cfg(feature = "openapi")]
        statuses: openapi::documented_statuses(&operation),
    };
    operations::all().into_iter().map(counted).collect()
}

#[cfg(not(feature = "metrics"))]
const fn counted_routes() -> Vec<CountedRoute> {
    Vec::new()
}

/// The routes of the whole server, behind the gate. The gate wraps the router and not each of its routes,
/// which would cost every request another box and copy.
pub(crate) type Routes = Either<Cors<Gate<Router>>, Gate<Router>>;

/// The whole server: the API, the page, the health checks, and a 404 for every other path.
pub(crate) fn standalone(state: &Arc<AppState>) -> Routes {
    let mut routes = api();
    for operation in operations::server() {
        routes = operation.mount(routes);
    }
    let routes = routes
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(route_not_found);
    let gate = GateLayer::new(Arc::clone(state));
    let routes = gate.layer(routes.with_state(Arc::clone(state)));
    option_layer(cors(state)).layer(routes)
}

fn api() -> Router<Arc<AppState>> {
    let mut routes = Router::new();
    for operation in operations::api() {
        routes = operation.mount(routes);
    }
    // A deeper path is not the id of an event.
    for collection in COLLECTIONS {
        routes = routes.route(
            &format!("{collection}/{{id}}/{{*rest}}"),
            any(route_not_found),
        );
    }
    routes.method_not_allowed_fallback(method_not_allowed)
}

/// Before a page of another origin sends a token, its browser sends a preflight request, and it shows the
/// page only responses that allow this. The layer is before the gate, since a preflight has no token.
fn cors(state: &AppState) -> Option<CorsLayer> {
    let origins = &state.authenticator.pages.allowed;
    if origins.is_empty() {
        return None;
    }
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().map(Origin::to_header)))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            CACHE_CONTROL,
            HeaderName::from_static("last-event-id"),
            X_REQUEST_ID,
            X_CURRENT_ORGID,
        ])
        .expose_headers([LOCATION, RETRY_AFTER, WWW_AUTHENTICATE, X_REQUEST_ID])
        .max_age(PREFLIGHT_AGE);
    Some(cors)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::response::Response;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tempfile::TempDir;
    use tower::{Service, ServiceExt as _};

    use super::*;

    async fn response<R>(routes: &R, path: &str) -> Response
    where
        R: Service<Request, Response = Response, Error = Infallible> + Clone,
    {
        let request = Request::get(path).header("host", "localhost");
        let request = request.body(Body::empty()).unwrap();
        let Ok(response) = routes.clone().oneshot(request).await;
        response
    }

    async fn text(response: Response) -> String {
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.into()).unwrap()
    }

    async fn state(data_dir: &TempDir) -> Arc<AppState> {
        let engine = Tidings::open(tidings::Config::new(data_dir.path())).await;
        super::state(engine.unwrap(), &Config::default())
    }

    #[tokio::test]
    async fn hides_the_message_of_a_panic() {
        async fn broken() -> StatusCode {
            panic!("a secret")
        }
        let data_dir = TempDir::new().unwrap();
        let gate = GateLayer::new(state(&data_dir).await);
        let routes = gate.layer(Router::new().route("/", get(broken)));
        let response = response(&routes, "/").await;
        assert_eq!(response.status(), 500);
        assert!(response.headers().contains_key("x-request-id"));
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let text = text(response).await;
        assert!(text.contains("\"code\":\"internal\""), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn every_response_to_head_has_no_body() {
        async fn broken() -> StatusCode {
            panic!("a fault")
        }
        let data_dir = TempDir::new().unwrap();
        let gate = GateLayer::new(state(&data_dir).await);
        let routes = gate.layer(Router::new().route("/broken", get(broken)));
        for (host, status) in [("localhost", 500), ("example.org", 403)] {
            let request = Request::head("/broken").header("host", host);
            let request = request.body(Body::empty()).unwrap();
            let Ok(response) = routes.clone().oneshot(request).await;
            assert_eq!(
                (response.status().as_u16(), text(response).await),
                (status, String::new())
            );
        }
    }

    #[tokio::test]
    async fn a_draining_server_is_alive_but_not_ready() {
        let data_dir = TempDir::new().unwrap();
        let state = state(&data_dir).await;
        let router = standalone(&state);
        assert_eq!(response(&router, "/readyz").await.status(), 200);
        state.drain.begin();
        assert_eq!(response(&router, "/healthz").await.status(), 200);
        let unready = response(&router, "/readyz").await;
        assert_eq!(unready.status(), 503);
        assert!(text(unready).await.contains("shutting_down"));
        let stream = response(&router, "/api/system/events/subscribe").await;
        assert_eq!(stream.status(), 200);
        let only = text(stream).await;
        assert!(only.starts_with("retry: "), "{only}");
        assert_eq!(only.lines().count(), 1, "no message ends: {only:?}");
    }
}
