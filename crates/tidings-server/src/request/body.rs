//! Reads the body of a request: JSON in UTF-8, with limits of size and time.

mod budget;
mod error;
mod media_type;
#[cfg(test)]
mod tests;
mod upload;

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::EXPECT;
use http_body_util::BodyExt as _;
use tidings_event::OwnerId;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::json::{self, InvalidJson};
use crate::pool::Share;

pub(crate) use budget::BodyBudget;
pub(crate) use error::{BodyError, Content, too_large};
pub(crate) use media_type::UnsupportedMedia;
use upload::Upload;

/// How much of a rejected body is read and discarded. A client whose server stops reading gets a
/// connection reset and never sees the response.
const DISCARD_BYTES: usize = 16 * 1024 * 1024;

/// How long a rejected body is read.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// The largest body that is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit {
    pub(crate) bytes: usize,
    pub(crate) content: Content,
}

impl BodyLimit {
    const fn exceeded(self) -> BodyError {
        BodyError::TooLarge {
            limit: self.bytes,
            content: self.content,
        }
    }
}

/// A body, read to its end.
#[derive(Debug, Default)]
pub(crate) struct ReadBody {
    pub(crate) bytes: Vec<u8>,
    /// The body's part of the budget, given back on drop.
    share: Option<OwnedSemaphorePermit>,
    /// The body's part of its sender's share, given back on drop.
    unfinished: Option<Share>,
}

impl ReadBody {
    /// The body as text, which JSON must be.
    pub(crate) fn text(&self) -> Result<&str, InvalidJson> {
        Ok(json::text(&self.bytes)?)
    }

    fn add(&mut self, data: &[u8], more: OwnedSemaphorePermit) {
        match &mut self.share {
            Some(share) => share.merge(more),
            None => self.share = Some(more),
        }
        self.bytes.extend_from_slice(data);
    }
}

impl BodyBudget {
    /// Reads and discards the body of a rejected request, so that its client sees the response.
    pub(crate) async fn discard(headers: &HeaderMap, mut body: Body) {
        // A client that waits for `100 Continue` has not sent a body.
        if !headers.contains_key(EXPECT) {
            discard(&mut body).await;
        }
    }

    /// Reads a JSON body. Without a caller it counts against no share.
    pub(crate) async fn read_json(
        &self,
        caller: Option<OwnerId>,
        headers: HeaderMap,
        mut body: Body,
        limit: BodyLimit,
    ) -> Result<ReadBody, BodyError> {
        let read = match media_type::check(&headers) {
            Ok(()) => self.read(caller, &mut body, limit).await,
            Err(rejected) => Err(rejected.into()),
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
        limit: BodyLimit,
    ) -> Result<ReadBody, BodyError> {
        let size = body.size_hint();
        if size.lower() > u64::try_from(limit.bytes).unwrap_or(u64::MAX) {
            return Err(limit.exceeded());
        }
        let declared = size.exact().and_then(|bytes| usize::try_from(bytes).ok());
        let mut upload = Upload::new(self, caller, declared, limit);
        // Most bodies arrive with their head: those need no timer, nor memory for one.
        match upload.take_arrived(body) {
            Some(done) => done?,
            None => match Box::pin(timeout(self.upload_timeout, upload.take_rest(body))).await {
                Ok(done) => done?,
                Err(elapsed) => return Err(BodyError::Unreadable(elapsed.into())),
            },
        }
        let mut read = upload.read;
        media_type::check_text(&mut read.bytes)?;
        Ok(read)
    }
}

/// Reads and discards the rest of a rejected body, within limits.
async fn discard(body: &mut Body) {
    let reading = async {
        let mut left = DISCARD_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, |data| data.len());
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // The response is sent in either case.
    let _ = timeout(DISCARD_TIME, reading).await;
}
