//! Finds the events whose publishers' time for their deletion has come.

use tidings_event::{EventId, OwnerId, Timestamp};
use tokio_postgres::Client;

use super::fault::store_error;
use super::pool::Pool;
use crate::store::StoreError;
use crate::store::due::{DueEvents, EVENTS_AT_A_TIME};
use crate::store::moment::nanoseconds;

const DUE: &str = "SELECT owner, id FROM event WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2";

/// The first events that expire until `now`.
pub(super) async fn due(pool: &Pool, now: Timestamp) -> Result<DueEvents, StoreError> {
    let connection = pool.get().await?;
    let limit = i64::try_from(EVENTS_AT_A_TIME).unwrap_or(i64::MAX);
    let statement = connection.prepared(DUE).await.map_err(store_error)?;
    let client: &Client = &connection;
    let rows = client
        .query(&statement, &[&nanoseconds(now), &limit])
        .await
        .map_err(store_error)?;
    let mut events = DueEvents::default();
    for row in rows {
        let (owner, id) = (
            row.try_get(0).map_err(store_error)?,
            row.try_get(1).map_err(store_error)?,
        );
        events.add(OwnerId::from_uuid(owner), EventId::from_uuid(id));
    }
    Ok(events)
}
