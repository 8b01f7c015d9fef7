//! Finds the owners of an event that went to several.

use tidings_event::{EventId, OwnerId, SystemId};
use tokio_postgres::Client;
use uuid::Uuid;

use super::fault::store_error;
use super::pool::Pool;
use crate::store::StoreError;

const OWNERS: &str = "SELECT owner FROM event WHERE id = $1 AND owner > $2 AND system_id = $3 \
     AND shared IS NOT NULL ORDER BY owner LIMIT $4";

/// The next owners after `after`.
pub(super) async fn owners(
    pool: &Pool,
    id: EventId,
    system: SystemId,
    after: Option<OwnerId>,
    limit: usize,
) -> Result<Vec<OwnerId>, StoreError> {
    let connection = pool.get().await?;
    let statement = connection.prepared(OWNERS).await.map_err(store_error)?;
    let client: &Client = &connection;
    let after = after.map_or(Uuid::nil(), |owner| *owner.as_uuid());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = client
        .query(
            &statement,
            &[id.as_uuid(), &after, system.as_uuid(), &limit],
        )
        .await
        .map_err(store_error)?;
    let owners = rows
        .iter()
        .map(|row| row.try_get(0).map(OwnerId::from_uuid));
    owners.collect::<Result<_, _>>().map_err(store_error)
}
