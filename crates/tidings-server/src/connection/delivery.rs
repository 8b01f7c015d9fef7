//! Detects HTTP/2 clients that do not take their responses.
//!
//! The flow control of HTTP/2 (RFC 9113 §5.2) lets a client stop a stream forever although nothing
//! waits for the socket. So each piece of a response is tracked from the body until its last byte is
//! written. The next piece of a complete response counts from the moment it is available, since a
//! client whose window is empty from the start takes none.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// The responses that one connection still has to send.
#[derive(Debug)]
pub(super) struct Deliveries {
    book: Mutex<Book>,
    responses: AtomicU64,
}

#[derive(Debug)]
struct Book {
    owed: HashMap<u64, Owed>,
    /// The last moment at which the client took bytes of any response.
    taken: Instant,
}

/// The pieces of one response that are not written yet or are still in its body.
#[derive(Debug)]
struct Owed {
    pieces: usize,
    /// The last moment at which the client took bytes, or the first at which there were any.
    since: Instant,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self {
            book: Mutex::new(Book {
                owed: HashMap::new(),
                taken: Instant::now(),
            }),
            responses: AtomicU64::new(0),
        }
    }
}

impl Deliveries {
    /// Tracks the body of a response.
    pub(super) fn watch(self: &Arc<Self>, body: Body) -> Watched {
        let mut watched = Watched {
            body,
            response: self.responses.fetch_add(1, Ordering::Relaxed),
            deliveries: Arc::clone(self),
            next: None,
        };
        watched.offer();
        watched
    }

    /// The earliest moment since which the client has taken nothing of a waiting response.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.book().owed.values().map(|owed| owed.since).min()
    }

    /// The number of waiting responses, and the moment since which the client has taken nothing of any.
    pub(super) fn untaken(&self) -> (usize, Instant) {
        let book = self.book();
        (book.owed.len(), book.taken)
    }

    fn hand_out(self: &Arc<Self>, response: u64) -> Offer {
        let now = Instant::now();
        let mut book = self.book();
        if book.owed.is_empty() {
            book.taken = now;
        }
        let first = || Owed {
            pieces: 0,
            since: now,
        };
        book.owed.entry(response).or_insert_with(first).pieces += 1;
        drop(book);
        Offer {
            response,
            deliveries: Arc::clone(self),
        }
    }

    fn took(&self, response: u64) {
        let now = Instant::now();
        let mut book = self.book();
        book.taken = now;
        if let Some(owed) = book.owed.get_mut(&response) {
            owed.since = now;
        }
    }

    fn end(&self, response: u64) {
        let mut book = self.book();
        if let Some(owed) = book.owed.get_mut(&response) {
            owed.pieces -= 1;
            if owed.pieces == 0 {
                book.owed.remove(&response);
            }
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // A panic cannot leave the state half changed.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A piece that waits for the client until this is dropped.
struct Offer {
    response: u64,
    deliveries: Arc<Deliveries>,
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.deliveries.end(self.response);
    }
}

/// A body whose pieces are tracked.
pub(super) struct Watched {
    body: Body,
    response: u64,
    deliveries: Arc<Deliveries>,
    /// The next piece. `None` while the server still has to produce it, since a client is not late
    /// before.
    next: Option<Offer>,
}

impl Watched {
    /// A stream has no known size, and can be without data for a long time.
    fn offer(&mut self) {
        self.next =
            (self.body.size_hint().lower() > 0).then(|| self.deliveries.hand_out(self.response));
    }
}

impl HttpBody for Watched {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let polled = polled.map_ok(|frame| {
            frame.map_data(|bytes| Piece {
                bytes,
                offer: self.deliveries.hand_out(self.response),
            })
        });
        match polled {
            Poll::Ready(Some(Ok(_))) => self.offer(),
            _ => self.next = None,
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A piece of a response on its way.
pub(super) struct Piece {
    bytes: Bytes,
    offer: Offer,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if count > 0 {
            self.offer.deliveries.took(self.offer.response);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    async fn piece(body: &mut Watched) -> Piece {
        let frame = body.frame().await.unwrap().unwrap();
        frame.into_data().unwrap_or_else(|_| panic!("no data"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_waits_from_its_first_piece_until_its_last_is_written() {
        let deliveries = Arc::new(Deliveries::default());
        let pieces = ["ab", "cd"].map(Ok::<_, std::io::Error>);
        let mut body = deliveries.watch(Body::from_stream(stream::iter(pieces)));
        assert_eq!(deliveries.waiting_since(), None);
        let begin = Instant::now();
        let mut first = piece(&mut body).await;
        assert_eq!(deliveries.waiting_since(), Some(begin));

        tokio::time::advance(Duration::from_secs(1)).await;
        let second = piece(&mut body).await;
        // A further piece does not show that the client takes bytes.
        assert_eq!(deliveries.waiting_since(), Some(begin));
        first.advance(1);
        assert_eq!(deliveries.waiting_since(), Some(Instant::now()));

        drop(first);
        assert!(deliveries.waiting_since().is_some());
        drop(second);
        assert_eq!(deliveries.waiting_since(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_complete_response_waits_from_the_start() {
        let deliveries = Arc::new(Deliveries::default());
        let begin = Instant::now();
        let mut body = deliveries.watch(Body::from("abc"));
        assert_eq!(deliveries.waiting_since(), Some(begin));
        tokio::time::advance(Duration::from_secs(1)).await;
        let mut only = piece(&mut body).await;
        assert_eq!(deliveries.waiting_since(), Some(begin));
        only.advance(3);
        drop(only);
        assert_eq!(deliveries.waiting_since(), None);
        assert_eq!(deliveries.untaken(), (0, Instant::now()));
    }

    /// A body that announces bytes and produces them slowly.
    struct Slow;

    impl HttpBody for Slow {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
            Poll::Pending
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(1)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_does_not_count_against_the_client() {
        let deliveries = Arc::new(Deliveries::default());
        let mut body = deliveries.watch(Body::new(Slow));
        assert!(deliveries.waiting_since().is_some());
        let taken = tokio::time::timeout(Duration::from_secs(1), body.frame()).await;
        assert!(taken.is_err());
        assert_eq!(deliveries.waiting_since(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_progressing_response_does_not_hide_a_stalled_one() {
        let deliveries = Arc::new(Deliveries::default());
        let mut stalled = deliveries.watch(Body::from("stalled"));
        let mut taken = deliveries.watch(Body::from("taken"));
        let begin = Instant::now();
        let _held = piece(&mut stalled).await;
        let mut moving = piece(&mut taken).await;
        tokio::time::advance(Duration::from_secs(1)).await;
        moving.advance(2);
        assert_eq!(deliveries.waiting_since(), Some(begin));
    }
}
