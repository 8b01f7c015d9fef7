//! A body that is being read, from the memory of all bodies.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body::Frame;
use http_body_util::BodyExt as _;
use tidings_event::OwnerId;
use tokio::time::{Instant, timeout_at};

use super::budget::{hold, hold_at_once, part};
use super::{BodyBudget, BodyError, BodyLimit, ReadBody};
use crate::pool::Pool;

/// The part of the upload time for which a client can pause.
const PAUSE_PART: u32 = 6;

/// The slowest accepted upload after the time of a pause. Without it a client could hold a connection
/// for the whole upload time with a few bytes.
const MIN_BYTES_PER_SECOND: u32 = 1024;

/// A body that is being read.
pub(super) struct Upload<'a> {
    pool: &'a Pool,
    caller: Option<OwnerId>,
    declared: Option<usize>,
    /// How long its client can pause.
    pause: Duration,
    limit: BodyLimit,
    pub(super) read: ReadBody,
    /// Bytes that have arrived and wait for a part of the budget.
    waiting: Option<Bytes>,
}

impl<'a> Upload<'a> {
    pub(super) fn new(
        budget: &'a BodyBudget,
        caller: Option<OwnerId>,
        declared: Option<usize>,
        limit: BodyLimit,
    ) -> Self {
        Self {
            pool: budget.pool_for(declared),
            caller,
            declared,
            pause: budget.upload_timeout / PAUSE_PART,
            limit,
            read: ReadBody::default(),
            waiting: None,
        }
    }

    /// Reads the bytes that have arrived; `None` if more are to come.
    pub(super) fn take_arrived(&mut self, body: &mut Body) -> Option<Result<(), BodyError>> {
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

    /// Reads the rest, which must arrive at a minimum speed.
    pub(super) async fn take_rest(&mut self, body: &mut Body) -> Result<(), BodyError> {
        // Bodies that arrived whole are never counted: they hold their memory for an instant.
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
            let frame = frame.map_err(|slow| BodyError::Unreadable(slow.into()))?;
            if let Some(done) = self.take(frame) {
                return done;
            }
        }
    }

    /// Counts an unfinished upload against its caller's share: the bytes that arrived and those that
    /// are declared, so that every upload that starts can finish.
    async fn reserve(&mut self) -> Result<(), BodyError> {
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

    /// Reads a frame. Returns the outcome if it was the last.
    fn take(
        &mut self,
        frame: Option<Result<Frame<Bytes>, axum::Error>>,
    ) -> Option<Result<(), BodyError>> {
        let Some(frame) = frame else {
            return Some(Ok(()));
        };
        let data = match frame {
            Ok(frame) => frame.into_data().ok()?,
            Err(error) => return Some(Err(BodyError::Unreadable(error.into()))),
        };
        if data.len() > self.limit.bytes - self.read.bytes.len() {
            return Some(Err(self.limit.exceeded()));
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

/// How much longer than a pause an upload of this many bytes can have taken.
fn worth(bytes: usize) -> Duration {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    Duration::from_secs(1) * bytes / MIN_BYTES_PER_SECOND
}
