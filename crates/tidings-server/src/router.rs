//! The routes and what every request passes on its way to them.

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::from_fn;
use axum::routing::{any, delete, get, post, put};
use tidings::Tidings;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::config::Config;
use crate::error::{self, method_not_allowed, route_not_found};
use crate::routes::config::{get_config, set_config};
use crate::routes::events::create::create_events;
use crate::routes::events::delete::{delete_event, delete_events, delete_events_with_answer};
use crate::routes::events::get::get_event;
use crate::routes::events::list::list_events;
use crate::routes::events::status::{
    mark_event, mark_event_with_answer, mark_events, mark_events_with_answer,
};
use crate::routes::events::summary::summarize_events;
use crate::routes::events::types::list_event_types;
use crate::routes::health::{healthz, readyz};
use crate::routes::metrics::metrics;
use crate::routes::page::page;
use crate::routes::subscribe::subscribe;
use crate::state::AppState;
use crate::{identity, trace};

/// The API under `/api/system/events`, to mount in an app of your own with
/// [`Router::merge`] or [`Router::nest`].
///
/// It brings its own identity, request ids and error bodies, and leaves every other path to the app:
/// it has no fallback, no page and no health checks. Like the server it answers only requests that
/// name this machine as their `Host`.
///
/// Of `config` only what concerns streams counts. When your app shuts down, call
/// [`Tidings::end_subscriptions`], or a graceful shutdown would wait for the streams; close the engine
/// when your own work has ended.
pub fn router(engine: Tidings, config: &Config) -> Router {
    let state = Arc::new(AppState::new(engine, config));
    // A fallback with our layers would take over the app's own unknown paths.
    layered(api()).reset_fallback().with_state(state)
}

/// The whole server: the API, the page, the health checks, and an answer to every other path.
pub(crate) fn standalone(state: Arc<AppState>) -> Router {
    let routes = api()
        .route("/", get(page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(route_not_found);
    layered(routes).with_state(state)
}

fn api() -> Router<Arc<AppState>> {
    let list = get(list_events).post(create_events);
    Router::new()
        .route("/api/system/events", list.clone())
        .route("/api/system/events/", list.clone())
        .route("/api/system/events/types", get(list_event_types))
        .route("/api/system/events/summary", get(summarize_events))
        .route("/api/system/events/config", get(get_config).put(set_config))
        .route("/api/system/events/subscribe", get(subscribe))
        .route("/api/system/events/bulk", delete(delete_events))
        .route("/api/system/events/status/bulk", put(mark_events))
        .route("/api/system/events/status/{id}", put(mark_event))
        .route(
            "/api/system/events/{id}",
            get(get_event).delete(delete_event),
        )
        .route("/api/system/events/{id}/{*rest}", any(route_not_found))
        .route(
            "/api/events",
            list.clone().delete(delete_events_with_answer),
        )
        .route("/api/events/", list.delete(delete_events_with_answer))
        .route("/api/events/list", get(list_events))
        .route("/api/events/types", get(list_event_types))
        .route("/api/events/summary", get(summarize_events))
        .route("/api/events/subscribe", get(subscribe))
        .route("/api/events/delete", post(delete_events_with_answer))
        .route("/api/events/status", put(mark_events_with_answer))
        .route("/api/events/{id}", get(get_event).delete(delete_event))
        .route("/api/events/{id}/status", put(mark_event_with_answer))
        .route("/api/events/{id}/{*rest}", any(route_not_found))
        .method_not_allowed_fallback(method_not_allowed)
}

/// The outermost layer comes first.
fn layered<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes.layer((
        MapRequestLayer::new(trace::drop_unfit_request_id),
        SetRequestIdLayer::x_request_id(MakeRequestUuid),
        trace::layer(),
        PropagateRequestIdLayer::x_request_id(),
        SetResponseHeaderLayer::overriding(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        SetResponseHeaderLayer::overriding(
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        // What the API answers is the user's and changes at any time.
        SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")),
        CatchPanicLayer::custom(error::panicked),
        from_fn(identity::guard),
    ))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::response::Response;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn answer(router: &Router, path: &str) -> Response {
        let request = Request::get(path).header("host", "localhost");
        let request = request.body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    }

    async fn text(answer: Response) -> String {
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.into()).unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_answered_like_every_failure_and_tells_nothing() {
        async fn broken() -> StatusCode {
            panic!("a secret")
        }
        let answer = answer(&layered(Router::new().route("/", get(broken))), "/").await;
        assert_eq!(answer.status(), 500);
        assert!(answer.headers().contains_key("x-request-id"));
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let text = text(answer).await;
        assert!(text.contains("\"code\":\"internal\""), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn a_server_that_ends_is_alive_but_takes_no_work() {
        let data_dir = tempfile::tempdir().unwrap();
        let engine = Tidings::open(tidings::Config::new(data_dir.path())).await;
        let state = Arc::new(AppState::new(engine.unwrap(), &Config::default()));
        let router = standalone(Arc::clone(&state));
        assert_eq!(answer(&router, "/readyz").await.status(), 200);
        state.drain.begin();
        assert_eq!(answer(&router, "/healthz").await.status(), 200);
        let unready = answer(&router, "/readyz").await;
        assert_eq!(unready.status(), 503);
        assert!(text(unready).await.contains("shutting_down"));
        let stream = answer(&router, "/api/system/events/subscribe").await;
        assert_eq!(stream.status(), 200);
        let only = text(stream).await;
        assert!(only.starts_with("retry: "), "{only}");
        assert_eq!(only.matches("\n\n").count(), 1, "{only}");
    }
}
