//! The words for a refusal that the HTTP library makes by itself, with a status and no body: that of a
//! head which is too large.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use bytes::{Buf as _, Bytes};
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use tidings_event::ErrorCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::problem::Problem;

/// How the library begins its answer. With the line's end, nothing else that is written begins so: a
/// body here is JSON, which has no bare carriage return, or ends with something else.
const BEGIN: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\n";

/// A socket on which that refusal is replaced by one with an envelope.
pub(super) struct Explained<S> {
    socket: S,
    head_bytes: usize,
    /// What is left to be written in place of the library's words, once it has begun with them.
    instead: Option<Bytes>,
}

impl<S> Explained<S> {
    pub(super) const fn new(socket: S, head_bytes: usize) -> Self {
        Self {
            socket,
            head_bytes,
            instead: None,
        }
    }
}

impl<S: AsyncWrite + Unpin> Explained<S> {
    /// Writes the envelope if the library begins, or has begun, to refuse. `None` if it does not.
    fn poll_instead(
        &mut self,
        context: &mut Context<'_>,
        begin: &[u8],
        bytes: usize,
    ) -> Option<Poll<io::Result<usize>>> {
        if self.instead.is_none() && begin.starts_with(BEGIN) {
            self.instead = Some(refusal(self.head_bytes));
        }
        let Self {
            socket, instead, ..
        } = self;
        let instead = instead.as_mut()?;
        while instead.has_remaining() {
            match Pin::new(&mut *socket).poll_write(context, instead) {
                Poll::Ready(Ok(0)) => {
                    return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into())));
                }
                Poll::Ready(Ok(written)) => instead.advance(written),
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => return Some(Poll::Pending),
            }
        }
        // As if its own had been written.
        Some(Poll::Ready(Ok(bytes)))
    }
}

/// The answer, as it goes over the line.
fn refusal(limit: usize) -> Bytes {
    let problem = Problem::refusal(
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

impl<S: AsyncRead + Unpin> AsyncRead for Explained<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Explained<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.poll_instead(context, bytes, bytes.len()) {
            Some(written) => written,
            None => Pin::new(&mut self.socket).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let begin = slices.first().map_or(&[][..], |slice| slice);
        let bytes = slices.iter().map(|slice| slice.len()).sum();
        match self.poll_instead(context, begin, bytes) {
            Some(written) => written,
            None => Pin::new(&mut self.socket).poll_write_vectored(context, slices),
        }
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

    use super::*;

    #[tokio::test]
    async fn the_library_s_words_are_replaced_however_slowly_they_are_taken() {
        // The client takes a few bytes at a time.
        let (mut client, server) = duplex(7);
        let mut server = Explained::new(server, 1_000);
        let refused = tokio::spawn(async move {
            let words = [BEGIN, b"content-length: 0\r\n\r\n"].concat();
            server.write_all(&words).await.unwrap();
            server.shutdown().await.unwrap();
        });
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        refused.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(answer.contains("more than the 1000 bytes"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }

    #[tokio::test]
    async fn all_else_is_written_as_it_is() {
        let (mut client, server) = duplex(1_000);
        let mut server = Explained::new(server, 1_000);
        let text = "HTTP/1.1 431 Request Header Fields Too Large, says an event";
        server.write_all(text.as_bytes()).await.unwrap();
        server.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, text);
    }
}
