//! The connections for reads, with the lanes in which reads wait for them.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tidings_event::OwnerId;
use tokio::sync::watch;
use tokio_postgres::Client;

use super::lent::Lent;
use super::pool::Pool;
use super::read_fault::ReadFault;
use super::read_transaction::ReadTransaction;
use super::viewer::Viewer;
use crate::store::lanes::{Lane, Lanes, Widths};
use crate::store::{StoreError, StoreIdentity};

/// The limits of the lanes. Most reads take a millisecond or two.
const LIMITS: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(500),
    Duration::from_secs(10),
];

/// A pool of connections that read. A read begins in the first lane of its owner; see [`Lanes`].
#[derive(Debug)]
pub(super) struct ReadPool {
    identity: StoreIdentity,
    pool: Pool,
    lanes: Lanes,
    /// Set when the store closes: running reads end early.
    closing: watch::Sender<bool>,
}

/// How many reads wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueBounds {
    /// Of one owner in one lane.
    pub(super) each: usize,
    /// In one lane.
    pub(super) all: usize,
}

/// The lanes of a number of connections.
fn widths(connections: usize, waiting: QueueBounds) -> Widths {
    let connections = u32::try_from(connections).unwrap_or(u32::MAX);
    let long = (connections / 4).max(1);
    Widths {
        lanes: match connections {
            0 | 1 => [0, 0, 1],
            2 => [1, 0, 1],
            _ => [connections - 2 * long, long, long],
        },
        sharing: 1,
        waiting_each: waiting.each,
        waiting: waiting.all,
    }
}

impl ReadPool {
    pub(super) fn new(identity: StoreIdentity, pool: Pool, waiting: QueueBounds) -> Self {
        Self::with_limits(identity, pool, waiting, LIMITS)
    }

    fn with_limits(
        identity: StoreIdentity,
        pool: Pool,
        waiting: QueueBounds,
        limits: [Duration; 3],
    ) -> Self {
        Self {
            identity,
            lanes: Lanes::new(widths(pool.most(), waiting), limits),
            pool,
            closing: watch::Sender::new(false),
        }
    }

    /// Runs a read for `owner`, in a transaction of its own. It can run several times, each time from its beginning;
    /// only the result of the last run counts. Dropping the future ends the transaction.
    pub(super) async fn read_for<T: Send>(
        &self,
        owner: OwnerId,
        read: impl for<'a> Fn(
            &'a ReadTransaction<'a>,
            &'a Viewer,
        ) -> BoxFuture<'a, Result<T, ReadFault>>
        + Send
        + Sync,
    ) -> Result<T, StoreError> {
        let mut limit = Duration::ZERO;
        for lane in self.lanes.of(owner) {
            limit = lane.limit;
            let run = async |lent: &Lent| {
                lent.begins();
                let begun =
                    ReadTransaction::begin(lent.client(), self.identity, owner, limit).await;
                let (reading, viewer) = begun?;
                let result = read(&reading, &viewer).await?;
                lent.ends();
                reading.end().await?;
                Ok(result)
            };
            let mut lent = self.lend(lane, Some(owner)).await?;
            let begun = Instant::now();
            let mut result = self.within(limit, run(&lent)).await;
            if result.as_ref().is_err_and(Failed::is_of_connection) {
                // The server has ended it since it was used last, or ended it now: reading again is no mistake.
                lent = lent.replace().await?;
                result = self.within(limit, run(&lent)).await;
            }
            self.lanes.charge(owner, begun.elapsed());
            match result {
                Ok(result) => {
                    lent.give_back();
                    return Ok(result);
                }
                Err(Failed::TookTooLong) => {}
                Err(Failed::Closed) => return Err(StoreError::Closed),
                Err(Failed::Fault(fault)) => return Err(fault.into()),
            }
        }
        Err(StoreError::TookTooLong { limit })
    }

    /// Runs a short read for the engine itself, which is one statement.
    pub(super) async fn read<T: Send>(
        &self,
        read: impl for<'a> Fn(&'a Client) -> BoxFuture<'a, Result<T, ReadFault>> + Send + Sync,
    ) -> Result<T, StoreError> {
        let [.., longest] = LIMITS;
        let mut lent = self.lend(self.lanes.first(), None).await?;
        let mut result = self.within(longest, read(lent.client())).await;
        if result.as_ref().is_err_and(Failed::is_of_connection) {
            lent = lent.replace().await?;
            result = self.within(longest, read(lent.client())).await;
        }
        match result {
            Ok(result) => {
                lent.give_back();
                Ok(result)
            }
            Err(Failed::TookTooLong) => Err(StoreError::TookTooLong { limit: longest }),
            Err(Failed::Closed) => Err(StoreError::Closed),
            Err(Failed::Fault(fault)) => Err(fault.into()),
        }
    }

    /// Waits for a turn and a connection.
    async fn lend(&self, lane: &Lane, owner: Option<OwnerId>) -> Result<Lent, StoreError> {
        let turn = lane.take_turn(owner).await?;
        Lent::new(self.pool.clone(), turn).await
    }

    /// The result of a read, unless it takes longer than `limit` or the store closes.
    async fn within<T>(
        &self,
        limit: Duration,
        read: impl Future<Output = Result<T, ReadFault>>,
    ) -> Result<T, Failed> {
        let mut closing = self.closing.subscribe();
        tokio::select! {
            biased;
            result = read => result.map_err(Failed::from),
            () = tokio::time::sleep(limit) => Err(Failed::TookTooLong),
            _ = closing.wait_for(|closing| *closing) => Err(Failed::Closed),
        }
    }

    /// Rejects new reads, ends the running ones, and closes the connections.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        self.lanes.close().await;
        self.pool.close();
    }
}

/// Why an attempt to read gave no result.
#[derive(Debug)]
enum Failed {
    TookTooLong,
    Closed,
    Fault(ReadFault),
}

impl Failed {
    fn is_of_connection(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.is_of_connection())
    }
}

impl From<ReadFault> for Failed {
    fn from(fault: ReadFault) -> Self {
        match fault.is_time_out() {
            true => Self::TookTooLong,
            false => Self::Fault(fault),
        }
    }
}
