//! A close that does not reset the connection.
//!
//! The kernel resets a socket that is closed while bytes of the client are unread, and the client loses
//! the part of the response that it has not read. So the server closes its side, and reads until the
//! client has closed its own.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The time for a client to close its side.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// The progress of such a close.
#[derive(Debug, Default)]
pub(super) struct Linger {
    /// Begins when the server has closed its side.
    end: Option<Pin<Box<Sleep>>>,
}

impl Linger {
    pub(super) fn poll_shutdown<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let end = match &mut self.end {
            Some(end) => end,
            None => {
                ready!(Pin::new(&mut *socket).poll_shutdown(context))?;
                self.end.insert(Box::pin(sleep(LINGER_TIME)))
            }
        };
        let mut scratch = [0; 1024];
        while end.as_mut().poll(context).is_pending() {
            let mut scratch = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut *socket).poll_read(context, &mut scratch));
            if read.is_err() || scratch.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Closes a connection whose response is complete.
pub(super) async fn close<S: AsyncRead + AsyncWrite + Unpin>(mut socket: S) {
    let mut linger = Linger::default();
    // A connection that is broken already is closed.
    let _ = poll_fn(|context| linger.poll_shutdown(&mut socket, context)).await;
}

/// A socket that lingers on its shutdown. The client of an HTTP/2 connection sends at any time: window
/// updates, acknowledgements and its own `GOAWAY`.
#[cfg(feature = "tls")]
pub(super) struct Lingering<S> {
    socket: S,
    linger: Linger,
}

#[cfg(feature = "tls")]
impl<S> Lingering<S> {
    pub(super) const fn new(socket: S) -> Self {
        let linger = Linger { end: None };
        Self { socket, linger }
    }
}

#[cfg(feature = "tls")]
impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

#[cfg(feature = "tls")]
impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
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
        let Self { socket, linger } = &mut *self;
        linger.poll_shutdown(socket, context)
    }
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_a_limited_time_for_the_client_to_close() {
        let (mut client, server) = duplex(64);
        let mut server = Lingering::new(server);
        let mut ending = Box::pin(server.shutdown());
        assert!((&mut ending).now_or_never().is_none());
        assert_eq!(
            client.read(&mut [0]).await.unwrap(),
            0,
            "nothing more comes"
        );
        client.write_all(b"a farewell").await.unwrap();
        assert!((&mut ending).now_or_never().is_none());
        drop(client);
        let begun = Instant::now();
        ending.await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);

        let (_silent, server) = duplex(64);
        Lingering::new(server).shutdown().await.unwrap();
        assert!(begun.elapsed() >= LINGER_TIME);
    }
}
