use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;
use uuid::Uuid;

use super::*;
use crate::limits::LimitError;

const MINUTE: Duration = Duration::from_secs(60);

const fn at_most(bytes: usize) -> BodyLimit {
    let content = Content::Events;
    BodyLimit { bytes, content }
}

fn json_headers() -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    HeaderMap::from_iter([(CONTENT_TYPE, json)])
}

#[tokio::test]
async fn waits_until_the_budget_has_room() {
    let budget = BodyBudget::new(MINUTE);
    let pool = budget.pool_for(Some(2));
    let all = std::iter::from_fn(|| pool.try_take(1024)).collect::<Vec<_>>();
    let headers = json_headers();
    let mut reading = Box::pin(budget.read_json(None, headers, Body::from("{}"), at_most(10)));
    assert!((&mut reading).now_or_never().is_none());
    let parts = all.len();
    drop(all);
    assert_eq!(reading.await.unwrap().bytes, b"{}");
    let again = std::iter::from_fn(|| pool.try_take(1024)).collect::<Vec<_>>();
    assert_eq!(again.len(), parts);
}

/// A body that sends one piece and then nothing.
struct Silent {
    piece: Option<Bytes>,
    size: SizeHint,
}

impl http_body::Body for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.piece.take() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

#[tokio::test(start_paused = true)]
async fn unfinished_uploads_of_one_caller_do_not_delay_others() {
    const LIMIT: usize = 16 * 1024 * 1024;
    const PIECE: usize = 1024 * 1024;
    let greedy = Some(OwnerId::from_uuid(Uuid::from_u128(1)));
    let other = Some(OwnerId::from_uuid(Uuid::from_u128(2)));
    let budget = BodyBudget::new(MINUTE);
    let read = |caller, body| budget.read_json(caller, json_headers(), body, at_most(LIMIT));
    for size in [SizeHint::new(), SizeHint::with_exact(4 * PIECE as u64)] {
        let open: Vec<_> = (0..100)
            .map(|_| {
                let piece = Some(vec![b' '; PIECE].into());
                let body = Body::new(Silent { piece, size });
                let mut upload = Box::pin(read(greedy, body));
                assert!((&mut upload).now_or_never().is_none());
                upload
            })
            .collect();
        let begun = Instant::now();
        let large = read(other, Body::from(vec![b' '; LIMIT])).await;
        assert_eq!(large.unwrap().bytes.len(), LIMIT);
        let short = read(greedy, Body::from("{}")).await;
        assert_eq!(short.unwrap().bytes, b"{}");
        assert_eq!(begun.elapsed(), Duration::ZERO, "{size:?}");
        let beyond = join_all(open).await.into_iter().filter(|read| {
            matches!(
                read,
                Err(BodyError::Limit(LimitError::Uploads { bytes: LIMIT }))
            )
        });
        let beyond = beyond.count();
        assert!((84..100).contains(&beyond), "{beyond} of 100, {size:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn gives_up_a_stalled_upload() {
    let stalled = stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let body = Body::from_stream(stalled);
    let read = BodyBudget::new(MINUTE)
        .read_json(None, json_headers(), body, at_most(10))
        .await;
    assert!(matches!(read, Err(BodyError::Unreadable(_))));
}

/// A body of equal pieces, one per second.
fn trickle(pieces: usize, bytes: usize) -> Body {
    Body::from_stream(stream::unfold(0, move |sent| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        (sent < pieces).then(|| (Ok::<_, std::io::Error>(vec![b' '; bytes]), sent + 1))
    }))
}

#[tokio::test(start_paused = true)]
async fn gives_up_a_trickling_upload_before_a_slow_one() {
    let budget = BodyBudget::new(MINUTE);
    let begun = Instant::now();
    let read = budget
        .read_json(None, json_headers(), trickle(3_600, 1), at_most(10_000))
        .await;
    assert!(matches!(read, Err(BodyError::Unreadable(_))));
    let taken = begun.elapsed();
    assert!(
        taken < Duration::from_secs(10) + DISCARD_TIME + Duration::from_secs(1),
        "{taken:?}"
    );

    let slow = budget
        .read_json(None, json_headers(), trickle(40, 2_048), at_most(100_000))
        .await;
    assert_eq!(slow.unwrap().bytes.len(), 40 * 2_048);
}
