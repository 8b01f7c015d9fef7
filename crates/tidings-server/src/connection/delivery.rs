//! Sees that the client of an HTTP/2 connection takes what it is sent.
//!
//! Its flow control (RFC 9113 §5.2) lets a client stop a stream for ever although nothing waits to be
//! written to the socket. So the pieces of each answer are followed: from when a body hands one out
//! until its last byte is written. Of an answer that is there, the next piece counts from when it could
//! be taken: a client whose window is empty from the beginning takes none.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// What one connection still has to send of which answers.
#[derive(Debug)]
pub(super) struct Deliveries {
    book: Mutex<Book>,
    answers: AtomicU64,
}

#[derive(Debug)]
struct Book {
    owed: HashMap<u64, Owed>,
    /// When the client was last seen to take something of any answer.
    taken: Instant,
}

/// The pieces of one answer that are not yet written, or not yet taken out of its body.
#[derive(Debug)]
struct Owed {
    pieces: usize,
    /// When the client was last seen to take something, or when there was something to take.
    since: Instant,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self {
            book: Mutex::new(Book {
                owed: HashMap::new(),
                taken: Instant::now(),
            }),
            answers: AtomicU64::new(0),
        }
    }
}

impl Deliveries {
    /// Follows the body of an answer.
    pub(super) fn watch(self: &Arc<Self>, body: Body) -> Watched {
        let mut watched = Watched {
            body,
            answer: self.answers.fetch_add(1, Ordering::Relaxed),
            deliveries: Arc::clone(self),
            next: None,
        };
        watched.offer();
        watched
    }

    /// Since when the client has taken nothing of an answer that waits for it; of several the one that
    /// waits longest.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.book().owed.values().map(|owed| owed.since).min()
    }

    /// How many answers wait for the client, and since when it has taken nothing of any.
    pub(super) fn untaken(&self) -> (usize, Instant) {
        let book = self.book();
        (book.owed.len(), book.taken)
    }

    fn hand_out(self: &Arc<Self>, answer: u64) -> Offer {
        let now = Instant::now();
        let mut book = self.book();
        if book.owed.is_empty() {
            book.taken = now;
        }
        let first = || Owed {
            pieces: 0,
            since: now,
        };
        book.owed.entry(answer).or_insert_with(first).pieces += 1;
        drop(book);
        Offer {
            answer,
            deliveries: Arc::clone(self),
        }
    }

    fn took(&self, answer: u64) {
        let now = Instant::now();
        let mut book = self.book();
        book.taken = now;
        if let Some(owed) = book.owed.get_mut(&answer) {
            owed.since = now;
        }
    }

    fn end(&self, answer: u64) {
        let mut book = self.book();
        if let Some(owed) = book.owed.get_mut(&answer) {
            owed.pieces -= 1;
            if owed.pieces == 0 {
                book.owed.remove(&answer);
            }
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing that panics leaves it half changed.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that waits for the client until it is dropped.
struct Offer {
    answer: u64,
    deliveries: Arc<Deliveries>,
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.deliveries.end(self.answer);
    }
}

/// A body whose pieces are followed.
pub(super) struct Watched {
    body: Body,
    answer: u64,
    deliveries: Arc<Deliveries>,
    /// The next piece, unless it is still to be made: then nobody waits for the client.
    next: Option<Offer>,
}

impl Watched {
    /// A stream, whose size is not known, may have nothing to be taken for long.
    fn offer(&mut self) {
        self.next =
            (self.body.size_hint().lower() > 0).then(|| self.deliveries.hand_out(self.answer));
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
                offer: self.deliveries.hand_out(self.answer),
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

/// A piece of an answer on its way.
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
            self.offer.deliveries.took(self.offer.answer);
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
    async fn an_answer_waits_from_its_first_piece_until_its_last_is_written() {
        let deliveries = Arc::new(Deliveries::default());
        let pieces = ["ab", "cd"].map(Ok::<_, std::io::Error>);
        let mut body = deliveries.watch(Body::from_stream(stream::iter(pieces)));
        assert_eq!(deliveries.waiting_since(), None);
        let begin = Instant::now();
        let mut first = piece(&mut body).await;
        assert_eq!(deliveries.waiting_since(), Some(begin));

        tokio::time::advance(Duration::from_secs(1)).await;
        let second = piece(&mut body).await;
        // That there is more to take is no sign of a client that takes.
        assert_eq!(deliveries.waiting_since(), Some(begin));
        first.advance(1);
        assert_eq!(deliveries.waiting_since(), Some(Instant::now()));

        drop(first);
        assert!(deliveries.waiting_since().is_some());
        drop(second);
        assert_eq!(deliveries.waiting_since(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_there_waits_before_its_first_piece_is_taken() {
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

    /// A body that says that more is to come, and is slow to make it.
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
    async fn a_client_that_waits_for_the_server_is_not_waited_for() {
        let deliveries = Arc::new(Deliveries::default());
        let mut body = deliveries.watch(Body::new(Slow));
        assert!(deliveries.waiting_since().is_some());
        let taken = tokio::time::timeout(Duration::from_secs(1), body.frame()).await;
        assert!(taken.is_err());
        assert_eq!(deliveries.waiting_since(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_does_not_hide_one_that_does_not() {
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
