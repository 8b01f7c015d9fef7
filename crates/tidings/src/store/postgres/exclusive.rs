//! A store that is moved, or moved into.

use tidings_event::wire::Epoch;
use tidings_event::{SystemId, Timestamp};
use tokio_postgres::Row;

use super::connect::Connector;
use super::fault::store_error;
use super::fence;
use super::lead::{UNFINISHED_MOVE, alone};
use super::open_fault::{OpenFault, SideFault};
use super::pool::{Connection, Role};
use super::{audit, export, import, migrate, revocations};
use crate::config::PostgresConfig;
use crate::store::audit::Audit;
use crate::store::moment::{moment, nanoseconds};
use crate::store::records::{Part, Record, RecordPosition, StoreHead, StoreState, TargetState};
use crate::store::{RevokedToken, StoreError, StoreIdentity};

/// One moment of the store.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";

/// A move has no time limit. A crash can lose its last writes; the move then writes them again.
const PATIENT: &str = "\
    SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET synchronous_commit = off";

/// How far a move has got. The table is there until the move is complete.
const MARK: &str = "\
    CREATE TABLE unfinished_move (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), \
    feeds bigint NOT NULL, heads bigint NOT NULL, floors bigint NOT NULL, deletions bigint NOT NULL, \
    ended bigint NOT NULL, part smallint NOT NULL, owner uuid NOT NULL, rev bigint NOT NULL)";

/// A database whose rows are read or written by this process alone.
#[derive(Debug)]
pub(crate) struct ExclusivePostgres {
    connection: Connection,
    /// The epoch of the rows. The database has another one while they are moved.
    epoch: Option<Epoch>,
}

impl ExclusivePostgres {
    /// Opens a store to be read, and upgrades an old schema. `None` if there is none. From then on no node can commit
    /// to it.
    pub(crate) async fn source(config: &PostgresConfig) -> Result<Option<Self>, SideFault> {
        let (connector, mut side) = Self::alone(config).await?;
        if !side.has_table("installation").await? {
            return Ok(None);
        }
        if side.has_table(UNFINISHED_MOVE).await? {
            return Err(OpenFault::UnfinishedMove.into());
        }
        migrate::prepare(&connector).await?;
        side.epoch = Some(fence::raise(&mut side.connection, connector.timeout() * 2).await?);
        side.execute(READ).await?;
        Ok(Some(side))
    }

    /// Opens a database to be written, and makes the schema.
    pub(crate) async fn target(config: &PostgresConfig) -> Result<(Self, TargetState), SideFault> {
        let (connector, side) = Self::alone(config).await?;
        migrate::prepare(&connector).await?;
        if side.has_table(UNFINISHED_MOVE).await? {
            let state = side.progress().await.map_err(OpenFault::Statement)?;
            return Ok((side, state));
        }
        let used = side.connection.query_one(
            "SELECT EXISTS (SELECT 1 FROM feed) OR EXISTS (SELECT 1 FROM event)",
            &[],
        );
        let used = used.await.map_err(OpenFault::Statement)?;
        match used.get(0) {
            true => Ok((side, TargetState::Used)),
            false => Ok((side, TargetState::New)),
        }
    }

    async fn alone(config: &PostgresConfig) -> Result<(Connector, Self), SideFault> {
        let connector = Connector::new(config)?;
        let role = Role::Commit {
            lossy: config.allow_lossy_commit,
        };
        let connection = alone(&connector, role).await?.ok_or(SideFault::InUse)?;
        let side = Self {
            connection,
            epoch: None,
        };
        side.execute(PATIENT).await?;
        Ok((connector, side))
    }

    async fn execute(&self, sql: &str) -> Result<(), OpenFault> {
        let done = self.connection.batch_execute(sql).await;
        done.map_err(OpenFault::Statement)
    }

    async fn has_table(&self, name: &str) -> Result<bool, OpenFault> {
        let sql = "SELECT to_regclass($1) IS NOT NULL";
        let row = self.connection.query_one(sql, &[&name]).await;
        Ok(row.map_err(OpenFault::Statement)?.get(0))
    }

    async fn progress(&self) -> Result<TargetState, tokio_postgres::Error> {
        let sql = "SELECT feeds, heads, floors, deletions, ended, system_id, epoch, part, owner, rev \
                   FROM unfinished_move, installation";
        let row = self.connection.query_one(sql, &[]).await?;
        Ok(TargetState::Unfinished {
            state: state(&row)?,
            identity: identity(&row, 5)?,
            part: row.try_get(7)?,
            place: RecordPosition {
                owner: row.try_get(8)?,
                rev: row.try_get(9)?,
            },
        })
    }

    /// Marks the empty store as one that takes the rows of `source`.
    pub(crate) async fn create(&mut self, source: &StoreHead) -> Result<(), StoreError> {
        let made = async {
            let transaction = self.connection.transaction().await?;
            transaction.batch_execute(MARK).await?;
            let state = source.state;
            let begin = RecordPosition::BEGINNING;
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] = [
                &state.feeds,
                &state.heads,
                &state.floors,
                &state.deletions,
                &state.ended,
                &begin.owner,
                &begin.rev,
            ];
            let sql = "INSERT INTO unfinished_move \
                       (feeds, heads, floors, deletions, ended, part, owner, rev) \
                       VALUES ($1, $2, $3, $4, $5, 0, $6, $7)";
            transaction.execute(sql, &values).await?;
            let identity = source.identity;
            let (system, epoch) = (*identity.system.as_uuid(), *identity.epoch.as_uuid());
            transaction
                .execute(
                    "UPDATE installation SET system_id = $1, epoch = $2",
                    &[&system, &epoch],
                )
                .await?;
            transaction.batch_execute("DELETE FROM last_use").await?;
            // An earlier store was moved away, and its rows were deleted.
            fence::lower(&transaction).await?;
            transaction.commit().await
        };
        made.await.map_err(store_error)
    }

    pub(crate) async fn head(&self) -> Result<StoreHead, StoreError> {
        let sql = "SELECT count(*), coalesce(sum(head), 0)::bigint, coalesce(sum(floor), 0)::bigint, \
                   coalesce(sum(deletions), 0)::bigint, (SELECT count(*) FROM ended), \
                   (SELECT system_id FROM installation), (SELECT epoch FROM installation), \
                   (SELECT at FROM last_use), (SELECT count(*) FROM event) FROM feed";
        let read = async {
            let row = self.connection.query_one(sql, &[]).await?;
            let last_use: Option<i64> = row.try_get(7)?;
            let mut identity = identity(&row, 5)?;
            identity.epoch = self.epoch.unwrap_or(identity.epoch);
            Ok(StoreHead {
                identity,
                last_use: last_use.map(moment),
                events: row.try_get::<_, i64>(8)?.unsigned_abs(),
                state: state(&row)?,
            })
        };
        read.await.map_err(store_error)
    }

    pub(crate) async fn page(
        &self,
        part: Part,
        after: RecordPosition,
    ) -> Result<Vec<Record>, StoreError> {
        Ok(export::page(&self.connection, part, after).await?)
    }

    pub(crate) async fn write(
        &mut self,
        records: &[Record],
        part: i16,
        place: RecordPosition,
    ) -> Result<(), StoreError> {
        let written = import::write(&mut self.connection, records, part, place).await;
        written.map_err(store_error)
    }

    /// The tokens that all nodes reject.
    pub(crate) async fn revoked(&self) -> Result<Vec<RevokedToken>, StoreError> {
        revocations::all(&self.connection).await
    }

    /// Adds tokens that all nodes reject.
    pub(crate) async fn revoke(&mut self, tokens: &[RevokedToken]) -> Result<(), StoreError> {
        revocations::add_all(&mut self.connection, tokens).await
    }

    /// Counts everything again.
    pub(crate) async fn audit(&mut self) -> Result<Audit, StoreError> {
        // Without statistics, PostgreSQL plans for empty tables.
        let analyzed = self
            .connection
            .batch_execute("ANALYZE feed, event, tombstone, overlay, ended");
        analyzed.await.map_err(store_error)?;
        Ok(audit::audit(&mut self.connection, None).await?)
    }

    /// Lets nodes open the store, from now on or not at all.
    pub(crate) async fn finish(&mut self, source: &StoreHead) -> Result<(), StoreError> {
        let at: Option<Timestamp> = source.last_use;
        let finished = async {
            let transaction = self.connection.transaction().await?;
            transaction
                .batch_execute("SET LOCAL synchronous_commit = on; DROP TABLE unfinished_move")
                .await?;
            if let Some(at) = at {
                let sql = "INSERT INTO last_use (at) VALUES ($1)";
                transaction.execute(sql, &[&nanoseconds(at)]).await?;
            }
            transaction.commit().await
        };
        finished.await.map_err(store_error)
    }

    /// Releases the lock of the nodes.
    pub(crate) async fn release(self) {
        // If it fails, the connection is lost, and the lock with it.
        let _ = self
            .connection
            .batch_execute("ROLLBACK; SELECT pg_advisory_unlock_all()")
            .await;
    }
}

/// Renews the epoch of a store, so that every cursor gets a reset. No node may use it. A store that was moved away can be
/// used again.
pub(crate) async fn renew_epoch(config: &PostgresConfig) -> Result<(), SideFault> {
    let (connector, mut side) = ExclusivePostgres::alone(config).await?;
    if !side.has_table("installation").await? {
        return Err(OpenFault::NoStore.into());
    }
    if side.has_table(UNFINISHED_MOVE).await? {
        return Err(OpenFault::UnfinishedMove.into());
    }
    migrate::prepare(&connector).await?;
    side.execute("SET synchronous_commit = on").await?;
    let renewed = async {
        let transaction = side.connection.transaction().await?;
        fence::lower(&transaction).await?;
        fence::renew_epoch(&transaction).await?;
        transaction.commit().await
    };
    Ok(renewed.await.map_err(OpenFault::Statement)?)
}

/// The columns `feeds, heads, floors, deletions, ended`.
fn state(row: &Row) -> Result<StoreState, tokio_postgres::Error> {
    Ok(StoreState {
        feeds: row.try_get(0)?,
        heads: row.try_get(1)?,
        floors: row.try_get(2)?,
        deletions: row.try_get(3)?,
        ended: row.try_get(4)?,
    })
}

fn identity(row: &Row, first: usize) -> Result<StoreIdentity, tokio_postgres::Error> {
    Ok(StoreIdentity {
        system: SystemId::from_uuid(row.try_get(first)?),
        epoch: Epoch::from_uuid(row.try_get(first + 1)?),
    })
}
