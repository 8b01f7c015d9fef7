//! Clients that close their sending side after a request and wait for the response, such as `nc -N` and some
//! health checks.
//!
//! The HTTP library treats the end of the client's bytes as a hang-up and drops the response. So the
//! socket withholds that end for a moment while a short response is pending. A client that has really
//! gone costs this moment. Streams and bulk changes can take long, so they end with their client at
//! once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::exchange::Exchange;

/// The time for a response after its client has closed its sending side.
const RESPONSE_TIME: Duration = Duration::from_secs(1);

/// A socket that withholds the end of its client's bytes while a short response is owed.
pub(super) struct HalfClosing<S> {
    socket: S,
    exchange: Exchange,
    /// Begins when the client has closed its side.
    end: Option<Pin<Box<Sleep>>>,
}

impl<S> HalfClosing<S> {
    pub(super) const fn new(socket: S, exchange: Exchange) -> Self {
        Self {
            socket,
            exchange,
            end: None,
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.socket
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HalfClosing<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self {
            socket,
            exchange,
            end,
        } = &mut *self;
        if end.is_none() {
            let before = buffer.filled().len();
            ready!(Pin::new(socket).poll_read(context, buffer))?;
            if buffer.filled().len() > before || !exchange.owes_short_response() {
                return Poll::Ready(Ok(()));
            }
        }
        let end = end.get_or_insert_with(|| Box::pin(sleep(RESPONSE_TIME)));
        // The library asks again when the response has been sent.
        if !exchange.owes_short_response() {
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
    use axum::body::Body;
    use axum::http::{Request, Response};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::Instant;

    use super::*;

    /// The time for which a socket withholds that its client has closed.
    async fn withheld(exchange: &Exchange) -> Duration {
        let (mut client, server) = duplex(64);
        client.write_all(b"asked").await.unwrap();
        client.shutdown().await.unwrap();
        let begun = Instant::now();
        let mut read = Vec::new();
        let mut server = HalfClosing::new(server, exchange.clone());
        server.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"asked");
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn withholds_the_end_while_a_short_response_is_owed() {
        let exchange = Exchange::default();
        assert_eq!(withheld(&exchange).await, Duration::ZERO);
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
            exchange.begin(&request.body(()).unwrap());
            let expected = if is_short {
                RESPONSE_TIME
            } else {
                Duration::ZERO
            };
            assert_eq!(withheld(&exchange).await, expected, "{method} {path}");
        }
        exchange.begin(&Request::new(()));
        let response = exchange.track(Response::new(Body::empty()));
        assert_eq!(withheld(&exchange).await, RESPONSE_TIME);
        drop(response);
        assert_eq!(withheld(&exchange).await, Duration::ZERO);
    }
}
