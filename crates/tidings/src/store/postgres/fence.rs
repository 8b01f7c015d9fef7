//! Keeps the nodes of a store that is moved away from committing to it.
//!
//! A move cannot see a node whose connections were just cut. So it gives the old database another epoch, which every
//! commit compares in its own transaction, once it has the locks of its feeds.

use std::time::Duration;

use tidings_event::wire::Epoch;
use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::open_fault::{OpenFault, SideFault};
use super::pool::Connection;

/// This table exists once a move of the store to another place has begun. It has the epoch of the rows.
pub(super) const MOVED_AWAY: &str = "moved_away";

/// Waits for the transactions that change something. Later transactions see the new epoch, because PostgreSQL takes
/// the locks of a statement before its snapshot. Reads continue.
const LOCK: &str = "LOCK TABLE feed, last_revocation IN EXCLUSIVE MODE";

/// Keeps all nodes from committing from now on, and returns the epoch of the rows. Waits at most `limit` for commits
/// that have begun.
pub(super) async fn raise(
    connection: &mut Connection,
    limit: Duration,
) -> Result<Epoch, SideFault> {
    let raised = async {
        let transaction = connection.transaction().await?;
        let milliseconds = limit.as_millis().max(1);
        transaction
            .batch_execute(&format!(
                "SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = {milliseconds}; {LOCK}; \
                 CREATE TABLE IF NOT EXISTS {MOVED_AWAY} \
                 (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), epoch uuid NOT NULL)"
            ))
            .await?;
        let is_new = transaction
            .execute(
                "INSERT INTO moved_away (epoch) SELECT epoch FROM installation ON CONFLICT DO NOTHING",
                &[],
            )
            .await?;
        if is_new > 0 {
            renew_epoch(&transaction).await?;
        }
        let row = transaction
            .query_one("SELECT epoch FROM moved_away", &[])
            .await?;
        let epoch: Uuid = row.try_get(0)?;
        transaction.commit().await?;
        Ok(Epoch::from_uuid(epoch))
    };
    raised.await.map_err(|error: tokio_postgres::Error| {
        match error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
            true => SideFault::Busy(limit),
            false => OpenFault::Statement(error).into(),
        }
    })
}

/// Lets nodes use the database again.
pub(super) async fn lower(transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
    let sql = format!("DROP TABLE IF EXISTS {MOVED_AWAY}");
    transaction.batch_execute(&sql).await
}

/// Gives the store another epoch.
pub(super) async fn renew_epoch(
    transaction: &Transaction<'_>,
) -> Result<(), tokio_postgres::Error> {
    let epoch = *Epoch::mint().as_uuid();
    let sql = "UPDATE installation SET epoch = $1";
    transaction.execute(sql, &[&epoch]).await.map(drop)
}
