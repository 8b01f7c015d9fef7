//! The connections that read beside the writer. Each serves one request at a time.

mod background;
mod idle;
mod slices;
#[cfg(test)]
mod tests;
mod tools;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tidings_event::{OwnerId, SystemId};

use super::fault::{OpenFault, store_error};
use super::read_connection::ReadConnection;
use crate::store::StoreError;
use crate::store::lanes::{Lane, Lanes, Widths};
use idle::{Idle, is_interrupted};
use slices::Slice;
use tools::Tools;

/// The limits of the lanes. Most reads take less than a millisecond. The last limit bounds how long a read
/// prevents the write-ahead log from being truncated.
const LIMITS: [Duration; 3] = [
    Duration::from_millis(20),
    Duration::from_millis(250),
    Duration::from_secs(10),
];

/// A pool of read connections. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct ReadPool {
    lanes: Arc<Lanes>,
    /// Those of each lane.
    tools: Arc<[Tools]>,
    idle: Arc<Idle>,
    /// Set when the store closes: running reads end early.
    closing: Arc<AtomicBool>,
}

/// The caller that waits for a read. Dropping it tells the read that nobody waits any more.
#[derive(Debug, Default)]
struct WaitingCaller {
    gone: Arc<AtomicBool>,
}

impl Drop for WaitingCaller {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

/// An attempt to read took longer than its lane allows.
struct TookTooLong;

impl ReadPool {
    /// Opens all connections now: later, no file descriptors might be left for them.
    pub(crate) fn open(
        database: &Path,
        system: SystemId,
        widths: Widths,
    ) -> Result<Self, OpenFault> {
        Self::with_limits(database, system, widths, LIMITS)
    }

    fn with_limits(
        database: &Path,
        system: SystemId,
        widths: Widths,
        limits: [Duration; 3],
    ) -> Result<Self, OpenFault> {
        let lanes = Lanes::new(widths, limits);
        let tools: std::io::Result<_> = lanes.lanes.iter().map(Tools::of).collect();
        let tools = tools.map_err(OpenFault::Thread)?;
        let idle = Idle {
            database: database.to_owned(),
            system,
            connections: Mutex::default(),
        };
        for _ in 0..widths.connections() {
            idle.put(idle.connect()?);
        }
        Ok(Self {
            lanes: Arc::new(lanes),
            tools,
            idle: Arc::new(idle),
            closing: Arc::default(),
        })
    }

    /// Runs `query` for the store itself, on a connection of its own and a thread that may block, without a
    /// time limit. The query is interrupted if its caller is dropped or the store closes.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&ReadConnection) -> rusqlite::Result<T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        match self.attempt(self.lanes.first(), None, query).await? {
            Ok(result) => Ok(result),
            Err(TookTooLong) => Err(StoreError::Internal(
                "a read without a limit had one".into(),
            )),
        }
    }

    /// Runs a query about what `owner` sees within the limits of [`Lanes`]. The query can run several
    /// times, each time from its beginning; only the result of the last run counts.
    pub(crate) async fn read_for<T: Send + 'static>(
        &self,
        owner: OwnerId,
        query: impl Fn(&ReadConnection) -> rusqlite::Result<T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let query = Arc::new(query);
        let mut limit = Duration::ZERO;
        for lane in self.lanes.of(owner) {
            let query = Arc::clone(&query);
            let attempt = self.attempt(lane, Some(owner), move |connection| query(connection));
            if let Ok(result) = attempt.await? {
                return Ok(result);
            }
            limit = lane.limit;
        }
        Err(StoreError::TookTooLong { limit })
    }

    async fn attempt<T: Send + 'static>(
        &self,
        lane: &Lane,
        owner: Option<OwnerId>,
        query: impl Fn(&ReadConnection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Result<T, TookTooLong>, StoreError> {
        let turn = lane.take_turn(owner).await?;
        let (idle, lanes) = (Arc::clone(&self.idle), Arc::clone(&self.lanes));
        let caller = WaitingCaller::default();
        let gone = Arc::clone(&caller.gone);
        let closing = Arc::clone(&self.closing);
        let limit = owner.map(|_| lane.limit);
        let tools = &self.tools[lane.number];
        let slice = tools.slices.clone().map(Slice::of);
        let job = move || {
            let begun = Instant::now();
            let late = Arc::new(AtomicBool::new(false));
            let is_late = Arc::clone(&late);
            let mut is_unwanted = move || {
                if limit.is_some_and(|limit| begun.elapsed() >= limit) {
                    is_late.store(true, Ordering::Relaxed);
                }
                is_late.load(Ordering::Relaxed)
                    || gone.load(Ordering::Relaxed)
                    || closing.load(Ordering::Relaxed)
            };
            let slice = Arc::new(Mutex::new(slice));
            let in_slices = Arc::clone(&slice);
            let look = move || {
                let mut slice = in_slices.lock().unwrap_or_else(PoisonError::into_inner);
                let goes_on = slice
                    .as_mut()
                    .is_none_or(|slice| slice.go_on(&mut is_unwanted));
                !goes_on || is_unwanted()
            };
            let result = idle.read(query, look);
            let slice = slice.lock().unwrap_or_else(PoisonError::into_inner).take();
            let waited = slice.map_or(Duration::ZERO, |slice| slice.waited());
            if let Some(owner) = owner {
                lanes.charge(owner, begun.elapsed().saturating_sub(waited));
            }
            // The turn lasts until the query has ended, even if its caller is gone.
            drop(turn);
            match result {
                Ok(result) => Ok(Ok(result)),
                Err(error) if is_interrupted(&error) && late.load(Ordering::Relaxed) => {
                    Ok(Err(TookTooLong))
                }
                Err(error) => Err(error),
            }
        };
        let result = match &tools.threads {
            Some(threads) => threads.run(job).await.map_err(|panic| panic.into()),
            None => tokio::task::spawn_blocking(job)
                .await
                .map_err(|panic| panic.into()),
        };
        let result = result.map_err(StoreError::Internal)?;
        if result.is_err() && self.closing.load(Ordering::Relaxed) {
            return Err(StoreError::Closed);
        }
        result.map_err(store_error)
    }

    /// Rejects new reads, waits for running reads, and closes the connections.
    pub(crate) async fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.lanes.close().await;
        self.idle.take_all();
    }
}
