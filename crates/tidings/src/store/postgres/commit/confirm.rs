//! Makes the rows that a transaction has read as durable as rows that it writes.
//!
//! After a crash and a restart, PostgreSQL shows commits that its synchronous standby does not have yet. A
//! promotion of the standby would lose them. A commit that writes waits until the standby has it, and then the
//! standby also has all commits before it.

use std::sync::atomic::AtomicU64;

use tokio_postgres::Error;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::pipeline::Pipeline;
use crate::store::postgres::pool::Connection;

/// Writes the rows that are locked already, without a change.
const TOUCH_FEEDS: &str = "UPDATE feed SET head = head WHERE owner = ANY($1::uuid[])";

/// Ends the transaction once everything that it has read about the feeds of `owners` is durable.
pub(super) async fn confirm(
    connection: &Connection,
    sent: &AtomicU64,
    owners: &[Uuid],
) -> Result<(), Error> {
    let touch = connection.prepared(TOUCH_FEEDS).await?;
    let parameters: [&(dyn ToSql + Sync); 1] = [&owners];
    let mut pipeline = Pipeline::new(connection, sent);
    pipeline.send(&touch, &parameters).await;
    pipeline.send_simple("COMMIT").await;
    pipeline.finish().await.map(drop)
}
