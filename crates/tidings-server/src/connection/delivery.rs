//! Sees that the client of an HTTP/2 connection takes what it is sent.
//!
//! Its flow control (RFC 9113 §5.2) lets a client stop a stream for ever although nothing waits to be
//! written to the socket. So the pieces of each answer are followed: from when a body hands one out
//! until its last byte is written.

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
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    owed: Mutex<HashMap<u64, Owed>>,
    answers: AtomicU64,
}

/// The pieces of one answer that are not yet written.
#[derive(Debug)]
struct Owed {
    pieces: usize,
    /// When the client was last seen to take something, or when there was something to take.
    since: Instant,
}

impl Deliveries {
    /// Follows the body of an answer.
    pub(super) fn watch(self: &Arc<Self>, body: Body) -> Watched {
        Watched {
            body,
            answer: self.answers.fetch_add(1, Ordering::Relaxed),
            deliveries: Arc::clone(self),
        }
    }

    /// Since when the client has taken nothing of an answer that waits for it; of several the one that
    /// waits longest.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.owed().values().map(|owed| owed.since).min()
    }

    fn hand_out(&self, answer: u64) {
        let first = || Owed {
            pieces: 0,
            since: Instant::now(),
        };
        self.owed().entry(answer).or_insert_with(first).pieces += 1;
    }

    fn took(&self, answer: u64) {
        if let Some(owed) = self.owed().get_mut(&answer) {
            owed.since = Instant::now();
        }
    }

    fn end(&self, answer: u64) {
        let mut all = self.owed();
        if let Some(owed) = all.get_mut(&answer) {
            owed.pieces -= 1;
            if owed.pieces == 0 {
                all.remove(&answer);
            }
        }
    }

    fn owed(&self) -> MutexGuard<'_, HashMap<u64, Owed>> {
        // Nothing that panics leaves it half changed.
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body whose pieces are followed.
pub(super) struct Watched {
    body: Body,
    answer: u64,
    deliveries: Arc<Deliveries>,
}

impl HttpBody for Watched {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        frame.map_ok(|frame| {
            frame.map_data(|bytes| {
                self.deliveries.hand_out(self.answer);
                Piece {
                    bytes,
                    answer: self.answer,
                    deliveries: Arc::clone(&self.deliveries),
                }
            })
        })
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
    answer: u64,
    deliveries: Arc<Deliveries>,
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
            self.deliveries.took(self.answer);
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.deliveries.end(self.answer);
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
