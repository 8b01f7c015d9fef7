//! Reading a request's body: only JSON, only so much of it, and only so long.

mod budget;
mod media_type;

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::EXPECT;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body::Frame;
use http_body_util::BodyExt as _;
use tidings_event::OwnerId;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::ApiError;
use crate::pool::{Pool, Share};

pub(crate) use budget::BodyBudget;
use budget::{hold, hold_at_once, part};
pub(crate) use media_type::UnsupportedMedia;

/// The part of the time for all of it that a client may pause while it sends.
const PAUSE_PART: u32 = 6;

/// The slowest upload that is waited for, once it has taken longer than a pause may: else a byte now and
/// then would hold a connection for the whole time.
const MIN_BYTES_PER_SECOND: u32 = 1024;

/// How much of a refused body is still taken in, and thrown away. A client that is not listened to
/// while it sends gets a reset connection and never sees the answer that says why.
const DISCARD_BYTES: usize = 16 * 1024 * 1024;

/// How long a refused body is taken in.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// A body, read to its end.
#[derive(Debug, Default)]
pub(crate) struct ReadBody {
    pub(crate) bytes: Vec<u8>,
    /// Gives the body's part of the budget back when it is dropped.
    share: Option<OwnedSemaphorePermit>,
    /// The same for its sender's share.
    unfinished: Option<Share>,
}

impl ReadBody {
    fn add(&mut self, data: &[u8], more: OwnedSemaphorePermit) {
        match &mut self.share {
            Some(share) => share.merge(more),
            None => self.share = Some(more),
        }
        self.bytes.extend_from_slice(data);
    }
}

impl BodyBudget {
    /// Takes in the body of a request that is refused without it, so that its client sees why.
    pub(crate) async fn discard(headers: &HeaderMap, mut body: Body) {
        // A client that waits to be told to go on has sent nothing that could be thrown away.
        if !headers.contains_key(EXPECT) {
            discard(&mut body).await;
        }
    }

    /// Reads a JSON body of at most `limit` bytes. Without a caller it counts as nobody's.
    pub(crate) async fn read_json(
        &self,
        caller: Option<OwnerId>,
        headers: HeaderMap,
        mut body: Body,
        limit: usize,
    ) -> Result<ReadBody, ApiError> {
        let read = match media_type::check(&headers) {
            Ok(()) => self.read(caller, &mut body, limit).await,
            Err(refused) => Err(refused.into()),
        };
        if read.is_err() {
            Box::pin(Self::discard(&headers, body)).await;
        }
        read
    }

    async fn read(
        &self,
        caller: Option<OwnerId>,
        body: &mut Body,
        limit: usize,
    ) -> Result<ReadBody, ApiError> {
        let size = body.size_hint();
        if size.lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(ApiError::BodyTooLarge { limit });
        }
        let declared = size.exact().and_then(|bytes| usize::try_from(bytes).ok());
        let mut upload = Upload {
            pool: self.pool_for(declared),
            caller,
            declared,
            pause: self.upload_timeout / PAUSE_PART,
            limit,
            read: ReadBody::default(),
            waiting: None,
        };
        // Most bodies have come with their head: those need no clock, nor room for one.
        match upload.take_arrived(body) {
            Some(done) => done?,
            None => match Box::pin(timeout(self.upload_timeout, upload.take_rest(body))).await {
                Ok(done) => done?,
                Err(elapsed) => return Err(ApiError::BodyUnreadable(elapsed.into())),
            },
        }
        let mut read = upload.read;
        media_type::check_text(&mut read.bytes)?;
        Ok(read)
    }
}

/// A body on its way.
struct Upload<'a> {
    pool: &'a Pool,
    caller: Option<OwnerId>,
    declared: Option<usize>,
    /// How long its client may pause.
    pause: Duration,
    limit: usize,
    read: ReadBody,
    /// What has come and waits for a part of the budget.
    waiting: Option<Bytes>,
}

impl Upload<'_> {
    /// Takes what is there; `None` if that is not all.
    fn take_arrived(&mut self, body: &mut Body) -> Option<Result<(), ApiError>> {
        loop {
            let arrived = body.frame().now_or_never()?;
            if let Some(done) = self.take(arrived) {
                return Some(done);
            }
            if self.waiting.is_some() {
                return None;
            }
        }
    }

    /// Takes what is still to come, at no less than some speed.
    async fn take_rest(&mut self, body: &mut Body) -> Result<(), ApiError> {
        // Those that have come whole are never counted here: they are gone in no time.
        self.reserve().await?;
        let begun = Instant::now();
        loop {
            if let Some(data) = self.waiting.take() {
                let share = part(self.pool, data.len()).await?;
                self.read.add(&data, share);
            }
            let pause_ends = Instant::now() + self.pause;
            let worth = self.pause + worth(self.read.bytes.len());
            let ends = pause_ends.min(begun + worth);
            let frame = timeout_at(ends, body.frame()).await;
            let frame = frame.map_err(|slow| ApiError::BodyUnreadable(slow.into()))?;
            if let Some(done) = self.take(frame) {
                return done;
            }
        }
    }

    /// Counts an upload that is not finished against its caller's share: what has come, and what is
    /// said to come, so that uploads which have begun can be finished.
    async fn reserve(&mut self) -> Result<(), ApiError> {
        let Some(caller) = self.caller else {
            return Ok(());
        };
        let mut unfinished = self.pool.share_of(caller);
        let waiting = self.waiting.as_ref().map_or(0, Bytes::len);
        let here = self.read.bytes.len() + waiting;
        hold_at_once(self.pool, &mut unfinished, here)?;
        if let Some(declared) = self.declared {
            let more = declared.saturating_sub(here);
            hold(self.pool, &mut unfinished, more).await?;
        }
        self.read.unfinished = Some(unfinished);
        Ok(())
    }

    /// Takes a frame; what became of the body, if that was its end.
    fn take(
        &mut self,
        frame: Option<Result<Frame<Bytes>, axum::Error>>,
    ) -> Option<Result<(), ApiError>> {
        let Some(frame) = frame else {
            return Some(Ok(()));
        };
        let data = match frame {
            Ok(frame) => frame.into_data().ok()?,
            Err(error) => return Some(Err(ApiError::BodyUnreadable(error.into()))),
        };
        let limit = self.limit;
        if data.len() > limit - self.read.bytes.len() {
            return Some(Err(ApiError::BodyTooLarge { limit }));
        }
        if self.declared.is_none()
            && let Some(unfinished) = &mut self.read.unfinished
            && let Err(excess) = hold_at_once(self.pool, unfinished, data.len())
        {
            return Some(Err(excess));
        }
        match self.pool.try_take(data.len()) {
            Some(share) => self.read.add(&data, share),
            None => self.waiting = Some(data),
        }
        None
    }
}

/// How much longer than a pause an upload may have taken that has brought so many bytes.
fn worth(bytes: usize) -> Duration {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    Duration::from_secs(1) * bytes / MIN_BYTES_PER_SECOND
}

/// Takes in what is left of a refused body, within limits.
async fn discard(body: &mut Body) {
    let taking_in = async {
        let mut left = DISCARD_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, |data| data.len());
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Either way the answer is sent next.
    let _ = timeout(DISCARD_TIME, taking_in).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::http::HeaderValue;
    use axum::http::header::CONTENT_TYPE;
    use futures_util::future::join_all;
    use futures_util::stream;
    use http_body::SizeHint;
    use uuid::Uuid;

    use super::*;
    use crate::limits::Excess;

    const MINUTE: Duration = Duration::from_secs(60);

    fn json_headers() -> HeaderMap {
        let json = HeaderValue::from_static("application/json");
        HeaderMap::from_iter([(CONTENT_TYPE, json)])
    }

    #[tokio::test]
    async fn a_body_waits_until_the_budget_has_room() {
        let budget = BodyBudget::new(MINUTE);
        let pool = budget.pool_for(Some(2));
        let all = std::iter::from_fn(|| pool.try_take(1024)).collect::<Vec<_>>();
        let headers = json_headers();
        let mut reading = Box::pin(budget.read_json(None, headers, Body::from("{}"), 10));
        assert!((&mut reading).now_or_never().is_none());
        let parts = all.len();
        drop(all);
        assert_eq!(reading.await.unwrap().bytes, b"{}");
        let again = std::iter::from_fn(|| pool.try_take(1024)).collect::<Vec<_>>();
        assert_eq!(again.len(), parts);
    }

    /// A body that sends so much and then nothing.
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
    async fn who_holds_large_uploads_open_holds_up_nobody_else() {
        const LIMIT: usize = 16 * 1024 * 1024;
        const PIECE: usize = 1024 * 1024;
        let greedy = Some(OwnerId::from_uuid(Uuid::from_u128(1)));
        let other = Some(OwnerId::from_uuid(Uuid::from_u128(2)));
        let budget = BodyBudget::new(MINUTE);
        let read = |caller, body| budget.read_json(caller, json_headers(), body, LIMIT);
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
                    Err(ApiError::Excess(Excess::Uploads { bytes: LIMIT }))
                )
            });
            let beyond = beyond.count();
            assert!((84..100).contains(&beyond), "{beyond} of 100, {size:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_stalls_is_given_up() {
        let stalled = stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let body = Body::from_stream(stalled);
        let read = BodyBudget::new(MINUTE)
            .read_json(None, json_headers(), body, 10)
            .await;
        assert!(matches!(read, Err(ApiError::BodyUnreadable(_))));
    }

    /// A body of so many pieces of so many bytes, one a second.
    fn trickle(pieces: usize, bytes: usize) -> Body {
        Body::from_stream(stream::unfold(0, move |sent| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            (sent < pieces).then(|| (Ok::<_, std::io::Error>(vec![b' '; bytes]), sent + 1))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_trickles_is_given_up_long_before_one_that_is_slow() {
        let budget = BodyBudget::new(MINUTE);
        let begun = Instant::now();
        let read = budget
            .read_json(None, json_headers(), trickle(3_600, 1), 10_000)
            .await;
        assert!(matches!(read, Err(ApiError::BodyUnreadable(_))));
        let taken = begun.elapsed();
        assert!(
            taken < Duration::from_secs(10) + DISCARD_TIME + Duration::from_secs(1),
            "{taken:?}"
        );

        let slow = budget
            .read_json(None, json_headers(), trickle(40, 2_048), 100_000)
            .await;
        assert_eq!(slow.unwrap().bytes.len(), 40 * 2_048);
    }
}
