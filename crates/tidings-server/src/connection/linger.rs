//! The end of an HTTP/2 connection in good order.
//!
//! Its client sends all the time: windows, acknowledgements, its own farewell. A socket that is closed
//! before these are read is reset, and what the client has not yet taken in is lost to it. So they are
//! read, until the client has closed its side too.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a client may take to close its side.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// A socket that reads on after its shutdown.
pub(super) struct Lingering<S> {
    socket: S,
    /// Begins when nothing more is sent.
    end: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    pub(super) const fn new(socket: S) -> Self {
        Self { socket, end: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

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
        let Self { socket, end } = &mut *self;
        let end = match end {
            Some(end) => end,
            None => {
                ready!(Pin::new(&mut *socket).poll_shutdown(context))?;
                end.insert(Box::pin(sleep(LINGER_TIME)))
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_waits_for_the_client_but_not_for_ever() {
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
