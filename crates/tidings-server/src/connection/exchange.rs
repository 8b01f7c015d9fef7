//! The request that an HTTP/1 connection serves. There is one at a time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Method, Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Bytes;

/// The state of a connection's request. The connection and the wrappers of its socket share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchange(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    is_under_way: AtomicBool,
    owes_short_response: AtomicBool,
    is_for_stream: AtomicBool,
    is_flushed: AtomicBool,
}

impl Exchange {
    /// Records that the head of a request is complete.
    pub(super) fn begin<B>(&self, request: &Request<B>) {
        let path = request.uri().path();
        let path = path.strip_suffix('/').unwrap_or(path);
        let is_for_stream = path.ends_with("/subscribe");
        let is_short = match *request.method() {
            Method::PUT | Method::DELETE => false,
            _ => !is_for_stream && !path.ends_with("/delete"),
        };
        self.0.is_for_stream.store(is_for_stream, Ordering::Relaxed);
        self.0.is_under_way.store(true, Ordering::Relaxed);
        self.0
            .owes_short_response
            .store(is_short, Ordering::Relaxed);
    }

    /// Whether the request is for a stream.
    pub(super) fn is_for_stream(&self) -> bool {
        self.0.is_for_stream.load(Ordering::Relaxed)
    }

    /// Records whether everything that the library has given to the socket is written.
    pub(super) fn set_flushed(&self, is_flushed: bool) {
        self.0.is_flushed.store(is_flushed, Ordering::Relaxed);
    }

    /// Whether the library's last write was complete. It flushes at the end of each of its steps, and only
    /// if it has no more to write.
    pub(super) fn is_flushed(&self) -> bool {
        self.0.is_flushed.load(Ordering::Relaxed)
    }

    /// The response. The request is under way until it has been sent or given up.
    pub(super) fn track(&self, response: Response<Body>) -> Response<TrackedBody> {
        response.map(|body| TrackedBody {
            body,
            exchange: self.clone(),
        })
    }

    /// Whether a request is being served. Otherwise the client sends the next head.
    pub(super) fn is_under_way(&self) -> bool {
        self.0.is_under_way.load(Ordering::Relaxed)
    }

    /// Whether the client waits for a short response, and not for a stream or a bulk change.
    pub(super) fn owes_short_response(&self) -> bool {
        self.0.owes_short_response.load(Ordering::Relaxed)
    }
}

/// The body of a response.
#[derive(Debug)]
pub(super) struct TrackedBody {
    body: Body,
    exchange: Exchange,
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        let Exchange(flags) = &self.exchange;
        flags.is_under_way.store(false, Ordering::Relaxed);
        flags.owes_short_response.store(false, Ordering::Relaxed);
    }
}

impl hyper::body::Body for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
