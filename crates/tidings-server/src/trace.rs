//! What is logged about every request.

use std::time::Duration;

use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderName, HeaderValue, Response};
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::request_id::{MakeRequestId, RequestId};
use tower_http::trace::{OnResponse, TraceLayer};
use tracing::Span;
use uuid::Uuid;

/// Names a request in answers and logs.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id taken over from a client: room for a UUID or a trace id with a prefix.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// Forgets a client's request id that does not belong in a log, so that a fresh one takes its place.
pub(crate) fn drop_unfit_request_id(mut request: Request) -> Request {
    let headers = request.headers_mut();
    let fit = headers.get(X_REQUEST_ID).is_some_and(|id| {
        (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
            && id.as_bytes().is_ascii()
            && id.to_str().is_ok()
    });
    if !fit {
        headers.remove(X_REQUEST_ID);
    }
    request
}

/// Mints the ids of requests whose client has not named them. They are UUIDs to tell requests apart,
/// no secrets: random bytes of the system would cost a call into it for every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MintRequestId;

impl MakeRequestId for MintRequestId {
    fn make_request_id<B>(&mut self, _request: &axum::http::Request<B>) -> Option<RequestId> {
        let id = uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid();
        let mut text = Uuid::encode_buffer();
        let text: &str = id.hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(text).ok().map(RequestId::new)
    }
}

type MakeSpan = fn(&Request) -> Span;

/// A span around every request and a line at its end. Failures are logged where they are answered.
pub(crate) fn layer()
-> TraceLayer<SharedClassifier<ServerErrorsAsFailures>, MakeSpan, (), LogResponse, (), (), ()> {
    TraceLayer::new_for_http()
        .make_span_with(span as MakeSpan)
        .on_request(())
        .on_response(LogResponse)
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

/// The query is left out: its values are the user's business.
fn span(request: &Request) -> Span {
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>();
    let path = match extensions.get::<OriginalUri>() {
        Some(OriginalUri(uri)) => uri.path(),
        None => request.uri().path(),
    };
    tracing::info_span!(
        "request",
        method = %request.method(),
        path,
        id = id.and_then(|id| id.header_value().to_str().ok()),
    )
}

/// Logs how a request was answered; a stream counts as answered when it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogResponse;

impl<B> OnResponse<B> for LogResponse {
    fn on_response(self, response: &Response<B>, latency: Duration, _span: &Span) {
        tracing::debug!(
            status = response.status().as_u16(),
            latency_us = latency.as_micros(),
            "answered"
        );
    }
}
