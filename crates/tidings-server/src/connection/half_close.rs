//! Clients that close their sending side once they have asked, as `nc -N` and some health checks do, and
//! wait for the answer.
//!
//! The library takes the end of what a client sends for a hang-up and drops the answer. So that end is
//! kept from it for a moment while a short answer is on its way. A client that is really gone costs that
//! moment; streams and bulk changes, which may take long, end with their client at once.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long an answer may take after its client has closed its sending side.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Whether a connection owes a short answer. HTTP/1 has one request at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Owed(Arc<AtomicBool>);

impl Owed {
    /// Notes what a request asks for.
    pub(super) fn note<B>(&self, request: &Request<B>) {
        let path = request.uri().path();
        let is_short = match *request.method() {
            Method::PUT | Method::DELETE => false,
            _ => !path.ends_with("/subscribe") && !path.ends_with("/delete"),
        };
        self.0.store(is_short, Ordering::Relaxed);
    }

    /// The answer, which is owed until it has been sent or given up.
    pub(super) fn hold(&self, answer: Response<Body>) -> Response<Held> {
        answer.map(|body| Held {
            body,
            owed: self.clone(),
        })
    }

    fn is_owed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Held {
    body: Body,
    owed: Owed,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.owed.0.store(false, Ordering::Relaxed);
    }
}

impl hyper::body::Body for Held {
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

/// A socket that keeps the end of what its client sends to itself while an answer is owed.
pub(super) struct HalfClosing<S> {
    socket: S,
    owed: Owed,
    /// Once the client has closed its side: how long the answer may still take.
    end: Option<Pin<Box<Sleep>>>,
}

impl<S> HalfClosing<S> {
    pub(super) const fn new(socket: S, owed: Owed) -> Self {
        Self {
            socket,
            owed,
            end: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HalfClosing<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { socket, owed, end } = &mut *self;
        if end.is_none() {
            let before = buffer.filled().len();
            ready!(Pin::new(socket).poll_read(context, buffer))?;
            if buffer.filled().len() > before || !owed.is_owed() {
                return Poll::Ready(Ok(()));
            }
        }
        let end = end.get_or_insert_with(|| Box::pin(sleep(ANSWER_TIME)));
        // The library asks again when the answer has been sent.
        if !owed.is_owed() {
            return Poll::Ready(Ok(()));
        }
        ready!(end.as_mut().poll(context));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HalfClosing<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::Instant;

    use super::*;

    /// How long a socket keeps to itself that its client has closed.
    async fn kept(owed: &Owed) -> Duration {
        let (mut client, server) = duplex(64);
        client.write_all(b"asked").await.unwrap();
        client.shutdown().await.unwrap();
        let begun = Instant::now();
        let mut read = Vec::new();
        let mut server = HalfClosing::new(server, owed.clone());
        server.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"asked");
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_is_kept_while_a_short_answer_is_owed() {
        let owed = Owed::default();
        assert_eq!(kept(&owed).await, Duration::ZERO);
        for (method, path, is_short) in [
            ("GET", "/healthz", true),
            ("HEAD", "/api/events", true),
            ("POST", "/api/system/events", true),
            ("GET", "/api/system/events/subscribe", false),
            ("PUT", "/api/events/status", false),
            ("DELETE", "/api/events", false),
            ("POST", "/api/events/delete", false),
        ] {
            let request = Request::builder().method(method).uri(path);
            owed.note(&request.body(()).unwrap());
            let expected = if is_short {
                ANSWER_TIME
            } else {
                Duration::ZERO
            };
            assert_eq!(kept(&owed).await, expected, "{method} {path}");
        }
        owed.note(&Request::new(()));
        let answer = owed.hold(Response::new(Body::empty()));
        assert_eq!(kept(&owed).await, ANSWER_TIME);
        drop(answer);
        assert_eq!(kept(&owed).await, Duration::ZERO);
    }
}
