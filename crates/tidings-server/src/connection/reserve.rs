//! The answers on a connection beyond the limit: health checks and metrics, and a refusal of all else.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, EXPECT, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Request};
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::admission::Full;
use crate::paths::PROBES;

/// How long a client may take for its handshake, and for the head of its request.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(2);

/// How long the whole connection may take.
pub(super) const WHOLE_TIME: Duration = Duration::from_secs(10);

/// How much of a refused body is taken in, and for how long: a client whose connection is closed
/// while it sends may not see the answer.
const DISCARD_BYTES: usize = 64 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(1);

/// Whether a request is one of those that are served however many connections there are.
pub(super) fn serves(request: &Request<Incoming>) -> bool {
    let path = request.uri().path();
    PROBES.contains(&path.strip_suffix('/').unwrap_or(path))
}

/// The answer to all others.
pub(super) async fn refuse(request: Request<Incoming>, why: Full) -> Response {
    if !request.headers().contains_key(EXPECT) {
        let body = Limited::new(request.into_body(), DISCARD_BYTES);
        // Either way the answer is sent next.
        let _ = timeout(DISCARD_TIME, body.collect()).await;
    }
    let mut answer = why.problem().into_response();
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
