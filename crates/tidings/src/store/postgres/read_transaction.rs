//! One read: a transaction that sees one moment and cannot write.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use tidings_event::OwnerId;
use tokio_postgres::{Client, Row};

use super::query::Query;
use super::read_fault::ReadFault;
use super::viewer::{VIEWER, Viewer};
use crate::store::StoreIdentity;

/// The first statements of a transaction of reads.
fn begin(limit: Duration) -> String {
    let milliseconds = limit.as_millis().max(1);
    format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {milliseconds}"
    )
}

/// A read within a transaction.
#[derive(Debug)]
pub(super) struct ReadTransaction<'a> {
    client: &'a Client,
    pub(super) identity: StoreIdentity,
}

impl<'a> ReadTransaction<'a> {
    /// Begins a transaction whose statements take at most `limit` each, and reads what `owner` sees in the same
    /// round trip.
    pub(super) async fn begin(
        client: &'a Client,
        identity: StoreIdentity,
        owner: OwnerId,
        limit: Duration,
    ) -> Result<(Self, Viewer), ReadFault> {
        let reading = Self { client, identity };
        let system = OwnerId::from(identity.system);
        let viewer = Query::new(VIEWER)
            .with(*owner.as_uuid())
            .with(*system.as_uuid());
        let begin = begin(limit);
        // Both are sent before the first is answered, in this order.
        let begun = async { Ok(client.batch_execute(&begin).await?) };
        let ((), rows) = futures_util::future::try_join(begun, reading.rows(viewer)).await?;
        let viewer = Viewer::read(&rows, identity, owner)?;
        Ok((reading, viewer))
    }

    /// Runs a statement whose rows are few.
    pub(super) async fn rows(&self, query: Query) -> Result<Vec<Row>, ReadFault> {
        rows(self.client, query).await
    }

    /// Ends the transaction.
    pub(super) async fn end(self) -> Result<(), ReadFault> {
        Ok(self.client.batch_execute("COMMIT").await?)
    }

    /// The system as the owner of its events.
    pub(super) fn system(&self) -> OwnerId {
        self.identity.system.into()
    }
}

/// Runs a statement whose rows are few.
pub(super) async fn rows(client: &Client, query: Query) -> Result<Vec<Row>, ReadFault> {
    let (sql, values) = query.into_parts();
    let rows = client.query_typed_raw(&sql, values).await?;
    Ok(rows.try_collect().await?)
}
