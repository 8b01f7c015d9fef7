//! The limit of a request's head in HTTP/1, with an error body for clients that exceed it.
//!
//! The HTTP library also has such a limit, but its response has no body. So until a request begins, the
//! socket passes on no more bytes than a head can have, and rejects the head if the library reads more.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use bytes::{Buf as _, Bytes};
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use tidings_event::ErrorCode;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

use super::exchange::Exchange;
use super::linger::Linger;
use crate::problem::Problem;

/// The connection ends because a head was too large.
#[derive(Debug, thiserror::Error)]
#[error("the head of a request has more than {0} bytes")]
struct HeadTooLarge(usize);

/// A socket that rejects a head of more than `limit` bytes.
///
/// Bytes of a head that arrive together with the request before it are not counted. The library's own limit
/// bounds those.
pub(super) struct HeadLimited<S> {
    socket: Take<S>,
    limit: usize,
    exchange: Exchange,
    /// The bytes of the current head that the library has read.
    head_bytes: usize,
    /// Whether everything that was written before the current head has been flushed. Otherwise the rejection
    /// could end up inside a response.
    is_flushed: bool,
    rejection: Option<Rejection>,
}

struct Rejection {
    rest: Bytes,
    linger: Linger,
}

impl<S: AsyncRead> HeadLimited<S> {
    pub(super) fn new(socket: S, exchange: Exchange, limit: usize) -> Self {
        Self {
            socket: socket.take(0),
            limit,
            exchange,
            head_bytes: 0,
            is_flushed: true,
            rejection: None,
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.socket.into_inner()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> HeadLimited<S> {
    fn poll_reject(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let limit = self.limit;
        let rejection = self.rejection.get_or_insert_with(|| Rejection {
            rest: response(limit),
            linger: Linger::default(),
        });
        while rejection.rest.has_remaining() {
            let written = Pin::new(self.socket.get_mut()).poll_write(context, &rejection.rest);
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                bytes => rejection.rest.advance(bytes),
            }
        }
        ready!(
            rejection
                .linger
                .poll_shutdown(self.socket.get_mut(), context)
        )?;
        let error = HeadTooLarge(limit);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for HeadLimited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.exchange.is_under_way() {
            self.head_bytes = 0;
            self.is_flushed = false;
        }
        if !self.is_flushed {
            self.socket.set_limit(u64::MAX);
            return Pin::new(&mut self.socket).poll_read(context, buffer);
        }
        let left = self.limit - self.head_bytes;
        if left == 0 {
            return self.poll_reject(context);
        }
        self.socket.set_limit(left as u64);
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        self.head_bytes += buffer.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for HeadLimited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.exchange.set_flushed(false);
        Pin::new(self.socket.get_mut()).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.exchange.set_flushed(false);
        Pin::new(self.socket.get_mut()).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.get_ref().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(self.socket.get_mut()).poll_flush(context))?;
        self.exchange.set_flushed(true);
        self.is_flushed = !self.exchange.is_under_way();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.socket.get_mut()).poll_shutdown(context)
    }
}

/// The bytes of the rejection.
fn response(limit: usize) -> Bytes {
    let problem = Problem::rejection(
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        ErrorCode::TooLarge,
        "The head of the request is too large",
    )
    .effect("nothing was changed")
    .probable_cause("cookies of other programs on the same host, or a very long token")
    .detail(
        format!("request line and header fields have more than the {limit} bytes allowed"),
        "send fewer and shorter header fields; an operator sets the limit with --max-head-bytes",
    );
    let body = problem.into_response().into_body();
    let body = body.collect().now_or_never();
    let body = body.and_then(Result::ok).unwrap_or_default().to_bytes();
    let head = format!(
        "HTTP/1.1 431 Request Header Fields Too Large\r\n\
         content-type: application/json; charset=utf-8\r\n\
         cache-control: no-store\r\n\
         x-content-type-options: nosniff\r\n\
         content-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat().into()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, Response};
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn rejects_a_head_beyond_the_limit_with_an_error_body() {
        // The client takes a few bytes at a time.
        let (mut client, server) = duplex(7);
        let mut server = HeadLimited::new(server, Exchange::default(), 10);
        let reading = tokio::spawn(async move {
            let mut head = Vec::new();
            let error = server.read_to_end(&mut head).await.unwrap_err();
            (head, error.to_string())
        });
        client.write_all(b"0123456789").await.unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).await.unwrap();
        drop(client);
        let (head, error) = reading.await.unwrap();
        assert_eq!(head, b"0123456789");
        assert!(error.contains("more than 10 bytes"), "{error}");
        assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
        assert!(response.contains("more than the 10 bytes"), "{response}");
    }

    #[tokio::test]
    async fn counts_each_head_by_itself_and_no_body() {
        let (mut client, server) = duplex(1_000);
        let exchange = Exchange::default();
        let mut server = HeadLimited::new(server, exchange.clone(), 10);
        for _ in 0..3 {
            client.write_all(b"a head").await.unwrap();
            server.read_exact(&mut [0; 6]).await.unwrap();
            exchange.begin(&Request::new(()));
            client.write_all(&[b'x'; 100]).await.unwrap();
            server.read_exact(&mut [0; 100]).await.unwrap();
            drop(exchange.track(Response::new(Body::empty())));
            server.flush().await.unwrap();
        }
    }

    #[tokio::test]
    async fn does_not_reject_before_a_response_is_flushed() {
        let (mut client, server) = duplex(1_000);
        let exchange = Exchange::default();
        let mut server = HeadLimited::new(server, exchange.clone(), 10);
        exchange.begin(&Request::new(()));
        client.write_all(b"x").await.unwrap();
        server.read_exact(&mut [0; 1]).await.unwrap();
        drop(exchange.track(Response::new(Body::empty())));
        client.write_all(&[b'x'; 100]).await.unwrap();
        server.read_exact(&mut [0; 100]).await.unwrap();
    }
}
