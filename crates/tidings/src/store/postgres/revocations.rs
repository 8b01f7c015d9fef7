//! The tokens that all nodes reject.

use std::sync::Arc;

use futures_util::FutureExt as _;
use tidings_event::{OwnerId, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::connect::Connector;
use super::fault::store_error;
use super::pool::{Connection, Pool, Role};
use super::read_fault::ReadFault;
use crate::store::moment::{moment, nanoseconds};
use crate::store::{RevokedPage, RevokedToken, StoreError, StoreIdentity};

/// One for reading and one for writing, so that a revocation never waits for the other nodes' tokens.
const CONNECTIONS: usize = 2;

/// The most tokens of a page.
const PAGE: i64 = 4_096;

/// Adds a token, or a later expiry of one, unless the database has another epoch than `$4`.
const REVOKE: &str = "\
    WITH next AS (UPDATE last_revocation SET version = version + 1 \
    WHERE $4::uuid IS NULL OR $4 = (SELECT epoch FROM installation) RETURNING version) \
    INSERT INTO revocation (id, expires_at, ended_by, version) SELECT $1, $2, $3, version FROM next \
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, expires_at = CASE \
    WHEN revocation.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL \
    ELSE greatest(revocation.expires_at, excluded.expires_at) END";

/// Forgets some expired tokens, by the clock that is behind: the node's or the database's. The leeway of nodes is
/// at most five minutes.
const FORGET: &str = "\
    DELETE FROM revocation WHERE id IN (SELECT id FROM revocation \
    WHERE expires_at < least($1, (extract(epoch FROM now()) * 1000000000)::bigint) - 600000000000 \
    ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED)";

/// The tokens after a version. All tokens, if the store was replaced by an older one since that version.
const AFTER: &str = "\
    SELECT known.version, token.id, token.expires_at, token.ended_by, token.version \
    FROM last_revocation AS known LEFT JOIN LATERAL (\
    SELECT * FROM revocation WHERE version > CASE WHEN $1 > known.version THEN 0 ELSE $1 END \
    ORDER BY version LIMIT $2) AS token ON true ORDER BY token.version";

/// All tokens, in the columns of a page.
const ALL: &str = "\
    SELECT NULL::bigint, id, expires_at, ended_by FROM revocation ORDER BY version";

/// All tokens of a store that no node uses.
pub(super) async fn all(connection: &Connection) -> Result<Vec<RevokedToken>, StoreError> {
    let rows = connection.query(ALL, &[]).await.map_err(store_error)?;
    let tokens: Result<Vec<_>, _> = rows.iter().map(token).collect();
    Ok(tokens?.into_iter().flatten().collect())
}

/// Adds tokens to a store that no node uses, all or none.
pub(super) async fn add_all(
    connection: &mut Connection,
    tokens: &[RevokedToken],
) -> Result<(), StoreError> {
    let added = async {
        let transaction = connection.transaction().await?;
        let statement = transaction.prepare(REVOKE).await?;
        for token in tokens {
            let (until, owner) = expiry_and_owner(token);
            let values: [&(dyn ToSql + Sync); 4] = [&token.id, &until, &owner, &None::<Uuid>];
            transaction.execute(&statement, &values).await?;
        }
        transaction
            .batch_execute("SET LOCAL synchronous_commit = on")
            .await?;
        transaction.commit().await
    };
    added.await.map_err(store_error)
}

/// The table of revoked tokens.
#[derive(Debug)]
pub(super) struct RevocationTable {
    pool: Pool,
    identity: StoreIdentity,
}

impl RevocationTable {
    pub(super) fn new(connector: &Arc<Connector>, role: Role, identity: StoreIdentity) -> Self {
        Self {
            identity,
            pool: Pool::new(connector, role, CONNECTIONS),
        }
    }

    /// Adds a token.
    pub(super) async fn revoke(&self, token: RevokedToken) -> Result<(), StoreError> {
        let epoch = *self.identity.epoch.as_uuid();
        let revoking = self.pool.run(move |connection| {
            let token = token.clone();
            async move { revoke(connection, &token, epoch).await }.boxed()
        });
        revoking.await
    }

    /// A page of the tokens after a version.
    pub(super) async fn after(&self, version: u64) -> Result<RevokedPage, StoreError> {
        let after = i64::try_from(version).unwrap_or(i64::MAX);
        let read = self.pool.run(move |connection| {
            async move {
                let statement = connection.prepared(AFTER).await?;
                Ok(connection.query(&statement, &[&after, &PAGE]).await?)
            }
            .boxed()
        });
        let rows = read.await?;
        let mut page = RevokedPage {
            has_more: i64::try_from(rows.len()).unwrap_or(i64::MAX) == PAGE,
            ..RevokedPage::default()
        };
        for row in rows {
            // Without a token there is only the version of the store.
            let last: Option<i64> = row.try_get(4).map_err(store_error)?;
            let last = last
                .map_or_else(|| row.try_get(0), Ok)
                .map_err(store_error)?;
            page.version = u64::try_from(last).unwrap_or_default();
            page.tokens.extend(token(&row)?);
        }
        Ok(page)
    }

    /// Rejects later calls.
    pub(super) fn close(&self) {
        self.pool.close();
    }
}

async fn revoke(
    connection: &Connection,
    token: &RevokedToken,
    epoch: Uuid,
) -> Result<(), ReadFault> {
    let (until, owner) = expiry_and_owner(token);
    let added = connection
        .execute(REVOKE, &[&token.id, &until, &owner, &epoch])
        .await?;
    if added == 0 {
        return Err(ReadFault::Restored);
    }
    let forgotten = connection
        .execute(FORGET, &[&nanoseconds(Timestamp::now())])
        .await;
    // The token is stored, and the next one tries again.
    if let Err(error) = forgotten {
        let error: &dyn std::error::Error = &error;
        tracing::debug!(error, "could not forget expired revocations");
    }
    Ok(())
}

/// The values of two columns.
fn expiry_and_owner(token: &RevokedToken) -> (Option<i64>, Option<Uuid>) {
    let owner = token.ended_by.map(|owner| *owner.as_uuid());
    (token.until.map(nanoseconds), owner)
}

fn token(row: &Row) -> Result<Option<RevokedToken>, StoreError> {
    let id: Option<String> = row.try_get(1).map_err(store_error)?;
    let until: Option<i64> = row.try_get(2).map_err(store_error)?;
    let owner: Option<Uuid> = row.try_get(3).map_err(store_error)?;
    let Some(id) = id else {
        return Ok(None);
    };
    Ok(Some(RevokedToken {
        id,
        until: until.map(moment),
        ended_by: owner.map(OwnerId::from),
    }))
}
