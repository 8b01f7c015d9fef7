//! The handover of a stream from the HTTP library to the [reactor](crate::reactor).
//!
//! A connection offers it with each request for a stream. The handler puts the stream in and answers with a
//! body that has only the first frames. When the library has written these and waits for more, the
//! connection takes its socket back, and the stream continues without the library.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderMap, Request, Version};
use bytes::Bytes;
use http_body::Frame;

use crate::event_stream::LiveStream;

/// Takes a stream over the connection that offers it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handover(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    framing: Framing,
    stream: Option<LiveStream>,
    /// The library has taken the first frames, and waits for more.
    waits: bool,
}

/// The framing of the rest of a response, and whether the connection is kept after it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Framing {
    /// In chunks (RFC 9112 §7.1), as the library has begun it. Otherwise the response ends with the
    /// connection.
    pub(crate) chunked: bool,
    /// The client can send a next request on the connection.
    pub(crate) keep_alive: bool,
}

impl Framing {
    /// The library's choice for the response to a request, if the length of the body is not known.
    fn of<B: http_body::Body>(request: &Request<B>) -> Self {
        let chunked = request.version() == Version::HTTP_11;
        // The rest of a body that nobody reads is not a next request.
        let is_read = request.body().is_end_stream();
        Self {
            chunked,
            keep_alive: chunked && is_read && !closes(request.headers()),
        }
    }
}

/// Whether the client closes the connection after the response (RFC 9112 §9.6).
fn closes(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter();
    let mut options = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    options.any(|option| option.trim().eq_ignore_ascii_case("close"))
}

impl Handover {
    /// Offers the handover with a request.
    pub(crate) fn offer<B: http_body::Body>(&self, request: &mut Request<B>) {
        self.slot().framing = Framing::of(request);
        request.extensions_mut().insert(self.clone());
    }

    /// Puts the stream in. Returns the body with its first bytes.
    pub(crate) fn put(&self, first: Bytes, stream: LiveStream) -> Body {
        let mut slot = self.slot();
        slot.stream = Some(stream);
        slot.waits = false;
        Body::new(FirstFrames {
            first: Some(first),
            handover: self.clone(),
        })
    }

    /// The stream, once the library waits for more of it. It must have written everything before.
    pub(crate) fn take(&self) -> Option<(LiveStream, Framing)> {
        let mut slot = self.slot();
        if !slot.waits {
            return None;
        }
        let framing = slot.framing;
        slot.stream.take().map(|stream| (stream, framing))
    }

    /// A panic cannot leave the slot half changed.
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a stream that the library writes. It never ends: the connection takes the rest out of the
/// library's hands, or drops it.
struct FirstFrames {
    first: Option<Bytes>,
    handover: Handover,
}

impl http_body::Body for FirstFrames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => {
                // Nothing wakes the connection for this: it looks after each of its own steps.
                self.handover.slot().waits = true;
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use http_body_util::{Empty, Full};

    use super::*;

    fn request<B>(version: Version, connection: Option<&'static str>, body: B) -> Request<B> {
        let mut request = Request::new(body);
        *request.version_mut() = version;
        if let Some(value) = connection {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(CONNECTION, value);
        }
        request
    }

    #[test]
    fn chunks_and_keeps_the_connection_as_the_client_can() {
        for (version, connection, expected) in [
            (Version::HTTP_11, None, (true, true)),
            (Version::HTTP_11, Some("keep-alive"), (true, true)),
            (Version::HTTP_11, Some("x, Close"), (true, false)),
            (Version::HTTP_10, None, (false, false)),
            (Version::HTTP_10, Some("keep-alive"), (false, false)),
        ] {
            let request = request(version, connection, Empty::<Bytes>::new());
            let Framing {
                chunked,
                keep_alive,
            } = Framing::of(&request);
            assert_eq!(
                (chunked, keep_alive),
                expected,
                "{version:?} {connection:?}"
            );
        }
        let with_body = request(Version::HTTP_11, None, Full::new(Bytes::from_static(b"x")));
        assert!(!Framing::of(&with_body).keep_alive);
    }
}
