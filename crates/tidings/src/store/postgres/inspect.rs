//! The facts that a server and a store tell about themselves.

use tidings_event::SystemId;
use tokio_postgres::error::SqlState;

use super::connect::Connector;
use super::fence::MOVED_AWAY;
use super::lead::{UNFINISHED_MOVE, count_nodes};
use super::migrate::{HISTORY, known_version};
use super::open_fault::OpenFault;
use super::pool::{Connection, Role};
use crate::config::PostgresConfig;

/// The state of a store in PostgreSQL, and of its server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresState {
    /// The version of the server, such as `15.13`.
    pub server_version: String,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
    /// Whether the server is a standby, which accepts no writes.
    pub is_standby: bool,
    /// Its setting for the user of the store.
    pub synchronous_commit: String,
    /// Its setting: which standbys a commit waits for.
    pub synchronous_standby_names: String,
    /// The standbys that are connected; `None` if the user cannot see them.
    pub standbys: Option<Vec<Standby>>,
    /// The size of the database in bytes.
    pub database_bytes: u64,
    /// How many nodes use the store now.
    pub nodes: u64,
    /// The version of the schema; 0 if there is no store.
    pub schema: i32,
    /// The last version of the schema that this program knows.
    pub known_schema: i32,
    /// The installation.
    pub system: Option<SystemId>,
    /// Whether a move into the store has begun and not ended.
    pub has_unfinished_move: bool,
    /// Whether the store is or was moved to another place, so that no node opens it.
    pub is_moved_away: bool,
}

/// A server that follows another one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Standby {
    /// Its name.
    pub name: String,
    /// Its state, such as `streaming`.
    pub state: String,
    /// Whether commits wait for it, such as `sync` or `async`.
    pub sync_state: String,
}

const SERVER: &str = "\
    SELECT current_setting('server_version'), \
    coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), pg_is_in_recovery(), \
    current_setting('synchronous_commit'), current_setting('synchronous_standby_names'), \
    pg_database_size(current_database()), to_regclass($1) IS NOT NULL, \
    to_regclass('installation') IS NOT NULL, to_regclass($2) IS NOT NULL, to_regclass($3) IS NOT NULL";

const STANDBYS: &str = "\
    SELECT coalesce(application_name, ''), state, coalesce(sync_state, '') FROM pg_stat_replication ORDER BY 1";

/// Reads the state.
pub(super) async fn inspect(config: &PostgresConfig) -> Result<PostgresState, OpenFault> {
    let connector = Connector::new(config)?;
    let connection = Connection::open(&connector, Role::Read).await?;
    let statement = OpenFault::Statement;
    let row = connection.query_one(SERVER, &[&HISTORY, &UNFINISHED_MOVE, &MOVED_AWAY]);
    let row = row.await.map_err(statement)?;
    let get = |index| row.try_get::<_, String>(index).map_err(statement);
    let (has_schema, has_store): (bool, bool) = (row.get(6), row.get(7));
    let schema = match has_schema {
        true => {
            let sql = format!("SELECT coalesce(max(version), 0)::int FROM {HISTORY}");
            let row = connection.query_one(&sql, &[]).await.map_err(statement)?;
            row.get(0)
        }
        false => 0,
    };
    let system = match has_store {
        true => {
            let sql = "SELECT system_id FROM installation";
            let row = connection.query_opt(sql, &[]).await.map_err(statement)?;
            row.map(|row| SystemId::from_uuid(row.get(0)))
        }
        false => None,
    };
    let nodes = connection
        .query_one(&count_nodes(), &[])
        .await
        .map_err(statement)?;
    Ok(PostgresState {
        server_version: get(0)?,
        is_encrypted: row.get(1),
        is_standby: row.get(2),
        synchronous_commit: get(3)?,
        synchronous_standby_names: get(4)?,
        standbys: standbys(&connection).await?,
        database_bytes: row.get::<_, i64>(5).unsigned_abs(),
        nodes: nodes.get::<_, i64>(0).unsigned_abs(),
        schema,
        known_schema: known_version(),
        system,
        has_unfinished_move: row.get(8),
        is_moved_away: row.get(9),
    })
}

async fn standbys(connection: &Connection) -> Result<Option<Vec<Standby>>, OpenFault> {
    match connection.query(STANDBYS, &[]).await {
        Ok(rows) => {
            let standbys = rows.iter().map(|row| {
                // Users without the role `pg_monitor` see that there is one, and nothing else.
                let state: Option<String> = row.get(1);
                Some(Standby {
                    name: row.get(0),
                    state: state?,
                    sync_state: row.get(2),
                })
            });
            Ok(standbys.collect())
        }
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(None),
        Err(error) => Err(OpenFault::Statement(error)),
    }
}
