//! A connection that a read has borrowed, with the turn of the read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tidings_event::OwnerId;
use tokio::runtime::Handle;
use tokio_postgres::Client;

use super::pool::{Pool, Pooled};
use crate::store::StoreError;
use crate::turns::Turn;

/// How long an unwanted read may go on. Most reads end within it, and then their connection is used again.
const GRACE: Duration = Duration::from_millis(50);

/// How long it may take to tell the server that a read has to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A borrowed connection. Dropping it does not end its read: another read gets the turn when that read has ended, or
/// when the server was told to end it.
#[derive(Debug)]
pub(super) struct Lent {
    /// `None` once it is given back.
    lent: Option<(Pooled, Turn<Option<OwnerId>>)>,
    /// Whether the begin of a transaction was sent, and not its end.
    in_transaction: AtomicBool,
    pool: Pool,
}

impl Lent {
    /// Waits for a connection.
    pub(super) async fn new(pool: Pool, turn: Turn<Option<OwnerId>>) -> Result<Self, StoreError> {
        let connection = pool.get().await?;
        Ok(Self {
            lent: Some((connection, turn)),
            in_transaction: AtomicBool::new(false),
            pool,
        })
    }

    /// The same turn with another connection instead of one that has ended.
    pub(super) async fn replace(mut self) -> Result<Self, StoreError> {
        let (ended, turn) = self.lent.take().expect("it is not given back");
        ended.close();
        self.pool.forget_idle();
        Self::new(self.pool.clone(), turn).await
    }

    pub(super) fn client(&self) -> &Client {
        let (connection, _) = self.lent.as_ref().expect("it is not given back");
        connection
    }

    /// Notes that the begin of a transaction is sent now, before anything else is awaited.
    pub(super) fn begins(&self) {
        self.in_transaction.store(true, Ordering::Relaxed);
    }

    /// Notes that the end of the transaction is sent now, before anything else is awaited.
    pub(super) fn ends(&self) {
        self.in_transaction.store(false, Ordering::Relaxed);
    }

    /// Gives the connection back after its transaction has ended.
    pub(super) fn give_back(mut self) {
        self.lent = None;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some((connection, turn)) = self.lent.take() else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            connection.close();
            return;
        };
        let pool = self.pool.clone();
        // Its response comes after that of the read. Outside of a transaction the server would warn of a rollback.
        let last = match self.in_transaction.load(Ordering::Relaxed) {
            true => "ROLLBACK",
            false => "",
        };
        runtime.spawn(async move {
            let ended = connection.batch_execute(last);
            match tokio::time::timeout(GRACE, ended).await {
                Ok(Ok(())) => drop(connection),
                Ok(Err(_)) => connection.close(),
                Err(_) => {
                    // It reaches the server at some time after this and would end the next statement, so that
                    // the connection is not used again.
                    let _ = tokio::time::timeout(PATIENCE, pool.cancel(&connection)).await;
                    connection.close();
                }
            }
            drop(turn);
        });
    }
}
