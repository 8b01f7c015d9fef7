//! The locks that show which nodes use the store, and which of them does the upkeep.

use std::sync::Arc;
use std::time::Duration;

use tidings_event::SystemId;
use tokio::sync::Mutex;
use tokio_postgres::error::SqlState;

use super::connect::Connector;
use super::fault::store_error;
use super::fence::MOVED_AWAY;
use super::open_fault::{JoinFault, OpenFault};
use super::pool::{Connection, Role};
use crate::store::StoreError;

/// The key of the advisory lock that all nodes share and a move has alone: "tid node" in ASCII.
const NODES: i64 = 0x7469_6420_6e6f_6465;

/// How long a node waits for a move to end, and a move for nodes, in milliseconds. PostgreSQL releases the locks of a
/// process that has ended only when it sees that its connection is closed.
const WAIT_MS: u32 = 2_000;

/// Limits how long the server keeps the locks of a silent node. A node asks for the lead every second. PostgreSQL 13
/// does not have the setting.
const LIMIT_SILENCE: &str = "SELECT set_config('idle_session_timeout', $1, false) \
     WHERE current_setting('server_version_num')::int >= 140000";

/// This table exists while a store is moved into the database.
pub(super) const UNFINISHED_MOVE: &str = "unfinished_move";

/// A connection whose locks the server releases when the node ends or is cut off.
#[derive(Debug)]
struct Session {
    connection: Connection,
    leads: bool,
}

/// The locks of a node.
#[derive(Debug)]
pub(super) struct Lead {
    connector: Arc<Connector>,
    role: Role,
    silence: Duration,
    key: i64,
    held: Mutex<Held>,
}

/// The connection of a node.
#[derive(Debug)]
enum Held {
    Session(Box<Session>),
    /// It was lost, and the next call makes another.
    Lost,
    /// The node has ended. The upkeep can still call.
    Released,
}

/// Tells the others that this node uses the store, for as long as the connection lives.
async fn join(
    connector: &Connector,
    role: Role,
    silence: Duration,
) -> Result<Box<Session>, JoinFault> {
    let connection = Connection::open(connector, role).await?;
    let milliseconds = silence.as_millis().to_string();
    connection.execute(LIMIT_SILENCE, &[&milliseconds]).await?;
    if !lock(&connection, "pg_advisory_lock_shared").await? {
        return Err(JoinFault::Moving);
    }
    let row = connection
        .query_one(
            "SELECT to_regclass($1) IS NOT NULL, to_regclass($2) IS NOT NULL",
            &[&UNFINISHED_MOVE, &MOVED_AWAY],
        )
        .await?;
    match (row.get(0), row.get(1)) {
        (true, _) => Err(JoinFault::UnfinishedMove),
        (false, true) => Err(JoinFault::MovedAway),
        (false, false) => Ok(Box::new(Session {
            connection,
            leads: false,
        })),
    }
}

/// Takes the lock of the nodes by a function of PostgreSQL. Returns whether it was free within the time.
async fn lock(connection: &Connection, function: &str) -> Result<bool, tokio_postgres::Error> {
    connection
        .batch_execute(&format!("SET lock_timeout = {WAIT_MS}"))
        .await?;
    let locked = connection
        .execute(&format!("SELECT {function}($1)"), &[&NODES])
        .await;
    let is_locked = match locked {
        Ok(_) => true,
        Err(error) if is_busy(&error) => false,
        Err(error) => return Err(error),
    };
    connection.batch_execute("RESET lock_timeout").await?;
    Ok(is_locked)
}

/// Whether another session had the lock. The time limit of statements can be shorter than that of the lock.
fn is_busy(error: &tokio_postgres::Error) -> bool {
    let busy = [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED];
    error.code().is_some_and(|code| busy.contains(code))
}

/// A connection that alone uses the store. `None` if nodes use it.
pub(super) async fn alone(
    connector: &Connector,
    role: Role,
) -> Result<Option<Connection>, OpenFault> {
    let connection = Connection::open(connector, role).await?;
    let is_locked = lock(&connection, "pg_advisory_lock").await;
    Ok(is_locked
        .map_err(OpenFault::Statement)?
        .then_some(connection))
}

/// The query for the number of nodes that use the store.
pub(super) fn count_nodes() -> String {
    // The halves of a key of 64 bits.
    let (high, low) = (NODES >> 32, NODES & 0xffff_ffff);
    format!(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND classid = {high} AND objid = {low} AND objsubid = 1"
    )
}

/// The lock that a node holds from before it knows the installation.
#[derive(Debug)]
pub(super) struct Membership {
    session: Box<Session>,
    silence: Duration,
}

impl Membership {
    /// Joins the nodes of a store. The server drops the locks of a node that is silent for too long.
    pub(super) async fn join(
        connector: &Connector,
        role: Role,
        silence: Duration,
    ) -> Result<Self, JoinFault> {
        let session = join(connector, role, silence).await?;
        Ok(Self { session, silence })
    }
}

impl Lead {
    pub(super) fn new(
        connector: Arc<Connector>,
        role: Role,
        system: SystemId,
        Membership { session, silence }: Membership,
    ) -> Self {
        // All programs on a database share the keys of advisory locks. The last bytes of an id are random.
        let bytes = system.as_uuid().as_u64_pair().1;
        Self {
            connector,
            role,
            silence,
            key: i64::from_ne_bytes(bytes.to_ne_bytes()),
            held: Mutex::new(Held::Session(session)),
        }
    }

    /// Whether this node does the upkeep, which it takes over if no other node does it. Joins the nodes again if
    /// the connection was lost.
    pub(super) async fn take(&self) -> Result<bool, StoreError> {
        let mut held = self.held.lock().await;
        let mut session = match std::mem::replace(&mut *held, Held::Lost) {
            Held::Session(session) if !session.connection.is_closed() => session,
            Held::Session(_) | Held::Lost => join(&self.connector, self.role, self.silence).await?,
            Held::Released => {
                *held = Held::Released;
                return Err(StoreError::Closed);
            }
        };
        // After any error of the connection, the next call makes another.
        let sql = match session.leads {
            true => "SELECT true WHERE $1::bigint IS NOT NULL",
            false => "SELECT pg_try_advisory_lock($1)",
        };
        let row = session.connection.query_one(sql, &[&self.key]).await;
        session.leads = row.map_err(store_error)?.get(0);
        let leads = session.leads;
        *held = Held::Session(session);
        Ok(leads)
    }

    /// Releases the locks for good.
    pub(super) async fn release(&self) {
        *self.held.lock().await = Held::Released;
    }
}
