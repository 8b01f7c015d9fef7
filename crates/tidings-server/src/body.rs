//! Reading a request's body: only JSON, only so much of it, and only so long.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, EXPECT};
use http_body_util::BodyExt as _;
use mime::Mime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::ApiError;

/// The memory of all bodies that are read or worked on at the same time. A request beyond it waits
/// with its body unread, which its client feels as a slow upload.
const BODY_BUDGET_BYTES: usize = 256 * 1024 * 1024;

/// How long an upload may take: enough for the largest batch on a slow line, and an end for a client
/// that stalls.
const READ_TIME: Duration = Duration::from_secs(60);

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
#[derive(Debug)]
pub(crate) struct ReadBody {
    pub(crate) bytes: Vec<u8>,
    /// Gives the body's part of the budget back when it is dropped.
    _share: OwnedSemaphorePermit,
}

impl Default for BodyBudget {
    fn default() -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(BODY_BUDGET_BYTES)),
        }
    }
}

impl BodyBudget {
    /// Reads a JSON body of at most `limit` bytes.
    pub(crate) async fn read_json(
        &self,
        headers: &HeaderMap,
        mut body: Body,
        limit: usize,
    ) -> Result<ReadBody, ApiError> {
        let read = match check_media_type(headers) {
            Ok(()) => self.read(&mut body, limit).await,
            Err(refused) => Err(refused),
        };
        // A client that waits to be told to go on has sent nothing that could be thrown away.
        if read.is_err() && !headers.contains_key(EXPECT) {
            discard(&mut body).await;
        }
        read
    }

    async fn read(&self, body: &mut Body, limit: usize) -> Result<ReadBody, ApiError> {
        let size = body.size_hint();
        let declared = usize::try_from(size.lower()).unwrap_or(usize::MAX);
        if declared > limit {
            return Err(ApiError::BodyTooLarge { limit });
        }
        let most = size.upper().and_then(|upper| usize::try_from(upper).ok());
        let share = self.share(most.unwrap_or(limit).min(limit)).await;
        match timeout(READ_TIME, read_up_to(body, limit, declared)).await {
            Ok(read) => read.map(|bytes| ReadBody {
                bytes,
                _share: share,
            }),
            Err(elapsed) => Err(ApiError::BodyUnreadable(elapsed.into())),
        }
    }

    async fn share(&self, bytes: usize) -> OwnedSemaphorePermit {
        let bytes = u32::try_from(bytes.min(BODY_BUDGET_BYTES)).unwrap_or(u32::MAX);
        let share = Arc::clone(&self.bytes).acquire_many_owned(bytes).await;
        share.expect("the budget is never closed")
    }
}

async fn read_up_to(body: &mut Body, limit: usize, declared: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::with_capacity(declared);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ApiError::BodyUnreadable(error.into()))?;
        if let Some(data) = frame.data_ref() {
            if data.len() > limit - bytes.len() {
                return Err(ApiError::BodyTooLarge { limit });
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
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
    use futures_util::{FutureExt as _, stream};

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
        let mut reading = Box::pin(budget.read_json(&headers, Body::from("{}"), 10));
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
            .read_json(&json_headers(), body, 10)
            .await;
        assert!(matches!(read, Err(ApiError::BodyUnreadable(_))));
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
