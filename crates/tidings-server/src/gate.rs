//! The layer around all routes. It assigns request ids, refuses foreign requests, catches panics, counts
//! requests, and logs them.
//!
//! One layer instead of five: every request pays for the boxes and clones between layers.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::HttpBody as _;
use axum::extract::{OriginalUri, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, Entry, LOCATION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tower::{Layer, Service};
use tracing::{Instrument as _, Span};

use crate::error::{ApiError, RouteError};
use crate::identity::{self, Foreign, Refused};
use crate::metrics::SeriesIndex;
use crate::problem::Failure;
use crate::repeats::REPORT_EVERY;
use crate::request_id::{self, X_REQUEST_ID};
use crate::state::AppState;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

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
        // By now the path is without the prefix of a public address.
        visit.series = visit.series_of(&request);
        let answer = match stopped {
            None => Ok(self.routes.call(request)),
            Some(answer) => Err(answer),
        };
        let span = visit.span();
        let passage = async move {
            let answer = match answer {
                Ok(answer) => AssertUnwindSafe(answer).catch_unwind().await,
                Err(answer) => Ok(Ok(answer)),
            };
            let answer = answer.unwrap_or_else(|panic| Ok(panicked(panic).into_response()));
            let Ok(mut response) = answer;
            visit.end(&mut response);
            Ok(response)
        };
        // Polled within a span that is not wanted, every poll would still pay for it.
        if span.is_disabled() {
            Box::pin(passage)
        } else {
            Box::pin(passage.instrument(span))
        }
    }
}

/// Removes the prefix of a public URL from the path. Returns the response if the request is refused.
fn stop(request: &mut Request, state: &AppState) -> Option<Response> {
    // About the server as a whole (RFC 9110 §9.3.7). Load balancers use it as a health check.
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        return Some(StatusCode::NO_CONTENT.into_response());
    }
    if let identity::Entry::Slash(location) = state.authenticator.pages.enter(request) {
        return Some((StatusCode::PERMANENT_REDIRECT, [(LOCATION, location)]).into_response());
    }
    let refused = state.authenticator.guard(request).err();
    refused.map(|foreign| ApiError::from(foreign).into_response())
}

/// The data of a request that its response needs. It holds no part of the request's head: hyper reads the
/// next request into the same buffer once the head is dropped, and would otherwise allocate a new buffer
/// for every request.
struct Visit {
    id: HeaderValue,
    method: Method,
    path: Box<str>,
    begun: Instant,
    series: SeriesIndex,
    in_flight: InFlight,
}

/// A request in flight, until it is answered or its client hangs up.
struct InFlight {
    state: Arc<AppState>,
}

impl InFlight {
    fn begin(state: &Arc<AppState>) -> Self {
        state.metrics.requests.begin();
        Self {
            state: Arc::clone(state),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.state.metrics.requests.end();
    }
}

impl Visit {
    fn begin(request: &Request, state: &Arc<AppState>) -> Self {
        // A program can mount the routes below a path.
        let original = request.extensions().get::<OriginalUri>();
        let uri = original.map_or_else(|| request.uri(), |OriginalUri(uri)| uri);
        Self {
            id: request_id::take_over_or_mint(request.headers()),
            method: request.method().clone(),
            path: uri.path().into(),
            begun: Instant::now(),
            series: SeriesIndex::OTHER,
            in_flight: InFlight::begin(state),
        }
    }

    /// Labels log lines with the request. The query is left out: its values are private.
    fn span(&self) -> Span {
        tracing::debug_span!(
            "request",
            method = %self.method,
            path = &*self.path,
            id = self.id(),
        )
    }

    fn series_of(&self, request: &Request) -> SeriesIndex {
        let requests = &self.in_flight.state.metrics.requests;
        requests.series_of(request.method(), request.uri().path())
    }

    fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// Counts and logs the response, and completes its headers. A stream counts as answered when it
    /// starts.
    fn end(self, response: &mut Response) {
        let latency = self.begun.elapsed();
        let state = &self.in_flight.state;
        let requests = &state.metrics.requests;
        requests.count(self.series, response.status(), latency);
        let status = response.status().as_u16();
        if let Some(Failure { cause }) = response.extensions_mut().remove() {
            self.log_failure(status, cause.as_deref());
        }
        if let Some(refused) = response.extensions_mut().remove() {
            self.log_foreign(&refused);
        }
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(status, latency_us, "answered");
        // A response to HEAD has no body (RFC 9110 §9.3.2). axum removes the bodies of the routes, and
        // hyper those of HTTP/1.1, but not those of refusals and panics in HTTP/2.
        if self.method == Method::HEAD {
            let body = std::mem::take(response.body_mut());
            if let (Some(bytes @ 1..), Entry::Vacant(unsaid)) = (
                body.size_hint().exact(),
                response.headers_mut().entry(CONTENT_LENGTH),
            ) {
                unsaid.insert(bytes.into());
            }
        }
        let is_refused = !response.status().is_success();
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, self.id);
        headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        // Other pages can send only safe requests without a preflight. One header less keeps the map of
        // a publish response from growing.
        if self.method.is_safe() || is_refused {
            headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, SAME_ORIGIN);
        }
        // Responses of the API are private and change at any time.
        if let Entry::Vacant(unsaid) = headers.entry(CACHE_CONTROL) {
            unsaid.insert(NO_STORE);
        }
    }

    /// Logs a request that failed through the server's fault. Further ones with the same cause are only
    /// counted: on a full disk every publish request fails.
    fn log_failure(&self, status: u16, cause: Option<&str>) {
        let kind = format!("{status} {}", cause.unwrap_or_default());
        let repeated = {
            let cause = cause.map(str::to_owned);
            move |requests| {
                tracing::error!(
                    requests,
                    within_s = REPORT_EVERY.as_secs(),
                    status,
                    cause,
                    "could not serve further requests for the same reason"
                );
            }
        };
        if self.in_flight.state.repeats.is_first(&kind, repeated) {
            // Repeats the span's fields: the span exists only if the log shows debug.
            tracing::error!(
                method = %self.method,
                path = &*self.path,
                id = self.id(),
                status,
                cause,
                "could not serve a request"
            );
        }
    }

    /// Logs a request that names another host or comes from another web page. Often a proxy or a page is
    /// misconfigured.
    fn log_foreign(&self, refused: &Refused) {
        let state = &self.in_flight.state;
        let Refused { what, name } = refused;
        state.metrics.count_foreign(*what);
        let kind = format!("{} {name}", what.as_str());
        let reason = what.as_str();
        let repeated = {
            let name = name.clone();
            move |requests| {
                tracing::warn!(
                    requests,
                    within_s = REPORT_EVERY.as_secs(),
                    reason,
                    name,
                    "refused further requests as foreign"
                );
            }
        };
        if state.repeats.is_first(&kind, repeated) {
            let remedy = match what {
                Foreign::Host => "use an address of this machine, or let the proxy set Host",
                Foreign::Origin => "allow the page with --allow-origin, or let the proxy keep Host",
                Foreign::Cookie => "let the page send its token in Authorization",
            };
            tracing::warn!(
                method = %self.method,
                path = &*self.path,
                id = self.id(),
                reason,
                name,
                remedy,
                "refused a request as foreign"
            );
        }
    }
}

/// The error with the message of a panic.
fn panicked(panic: Box<dyn Any + Send>) -> ApiError {
    let text = match panic.downcast::<String>() {
        Ok(text) => Some(*text),
        Err(panic) => panic.downcast_ref::<&str>().map(|text| (*text).to_owned()),
    };
    RouteError::Panicked(text.unwrap_or_else(|| "a panic without a message".to_owned())).into()
}

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
    async fn logs_repeated_failures_and_refusals_once() {
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
            let Ok(answer) = routes.clone().oneshot(request).await;
            assert_eq!(answer.status(), [503, 403][number % 2]);
        }
        let lines = |part: &str| {
            let kept = kept.0.lock().unwrap();
            kept.iter().filter(|line| line.contains(part)).count()
        };
        assert_eq!(lines("could not serve a request"), 1);
        assert_eq!(lines("refused a request as foreign"), 1);
        assert_eq!(lines("evil.example"), 1);
        tokio::time::sleep(REPORT_EVERY + std::time::Duration::from_millis(1)).await;
        assert_eq!(lines("requests=149"), 2);
        assert_eq!(lines("could not serve further requests"), 1);
        assert_eq!(lines("refused further requests as foreign"), 1);
    }
}
