//! The heads of many feeds.

use tidings_event::{OwnerId, Rev};
use tokio_postgres::Client;

use super::query::Query;
use super::read_fault::ReadFault;
use super::read_transaction::rows;
use super::row::{owner, rev};

/// Each feed by the primary key, whatever the statistics say.
const HEADS: &str = "\
    SELECT wanted.owner, feed.head FROM unnest($1) AS wanted (owner) \
    CROSS JOIN LATERAL (SELECT head FROM feed WHERE owner = wanted.owner OFFSET 0) AS feed";

/// The heads of the feeds of these owners. Feeds that do not exist are left out.
pub(super) async fn heads(
    client: &Client,
    owners: &[OwnerId],
) -> Result<Vec<(OwnerId, Rev)>, ReadFault> {
    let owners: Vec<_> = owners.iter().map(|owner| *owner.as_uuid()).collect();
    let rows = rows(client, Query::new(HEADS).with(owners)).await?;
    let heads = rows.iter().map(|row| Ok((owner(row, 0)?, rev(row, 1)?)));
    heads.collect()
}
