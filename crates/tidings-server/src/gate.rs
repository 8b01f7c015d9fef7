//! The layer around all routes. It assigns request ids, rejects foreign requests, catches panics, counts
//! requests, and logs them.
//!
//! One layer instead of five: every request pays for the boxes and clones between layers.

mod visit;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tower::{Layer, Service};
use tracing::Instrument as _;

use crate::error::{ApiError, RouteError};
use crate::identity;
use crate::limits::delay_rejected_request;
use crate::panics;
use crate::state::AppState;

use visit::Visit;

/// Puts the gate in front of routes.
#[derive(Clone, Debug)]
pub(crate) struct GateLayer {
    state: Arc<AppState>,
    is_open: bool,
}

impl GateLayer {
    pub(crate) const fn new(state: Arc<AppState>) -> Self {
        let is_open = false;
        Self { state, is_open }
    }

    /// A gate that admits every request, under any host name.
    #[cfg(feature = "metrics")]
    pub(crate) const fn open(state: Arc<AppState>) -> Self {
        let is_open = true;
        Self { state, is_open }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, routes: S) -> Gate<S> {
        Gate {
            routes,
            state: Arc::clone(&self.state),
            is_open: self.is_open,
        }
    }
}

/// Routes behind the gate.
#[derive(Clone, Debug)]
pub(crate) struct Gate<S> {
    routes: S,
    state: Arc<AppState>,
    is_open: bool,
}

impl<S> Service<Request> for Gate<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.routes.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let mut visit = Visit::begin(&request, &self.state);
        let stopped = if self.is_open {
            None
        } else {
            stop(&mut request, &self.state)
        };
        // The prefix of a public address has been removed from the path.
        visit.series = visit.series_of(&request);
        let response = match stopped {
            None => Ok(self.routes.call(request)),
            Some(response) => Err(response),
        };
        let span = visit.span();
        let state = Arc::clone(&self.state);
        let passage = async move {
            let response = match response {
                Ok(routed) => AssertUnwindSafe(routed).catch_unwind().await,
                Err(response) => Ok(Ok(response)),
            };
            let response = response.unwrap_or_else(|panic| {
                let failed = ApiError::from(RouteError::Panicked(panics::message(panic)));
                Ok(failed.into_response())
            });
            let Ok(mut response) = response;
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                // Boxed, it takes no room in every request.
                Box::pin(delay_rejected_request(&state.drain)).await;
            }
            visit.end(&mut response);
            Ok(response)
        };
        // A disabled span would still cost time in every poll.
        if span.is_disabled() {
            Box::pin(passage)
        } else {
            Box::pin(passage.instrument(span))
        }
    }
}

/// Removes the prefix of a public URL from the path. Returns the response if the request is rejected.
fn stop(request: &mut Request, state: &AppState) -> Option<Response> {
    // `OPTIONS *` is about the server as a whole (RFC 9110 §9.3.7). Load balancers use it as a health
    // check.
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        return Some(StatusCode::NO_CONTENT.into_response());
    }
    if let identity::PathTarget::Slash(location) = state.authenticator.pages.enter(request) {
        return Some((StatusCode::PERMANENT_REDIRECT, [(LOCATION, location)]).into_response());
    }
    let rejected = state.authenticator.guard(request).err();
    rejected.map(|foreign| ApiError::from(foreign).into_response())
}

/// The error with the message of a panic.
#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::sync::Mutex;

    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use tempfile::TempDir;
    use tidings::Tidings;
    use tower::ServiceExt as _;
    use tracing::field::{Field, Visit as Record};
    use tracing::{Event, Level, Subscriber};
    use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt as _};

    use super::*;
    use crate::config::Config;
    use crate::limits::LimitError;
    use crate::repeats::REPORT_EVERY;
    use crate::state::Surface;
    use crate::store_failure::StoreFailure;

    /// Collects the log lines of warnings and errors.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> tracing_subscriber::Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
            struct Text(String);
            impl Record for Text {
                fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                    self.0 += &format!("{field}={value:?} ");
                }
            }
            if *event.metadata().level() <= Level::WARN {
                let mut text = Text(String::new());
                event.record(&mut text);
                self.0.lock().unwrap().push(text.0);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn delays_requests_beyond_a_limit() {
        async fn limited() -> ApiError {
            LimitError::Queries { limit: 1 }.into()
        }
        async fn failing() -> ApiError {
            StoreFailure::Timeout.into()
        }
        let data_dir = TempDir::new().unwrap();
        let engine = Tidings::open(tidings::Config::new(data_dir.path())).await;
        let state = Arc::new(AppState::new(
            engine.unwrap(),
            &Config::default(),
            Surface::empty(),
        ));
        let routes = Router::new()
            .route("/limited", get(limited))
            .route("/failing", get(failing));
        let routes = GateLayer::new(Arc::clone(&state)).layer(routes);
        for (path, status, delay) in [("/limited", 429, 75..=126), ("/failing", 503, 0..=0)] {
            let request = Request::get(path).header("host", "localhost");
            let request = request.body(Body::empty()).unwrap();
            let begun = tokio::time::Instant::now();
            let Ok(response) = routes.clone().oneshot(request).await;
            assert_eq!(response.status(), status);
            let delayed = begun.elapsed().as_millis();
            assert!(delay.contains(&delayed), "{path}: {delayed} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn logs_repeated_failures_and_rejections_once() {
        async fn failing() -> ApiError {
            StoreFailure::Timeout.into()
        }
        let data_dir = TempDir::new().unwrap();
        let engine = Tidings::open(tidings::Config::new(data_dir.path())).await;
        let state = Arc::new(AppState::new(
            engine.unwrap(),
            &Config::default(),
            Surface::empty(),
        ));
        let kept = Kept::default();
        let log = tracing_subscriber::registry().with(kept.clone());
        let _log = tracing::subscriber::set_default(log);
        let gate = GateLayer::new(Arc::clone(&state));
        let routes = gate.layer(Router::new().route("/failing", get(failing)));
        for number in 0..300 {
            let host = ["localhost", "evil.example"][number % 2];
            let request = Request::get("/failing").header("host", host);
            let request = request.body(Body::empty()).unwrap();
            let Ok(response) = routes.clone().oneshot(request).await;
            assert_eq!(response.status(), [503, 403][number % 2]);
        }
        let lines = |part: &str| {
            let kept = kept.0.lock().unwrap();
            kept.iter().filter(|line| line.contains(part)).count()
        };
        assert_eq!(lines("could not serve a request"), 1);
        assert_eq!(lines("rejected a request as foreign"), 1);
        assert_eq!(lines("evil.example"), 1);
        tokio::time::sleep(REPORT_EVERY + std::time::Duration::from_millis(1)).await;
        assert_eq!(lines("requests=149"), 2);
        assert_eq!(lines("could not serve further requests"), 1);
        assert_eq!(lines("rejected further requests as foreign"), 1);
    }
}
