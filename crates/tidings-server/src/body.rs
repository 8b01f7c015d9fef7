//! Reading a request's body: only JSON, only so much of it, and only so long.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, EXPECT};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body::Frame;
use http_body_util::BodyExt as _;
use mime::Mime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::ApiError;

/// The memory of all bodies that are read or worked on at the same time: each takes its part of it as
/// its bytes arrive, so that a client that announces much and sends nothing takes nothing.
const BODY_BUDGET_BYTES: usize = 64 * 1024 * 1024;

/// How long an upload waits for a part of the budget before it is refused.
const BUDGET_TIME: Duration = Duration::from_secs(5);

/// How long an upload may take: enough for the largest batch on a slow line.
const READ_TIME: Duration = Duration::from_secs(60);

/// How long a client may pause while it sends.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// The slowest upload that is waited for, once it has taken longer than a pause may: else a byte now and
/// then would hold a connection for the whole time.
const MIN_BYTES_PER_SECOND: u32 = 1024;

/// How much of a refused body is still taken in, and thrown away. A client that is not listened to
/// while it sends gets a reset connection and never sees the answer that says why.
const DISCARD_BYTES: usize = 16 * 1024 * 1024;

/// How long a refused body is taken in.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// Bounds the memory of the bodies of all requests together.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    bytes: Arc<Semaphore>,
}

/// A body, read to its end.
#[derive(Debug, Default)]
pub(crate) struct ReadBody {
    pub(crate) bytes: Vec<u8>,
    /// Gives the body's part of the budget back when it is dropped.
    share: Option<OwnedSemaphorePermit>,
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

impl Default for BodyBudget {
    fn default() -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(BODY_BUDGET_BYTES)),
        }
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

    /// Reads a JSON body of at most `limit` bytes.
    pub(crate) async fn read_json(
        &self,
        headers: HeaderMap,
        mut body: Body,
        limit: usize,
    ) -> Result<ReadBody, ApiError> {
        let read = match check_media_type(&headers) {
            Ok(()) => self.read(&mut body, limit).await,
            Err(refused) => Err(refused),
        };
        if read.is_err() {
            Box::pin(Self::discard(&headers, body)).await;
        }
        read
    }

    async fn read(&self, body: &mut Body, limit: usize) -> Result<ReadBody, ApiError> {
        let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if declared > limit {
            return Err(ApiError::BodyTooLarge { limit });
        }
        let mut upload = Upload {
            budget: self,
            limit,
            read: ReadBody::default(),
            waiting: None,
        };
        // Most bodies have come with their head: those need no clock, nor room for one.
        match upload.take_arrived(body) {
            Some(done) => done?,
            None => match Box::pin(timeout(READ_TIME, upload.take_rest(body))).await {
                Ok(done) => done?,
                Err(elapsed) => return Err(ApiError::BodyUnreadable(elapsed.into())),
            },
        }
        Ok(upload.read)
    }

    fn try_share(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let share = Arc::clone(&self.bytes).try_acquire_many_owned(permits(bytes));
        share.ok()
    }

    /// A part of the budget. That all of it is held by uploads that wait for more of it is no
    /// standstill: they are refused after a while, and give back what they have.
    async fn share(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let share = Arc::clone(&self.bytes).acquire_many_owned(permits(bytes));
        match timeout(BUDGET_TIME, share).await {
            Ok(share) => Ok(share.expect("the budget is never closed")),
            Err(_) => Err(ApiError::Overloaded),
        }
    }
}

/// The permits for so many bytes.
fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.min(BODY_BUDGET_BYTES)).unwrap_or(u32::MAX)
}

/// A body on its way.
struct Upload<'a> {
    budget: &'a BodyBudget,
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
        let begun = Instant::now();
        loop {
            if let Some(data) = self.waiting.take() {
                let share = self.budget.share(data.len()).await?;
                self.read.add(&data, share);
            }
            let pause_ends = Instant::now() + IDLE_TIME;
            let ends = pause_ends.min(begun + worth(self.read.bytes.len()));
            let frame = timeout_at(ends, body.frame()).await;
            let frame = frame.map_err(|slow| ApiError::BodyUnreadable(slow.into()))?;
            if let Some(done) = self.take(frame) {
                return done;
            }
        }
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
        match self.budget.try_share(data.len()) {
            Some(share) => self.read.add(&data, share),
            None => self.waiting = Some(data),
        }
        None
    }
}

/// How long an upload may have taken that has brought so many bytes.
fn worth(bytes: usize) -> Duration {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    IDLE_TIME + Duration::from_secs(1) * bytes / MIN_BYTES_PER_SECOND
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

/// Only `application/json`: browsers send it to another origin only after asking, and are refused.
fn check_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(given) = headers.get(CONTENT_TYPE) else {
        return Err(ApiError::UnsupportedMediaType { given: None });
    };
    if given == mime::APPLICATION_JSON.as_ref() {
        return Ok(());
    }
    let given = String::from_utf8_lossy(given.as_bytes());
    let is_json = given.parse::<Mime>().is_ok_and(|media| {
        let charset = media.get_param(mime::CHARSET);
        media.essence_str() == mime::APPLICATION_JSON.as_ref()
            && charset.is_none_or(|charset| charset == mime::UTF_8)
    });
    if is_json {
        return Ok(());
    }
    Err(ApiError::UnsupportedMediaType {
        given: Some(given.into_owned()),
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use futures_util::stream;

    use super::*;

    fn json_headers() -> HeaderMap {
        let json = HeaderValue::from_static("application/json");
        HeaderMap::from_iter([(CONTENT_TYPE, json)])
    }

    #[tokio::test]
    async fn a_body_waits_until_the_budget_has_room() {
        let budget = BodyBudget::default();
        let all = budget.share(BODY_BUDGET_BYTES).await;
        let headers = json_headers();
        let mut reading = Box::pin(budget.read_json(headers, Body::from("{}"), 10));
        assert!((&mut reading).now_or_never().is_none());
        drop(all);
        assert_eq!(reading.await.unwrap().bytes, b"{}");
        assert_eq!(budget.bytes.available_permits(), BODY_BUDGET_BYTES);
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_stalls_is_given_up() {
        let stalled = stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let body = Body::from_stream(stalled);
        let read = BodyBudget::default()
            .read_json(json_headers(), body, 10)
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
        let budget = BodyBudget::default();
        let begun = Instant::now();
        let read = budget
            .read_json(json_headers(), trickle(3_600, 1), 10_000)
            .await;
        assert!(matches!(read, Err(ApiError::BodyUnreadable(_))));
        let taken = begun.elapsed();
        assert!(
            taken < IDLE_TIME + DISCARD_TIME + Duration::from_secs(1),
            "{taken:?}"
        );

        let slow = budget
            .read_json(json_headers(), trickle(40, 2_048), 100_000)
            .await;
        assert_eq!(slow.unwrap().bytes.len(), 40 * 2_048);
    }

    fn accepts(content_type: &'static str) -> bool {
        let value = HeaderValue::from_static(content_type);
        check_media_type(&HeaderMap::from_iter([(CONTENT_TYPE, value)])).is_ok()
    }

    #[test]
    fn only_json_in_utf8_is_taken() {
        for good in [
            "application/json",
            "Application/JSON",
            "application/json;charset=utf-8",
            "application/json; charset=UTF-8",
            "application/json; charset=\"utf-8\"",
            "application/json; profile=x",
        ] {
            assert!(accepts(good), "{good}");
        }
        for bad in [
            "",
            "json",
            "text/plain",
            "text/json",
            "application/jsonp",
            "application/problem+json",
            "application/json; charset=latin1",
            "application/json, text/plain",
            "text/plain; application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ] {
            assert!(!accepts(bad), "{bad}");
        }
    }
}
