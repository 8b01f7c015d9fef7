//! Maintains the store: forgets old deletions, overlays of deleted system events, and noted changes that no node
//! needs any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidings_event::{OwnerId, Severity, Status, Timestamp};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Transaction};
use uuid::Uuid;

use super::commit::LOCK_FEEDS;
use super::fault::store_error;
use super::pool::{Pool, Pooled};
use super::read_fault::ReadFault;
use super::row::{moment, severity};
use super::search_blocks;
use super::viewer::check_identity;
use crate::store::kind::Kind;
use crate::store::moment::nanoseconds;
use crate::store::{Progress, StoreError, StoreIdentity};

/// The most deletions that are forgotten at a time: a commit of a few milliseconds.
const TOMBSTONES_AT_A_TIME: i64 = 512;

/// The most overlays that are removed at a time.
const OVERLAYS_AT_A_TIME: usize = 512;

/// The most noted changes that are dropped at a time.
const CHANGES_AT_A_TIME: i64 = 4096;

/// How long changes are noted for other nodes, far longer than a node that follows a feed needs to hear of them.
const CHANGES_KEPT: Duration = Duration::from_secs(600);

/// Maintenance, in transactions of its own.
#[derive(Debug)]
pub(super) struct Maintenance {
    pool: Pool,
    /// How long the overlays of a deleted system event are kept.
    keep_overlays: Duration,
    /// The feed that was added to the search index last.
    last_indexed: Mutex<OwnerId>,
}

impl Maintenance {
    pub(super) fn new(pool: Pool, keep_overlays: Duration) -> Self {
        Self {
            pool,
            keep_overlays,
            last_indexed: Mutex::new(OwnerId::from_uuid(Uuid::nil())),
        }
    }

    /// The trusted time of the store's last use.
    pub(super) async fn last_use(&self) -> Result<Option<Timestamp>, StoreError> {
        let connection = self.pool.get().await?;
        let row = connection.query_opt("SELECT at FROM last_use", &[]).await;
        let row = row.map_err(store_error)?;
        Ok(row.map(|row| moment(&row, 0)).transpose()?)
    }

    /// Stores the trusted time for the next start.
    pub(super) async fn note_use(&self, at: Timestamp) -> Result<(), StoreError> {
        let connection = self.pool.get().await?;
        let noted = connection
            .execute(
                "INSERT INTO last_use (at) VALUES ($1) \
                 ON CONFLICT (only_row) DO UPDATE SET at = excluded.at",
                &[&nanoseconds(at)],
            )
            .await;
        noted.map(drop).map_err(store_error)
    }

    /// Checks that the server takes events, and that it has the store that this node has opened.
    pub(super) async fn check(&self, identity: StoreIdentity) -> Result<(), StoreError> {
        let connection = self.pool.get().await?;
        // A standby rejects an update even if it matches no row.
        let checked = async {
            connection
                .execute("UPDATE installation SET only_row = true WHERE false", &[])
                .await?;
            connection
                .query_opt("SELECT epoch, system_id FROM installation", &[])
                .await
        };
        let row = checked.await.map_err(|error| {
            let error = store_error(error);
            connection.close();
            error
        })?;
        let row = row.ok_or(ReadFault::Restored)?;
        Ok(check_identity(&row, identity)?)
    }

    /// Forgets some deletions before a moment or, if there are none, some beyond the last `kept` of an owner,
    /// and raises the floors of their feeds.
    pub(super) async fn forget(
        &self,
        before: Timestamp,
        kept: u64,
    ) -> Result<(u64, Progress), StoreError> {
        let mut connection = self.pool.get().await?;
        connection
            .execute(
                "DELETE FROM audience WHERE key = ANY (ARRAY(SELECT key FROM audience \
                 WHERE retracted_at < $1 AND members = 0 LIMIT $2)) AND members = 0",
                &[&nanoseconds(before), &TOMBSTONES_AT_A_TIME],
            )
            .await
            .map_err(store_error)?;
        let mut tombstones = connection
            .query(
                "SELECT owner, id FROM tombstone WHERE deleted_at < $1 \
                 ORDER BY deleted_at LIMIT $2",
                &[&nanoseconds(before), &TOMBSTONES_AT_A_TIME],
            )
            .await
            .map_err(store_error)?;
        if tombstones.is_empty() {
            tombstones = too_many(&connection, kept).await.map_err(store_error)?;
        }
        if tombstones.is_empty() {
            return Ok((0, Progress::Done));
        }
        let forgotten = forget(&mut connection, &tombstones).await;
        Ok((forgotten.map_err(store_error)?, Progress::More))
    }

    /// A step of maintenance.
    pub(super) async fn tidy(&self) -> Result<Progress, StoreError> {
        let mut connection = self.pool.get().await?;
        let removed = self.remove_overlays(&mut connection).await?;
        let dropped = drop_changes(&connection).await.map_err(store_error)?;
        let indexed = self.index(&connection).await?;
        Ok(match removed || dropped || indexed {
            true => Progress::More,
            false => Progress::Done,
        })
    }

    /// Adds some events to the search index. Feeds take turns. Returns whether there were any.
    async fn index(&self, connection: &Pooled) -> Result<bool, StoreError> {
        let after = *self.last_indexed();
        let (progress, after) = search_blocks::build_some(connection, after).await?;
        *self.last_indexed() = after;
        Ok(progress == Progress::More)
    }

    fn last_indexed(&self) -> MutexGuard<'_, OwnerId> {
        self.last_indexed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes some overlays of deleted system events, and their counts. Returns whether there were such
    /// events.
    async fn remove_overlays(&self, connection: &mut Pooled) -> Result<bool, StoreError> {
        let kept = self.keep_overlays.as_secs_f64();
        let ended = connection
            .query(
                "SELECT owner, system_rev, severity FROM ended \
                 WHERE ended_at <= ((extract(epoch FROM now()) - $1::float8) * 1000000000)::bigint \
                 ORDER BY ended_at, system_rev LIMIT $2",
                &[&kept, &(OVERLAYS_AT_A_TIME as i64)],
            )
            .await
            .map_err(store_error)?;
        if ended.is_empty() {
            return Ok(false);
        }
        let transaction = connection.transaction().await.map_err(store_error)?;
        let mut room = OVERLAYS_AT_A_TIME;
        let (mut found, mut owners) = (Vec::new(), BTreeSet::new());
        for row in &ended {
            if room == 0 {
                break;
            }
            let one = Ended::find(&transaction, row, room).await?;
            // An event without overlays costs something, too.
            room = room.saturating_sub(one.owners.len().max(1));
            owners.extend(one.owners.iter().copied());
            found.push(one);
        }
        // Locks the feeds of all events at once. Event by event, the order would differ from that of commits.
        let owners: Vec<Uuid> = owners.into_iter().collect();
        let locked = transaction.query(LOCK_FEEDS, &[&owners]).await;
        locked.map_err(store_error)?;
        for one in &found {
            one.remove_overlays(&transaction).await?;
        }
        transaction.commit().await.map_err(store_error)?;
        Ok(true)
    }
}

/// The oldest deletions of an owner who has more than `kept`.
async fn too_many(connection: &Pooled, kept: u64) -> Result<Vec<Row>, tokio_postgres::Error> {
    let kept = i64::try_from(kept).unwrap_or(i64::MAX);
    let feed = connection
        .query_opt(
            // The index's own condition; see `0001_events.sql`.
            "SELECT owner, deletions FROM feed WHERE deletions > 1000 AND deletions > $1 LIMIT 1",
            &[&kept],
        )
        .await?;
    let Some(feed) = feed else {
        return Ok(Vec::new());
    };
    let (owner, deletions): (Uuid, i64) = (feed.get(0), feed.get(1));
    let excess = (deletions - kept).min(TOMBSTONES_AT_A_TIME);
    connection
        .query(
            "SELECT owner, id FROM tombstone WHERE owner = $1 ORDER BY deleted_rev LIMIT $2",
            &[&owner, &excess],
        )
        .await
}

/// Forgets deletions, in one transaction. Returns how many.
async fn forget(connection: &mut Pooled, tombstones: &[Row]) -> Result<u64, tokio_postgres::Error> {
    let mut by_owner: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for row in tombstones {
        by_owner.entry(row.get(0)).or_default().push(row.get(1));
    }
    let owners: Vec<Uuid> = by_owner.keys().copied().collect();
    let transaction = connection.transaction().await?;
    transaction.query(LOCK_FEEDS, &[&owners]).await?;
    let mut forgotten = 0;
    for (owner, ids) in by_owner {
        let row = transaction
            .query_one(
                "WITH gone AS (DELETE FROM tombstone WHERE owner = $1 AND id = ANY ($2) \
                 RETURNING deleted_rev) SELECT count(*), max(deleted_rev) FROM gone",
                &[&owner, &ids],
            )
            .await?;
        let (number, last): (i64, Option<i64>) = (row.get(0), row.get(1));
        transaction
            .execute(
                "UPDATE feed SET floor = greatest(floor, $2), deletions = deletions - $3 \
                 WHERE owner = $1",
                &[&owner, &last, &number],
            )
            .await?;
        forgotten += number.unsigned_abs();
    }
    transaction.commit().await?;
    Ok(forgotten)
}

/// Drops some of the noted changes that no node needs any more. Returns whether there were any.
async fn drop_changes(connection: &Pooled) -> Result<bool, tokio_postgres::Error> {
    let mut dropped = 0;
    for table in ["recent_change", "recent_update"] {
        let sql = format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} \
             WHERE noted_at < now() - make_interval(secs => $1) ORDER BY noted_at LIMIT $2))"
        );
        let parameters: [&(dyn ToSql + Sync); 2] =
            [&CHANGES_KEPT.as_secs_f64(), &CHANGES_AT_A_TIME];
        dropped += connection.execute(&sql, &parameters).await?;
    }
    Ok(dropped > 0)
}

/// A deleted system event, and overlays of it.
struct Ended {
    system: Uuid,
    rev: i64,
    severity: Severity,
    /// The owners of the overlays.
    owners: Vec<Uuid>,
    /// Whether it has no other overlays.
    is_all: bool,
}

impl Ended {
    /// The event of a row, with at most `room` of its overlays.
    async fn find(
        transaction: &Transaction<'_>,
        row: &Row,
        room: usize,
    ) -> Result<Self, StoreError> {
        let rev: i64 = row.get(1);
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let rows = transaction
            .query(
                "SELECT owner FROM overlay WHERE system_rev = $1 ORDER BY owner LIMIT $2",
                &[&rev, &limit],
            )
            .await
            .map_err(store_error)?;
        Ok(Self {
            system: row.get(0),
            rev,
            severity: severity(row, 2)?,
            owners: rows.iter().map(|row| row.get(0)).collect(),
            is_all: rows.len() < room,
        })
    }

    /// Removes the overlays, whose feeds are locked. The row of the event goes with the last; before that it says
    /// that some are missing.
    async fn remove_overlays(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let index = i32::from(Kind::of(self.severity, Status::Unread).number() / 2) + 1;
        transaction
            .execute(
                // Arrays begin at 1.
                "WITH gone AS (DELETE FROM overlay WHERE system_rev = $1 AND owner = ANY ($2) \
                 RETURNING owner, status, deleted) \
                 UPDATE feed SET overlay_read[$3] = overlay_read[$3] \
                 - (NOT gone.deleted AND gone.status = 1)::int, \
                 overlay_deleted[$3] = overlay_deleted[$3] - gone.deleted::int \
                 FROM gone WHERE feed.owner = gone.owner",
                &[&self.rev, &self.owners, &index],
            )
            .await
            .map_err(store_error)?;
        let rest = match self.is_all {
            true => "DELETE FROM ended WHERE owner = $1 AND system_rev = $2",
            false => "UPDATE ended SET ended_at = 0 WHERE owner = $1 AND system_rev = $2",
        };
        let done = transaction.execute(rest, &[&self.system, &self.rev]).await;
        done.map(drop).map_err(store_error)
    }
}
