//! What every request passes on its way in and out: it gets a name, is let in or sent away, cannot
//! bring the connection down, and leaves a line in the log.
//!
//! One layer instead of one for each: every request pays for the boxes and clones between layers.

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
use tracing::{Instrument as _, Level, Span};

use crate::error::{ApiError, Failure};
use crate::identity;
use crate::request_id::{self, X_REQUEST_ID};
use crate::state::AppState;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Puts the gate before routes.
#[derive(Clone, Debug)]
pub(crate) struct GateLayer {
    state: Arc<AppState>,
}

impl GateLayer {
    pub(crate) const fn new(state: Arc<AppState>) -> Self {
        Self { state }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, routes: S) -> Gate<S> {
        Gate {
            routes,
            state: Arc::clone(&self.state),
        }
    }
}

/// Routes behind the gate.
#[derive(Clone, Debug)]
pub(crate) struct Gate<S> {
    routes: S,
    state: Arc<AppState>,
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
        let visit = Visit::begin(&request);
        let answer = match stop(&mut request, &self.state) {
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

/// Finds the path that a request is about, and the answer if it is not let in.
fn stop(request: &mut Request, state: &AppState) -> Option<Response> {
    // About the server as a whole (RFC 9110 §9.3.7); load balancers ask it whether the server is there.
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        return Some(StatusCode::NO_CONTENT.into_response());
    }
    if let identity::Entry::Slash(location) = state.pages.enter(request) {
        return Some((StatusCode::PERMANENT_REDIRECT, [(LOCATION, location)]).into_response());
    }
    let refused = identity::guard(request, state).err();
    refused.map(ApiError::into_response)
}

/// What is remembered of a request until it is answered. Nothing of it is a part of the request's head:
/// the library reads the next request into the same buffer once nobody holds the head, and would
/// otherwise allocate another for every one.
struct Visit {
    id: HeaderValue,
    method: Method,
    path: Box<str>,
    /// `None` if nobody wants to know how long it took.
    begun: Option<Instant>,
}

impl Visit {
    fn begin(request: &Request) -> Self {
        // The routes may be mounted below a path.
        let original = request.extensions().get::<OriginalUri>();
        let uri = original.map_or_else(|| request.uri(), |OriginalUri(uri)| uri);
        Self {
            id: request_id::take_over_or_mint(request.headers()),
            method: request.method().clone(),
            path: uri.path().into(),
            begun: tracing::enabled!(Level::DEBUG).then(Instant::now),
        }
    }

    /// Says of whatever is logged meanwhile which request it belongs to. The query is left out: its
    /// values are the user's business.
    fn span(&self) -> Span {
        tracing::debug_span!(
            "request",
            method = %self.method,
            path = &*self.path,
            id = self.id(),
        )
    }

    fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// Marks the answer and logs it. A stream counts as answered when it begins.
    fn end(self, response: &mut Response) {
        let status = response.status().as_u16();
        if let Some(Failure { cause }) = response.extensions_mut().remove() {
            // Named here, since the span is only there if the log shows debug.
            tracing::error!(
                method = %self.method,
                path = &*self.path,
                id = self.id(),
                status,
                cause,
                "could not serve a request"
            );
        }
        if let Some(begun) = self.begun {
            let latency_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            tracing::debug!(status, latency_us, "answered");
        }
        // Answers of the routes have come without; ours, refusals and panics, have not, and in HTTP/2
        // nobody else leaves out what an answer to HEAD must not have (RFC 9110 §9.3.2).
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
        // Only what other pages can ask for without leave is worth keeping from them; and with one
        // header less the map of an acknowledged event need not grow.
        if self.method.is_safe() || is_refused {
            headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, SAME_ORIGIN);
        }
        // What the API answers is the user's and changes at any time.
        if let Entry::Vacant(unsaid) = headers.entry(CACHE_CONTROL) {
            unsaid.insert(NO_STORE);
        }
    }
}

/// What a handler said when it panicked.
fn panicked(panic: Box<dyn Any + Send>) -> ApiError {
    let text = match panic.downcast::<String>() {
        Ok(text) => Some(*text),
        Err(panic) => panic.downcast_ref::<&str>().map(|text| (*text).to_owned()),
    };
    ApiError::Panicked(text.unwrap_or_else(|| "a panic without a message".to_owned()))
}
