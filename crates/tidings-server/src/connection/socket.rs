//! The socket of a connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// A socket whose writes fail if the client takes nothing for too long. Its first bytes can have been read
/// before.
///
/// The timer exists only while a write waits: most sockets never need one.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    read_before: Bytes,
    write_timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(super) const fn new(
        stream: TcpStream,
        read_before: Bytes,
        write_timeout: Duration,
    ) -> Self {
        Self {
            stream,
            read_before,
            write_timeout,
            stalled: None,
        }
    }

    /// The stream, and what was read from it before and has not been read again.
    pub(super) fn into_parts(self) -> (TcpStream, Bytes) {
        (self.stream, self.read_before)
    }

    /// Bounds the time of a write that waits.
    fn bound<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let time = self.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(time)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read_before.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let bytes = self.read_before.len().min(buffer.remaining());
        buffer.put_slice(&self.read_before[..bytes]);
        self.read_before.advance(bytes);
        if self.read_before.is_empty() {
            self.read_before = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bound(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.bound(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;

    const TIME: Duration = Duration::from_secs(3);

    async fn pair(read_before: &'static [u8]) -> (TcpStream, Socket) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let (stream, _) = accepted.unwrap();
        let socket = Socket::new(stream, Bytes::from_static(read_before), TIME);
        (client.unwrap(), socket)
    }

    #[tokio::test]
    async fn reads_first_what_was_read_before() {
        let (mut client, mut socket) = pair(b"GET ").await;
        client.write_all(b"/ HTTP/1.1").await.unwrap();
        drop(client);
        let mut text = String::new();
        socket.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "GET / HTTP/1.1");
    }

    #[tokio::test]
    async fn a_write_fails_if_the_client_takes_nothing() {
        let (_client, mut socket) = pair(b"").await;
        let bytes = vec![b'x'; 64 * 1024];
        while socket.write(&bytes).now_or_never().is_some() {}
        tokio::time::pause();
        let begun = Instant::now();
        let error = loop {
            if let Err(error) = socket.write(&bytes).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= TIME);
    }
}
