//! One request on its way through the gate: it is counted, logged, and its response completed.

use std::sync::Arc;
use std::time::Instant;

use axum::body::HttpBody as _;
use axum::extract::{OriginalUri, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, Entry, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::Response;
use tracing::Span;

use crate::identity::{Foreign, Rejected};
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

/// The data of a request that its response needs. It holds no part of the request's head: hyper reads the
/// next request into the same buffer once the head is dropped, and would otherwise allocate a new buffer
/// for every request.
pub(super) struct Visit {
    id: HeaderValue,
    method: Method,
    path: Box<str>,
    begun: Instant,
    pub(super) series: SeriesIndex,
    in_flight: InFlight,
}

/// A request in flight, until it is answered or its client disconnects.
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
    pub(super) fn begin(request: &Request, state: &Arc<AppState>) -> Self {
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
    pub(super) fn span(&self) -> Span {
        tracing::debug_span!(
            "request",
            method = %self.method,
            path = &*self.path,
            id = self.id(),
        )
    }

    pub(super) fn series_of(&self, request: &Request) -> SeriesIndex {
        let requests = &self.in_flight.state.metrics.requests;
        requests.series_of(request.method(), request.uri().path())
    }

    fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// Counts and logs the response, and completes its headers. A stream counts as answered when it
    /// starts.
    pub(super) fn end(self, response: &mut Response) {
        let latency = self.begun.elapsed();
        let state = &self.in_flight.state;
        let requests = &state.metrics.requests;
        requests.count(self.series, response.status(), latency);
        let status = response.status().as_u16();
        if let Some(Failure { cause }) = response.extensions_mut().remove() {
            self.log_failure(status, cause.as_deref());
        }
        if let Some(rejected) = response.extensions_mut().remove() {
            self.log_foreign(&rejected);
        }
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(status, latency_us, "answered");
        // A response to HEAD has no body (RFC 9110 §9.3.2). axum removes the bodies of the routes, and
        // hyper those of HTTP/1.1, but not those of rejections and panics in HTTP/2.
        if self.method == Method::HEAD {
            let body = std::mem::take(response.body_mut());
            if let (Some(bytes @ 1..), Entry::Vacant(unsaid)) = (
                body.size_hint().exact(),
                response.headers_mut().entry(CONTENT_LENGTH),
            ) {
                unsaid.insert(bytes.into());
            }
        }
        let is_rejected = !response.status().is_success();
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, self.id);
        headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        // Other pages can send only safe requests without a preflight. One header less keeps the map of
        // a publish response from growing.
        if self.method.is_safe() || is_rejected {
            headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, SAME_ORIGIN);
        }
        // Responses of the API are private and change at any time.
        if let Entry::Vacant(unsaid) = headers.entry(CACHE_CONTROL) {
            unsaid.insert(NO_STORE);
        }
    }

    /// Logs a request that the server failed to serve. Repeats with the same cause are only counted,
    /// since on a full disk every publish request fails.
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

    /// Logs a request for another host or from a page of another origin. Often a proxy or a page is
    /// misconfigured.
    fn log_foreign(&self, rejected: &Rejected) {
        let state = &self.in_flight.state;
        let Rejected { what, name } = rejected;
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
                    "rejected further requests as foreign"
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
                "rejected a request as foreign"
            );
        }
    }
}
