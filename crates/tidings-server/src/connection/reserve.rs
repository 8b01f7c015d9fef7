//! Connections beyond the limit: they get health checks and metrics, and a rejection of everything else.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, EXPECT, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Request};
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::admission::Full;
use crate::paths::PROBES;

/// The time for a handshake, and for the head of a request.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(2);

/// The time for the whole connection.
pub(super) const WHOLE_TIME: Duration = Duration::from_secs(10);

/// The bytes of a rejected body that are read, and the time for them. A client whose connection is closed while
/// it sends might not see the response.
const DISCARD_BYTES: usize = 64 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(1);

/// Whether a request is served regardless of the number of connections.
pub(super) fn serves(request: &Request<Incoming>) -> bool {
    let path = request.uri().path();
    PROBES.contains(&path.strip_suffix('/').unwrap_or(path))
}

/// The response to every other request.
pub(super) async fn reject(request: Request<Incoming>, why: Full) -> Response {
    if !request.headers().contains_key(EXPECT) {
        let body = Limited::new(request.into_body(), DISCARD_BYTES);
        // The response follows in any case.
        let _ = timeout(DISCARD_TIME, body.collect()).await;
    }
    let mut response = why.problem().into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
