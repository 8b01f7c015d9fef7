//! Pools of connections: one for commits, one for streams and one for lists.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{
    self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Statement};
use tracing::Instrument as _;

use super::connect::Connector;
use super::fault::ConnectError;
use super::read_fault::ReadFault;
use crate::store::StoreError;

/// How long the plans of prepared statements are kept. Tables can grow much faster than PostgreSQL collects
/// statistics, and for a small table any index of the owner is as good as the one of the key.
const PLANS_KEPT: Duration = Duration::from_secs(5);

/// The purpose of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Transactions that write.
    Commit {
        /// Whether `synchronous_commit` may be off.
        lossy: bool,
    },
    /// Reads.
    Read,
}

/// How often the end of a session is looked for.
const POLL: Duration = Duration::from_millis(5);

/// How a session commits, and how other sessions can find it.
const SESSION: &str = "SELECT current_setting('synchronous_commit'), pid, \
     to_char(backend_start AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') \
     FROM pg_stat_activity WHERE pid = pg_backend_pid()";

/// Ends a session, unless it has ended.
const END_SESSION: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE pid = $1 AND to_char(backend_start AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') = $2";

/// Refreshes the view of other sessions. Without it, PostgreSQL shows the same view during a whole transaction.
const LOOK_AGAIN: &str = "SELECT pg_stat_clear_snapshot()";

/// Selects from some sessions those whose commits the synchronous standby does not have yet.
const WAITING: &str = "SELECT k.pid, k.began FROM unnest($1::integer[], $2::text[]) AS k (pid, began) \
     JOIN pg_stat_activity AS session ON session.pid = k.pid AND session.wait_event = 'SyncRep' \
     AND to_char(session.backend_start AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') = k.began";

/// The session of a connection, as other connections see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    process: i32,
    began: String,
}

impl Session {
    /// Ends the session of another connection and waits until it has ended. The server then executes no statement that
    /// was sent on it. Closing the connection would not do: the network can lose the close.
    ///
    /// The session must not be in a commit that waits for the synchronous standby. PostgreSQL would stop waiting and
    /// show the commit to all, and a promotion of the standby would lose it.
    pub(super) async fn end(&self, connection: &Connection) -> Result<(), tokio_postgres::Error> {
        let statement = connection.prepared(END_SESSION).await?;
        loop {
            connection.batch_execute(LOOK_AGAIN).await?;
            let is_there = connection
                .query(&statement, &[&self.process, &self.began])
                .await?;
            if is_there.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Those of `sessions` whose commits wait for the synchronous standby.
    pub(super) async fn waiting_for_standby(
        sessions: &[Self],
        connection: &Connection,
    ) -> Result<Vec<Self>, tokio_postgres::Error> {
        let statement = connection.prepared(WAITING).await?;
        let processes: Vec<i32> = sessions.iter().map(|session| session.process).collect();
        let began: Vec<&str> = sessions.iter().map(|session| &*session.began).collect();
        let rows = connection.query(&statement, &[&processes, &began]).await?;
        let session = |row: &tokio_postgres::Row| Self {
            process: row.get(0),
            began: row.get(1),
        };
        Ok(rows.iter().map(session).collect())
    }
}

/// A connection with its prepared statements. The end of its task closes it.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    task: JoinHandle<()>,
    /// By their text. The program has few texts.
    statements: Mutex<HashMap<Box<str>, Statement>>,
    /// When the server last planned the statements again.
    planned: Mutex<Instant>,
    /// Of a connection that commits.
    session: Option<Session>,
}

/// A connection that goes back to its pool when it is dropped.
#[derive(Debug)]
pub(super) struct Pooled(Object<Opener>);

/// A pool of connections with the same role.
#[derive(Clone, Debug)]
pub(super) struct Pool(managed::Pool<Opener>);

/// Opens the connections of a pool.
#[derive(Debug)]
pub(super) struct Opener {
    connector: Arc<Connector>,
    role: Role,
}

impl Connection {
    /// Opens a separate connection, which no pool lends.
    pub(super) async fn open(connector: &Connector, role: Role) -> Result<Self, ConnectError> {
        let (client, driver) = connector.open().await?;
        let drive = async move {
            if let Err(error) = driver.await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "a connection to PostgreSQL ended");
            }
        };
        let mut connection = Self {
            client,
            task: tokio::spawn(drive.instrument(tracing::info_span!("postgres"))),
            statements: Mutex::default(),
            planned: Mutex::new(Instant::now()),
            session: None,
        };
        connection.session = connection.set_up(role, connector.timeout()).await?;
        Ok(connection)
    }

    /// Settings of the session. They are not part of the address, because poolers reject them there.
    async fn set_up(&self, role: Role, timeout: Duration) -> Result<Option<Session>, ConnectError> {
        let milliseconds = timeout.as_millis();
        // Nothing here takes long enough for just-in-time compilation to pay.
        // The server sees within half a minute that the network or the machine of a node is gone, and releases its
        // locks.
        let common = format!(
            "SET jit = off; SET client_min_messages = warning; SET tcp_keepalives_idle = 15; \
             SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 30000; \
             SET default_transaction_isolation = 'read committed'; \
             SET idle_in_transaction_session_timeout = {milliseconds}; \
             SET statement_timeout = {milliseconds};"
        );
        match role {
            Role::Read => {
                // A read needs a small part of a table. A plan that reads the whole table is wrong, whatever the
                // statistics say.
                let read_only = format!(
                    "{common} SET default_transaction_read_only = on; SET enable_seqscan = off; \
                     SET max_parallel_workers_per_gather = 0;"
                );
                self.client.batch_execute(&read_only).await?;
                Ok(None)
            }
            Role::Commit { lossy } => {
                // Rows are looked up by keys, and the tables grow faster than their statistics: a plan that
                // was right for a small table must not be used for a large one.
                let planned = format!(
                    "{common} SET enable_seqscan = off; SET enable_hashjoin = off; \
                     SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan;"
                );
                self.client.batch_execute(&planned).await?;
                let row = self.client.query_one(SESSION, &[]).await?;
                if !lossy && row.get::<_, &str>(0) == "off" {
                    return Err(ConnectError::LossyCommit);
                }
                Ok(Some(Session {
                    process: row.get(1),
                    began: row.get(2),
                }))
            }
        }
    }

    /// The session of a connection that commits.
    pub(super) const fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Prepares a statement, or takes it from those that this connection has prepared before.
    pub(super) async fn prepared(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        let known = self.statements().get(sql).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let statement = self.client.prepare(sql).await?;
        self.statements().insert(sql.into(), statement.clone());
        Ok(statement)
    }

    /// Whether the plans of prepared statements are old. The caller then tells the server to make them again.
    pub(super) fn takes_new_plans(&self) -> bool {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = planned.elapsed() >= PLANS_KEPT;
        if is_old {
            *planned = Instant::now();
        }
        is_old
    }

    fn statements(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Statement>> {
        self.statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Deref for Pooled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl Pooled {
    /// Closes the connection instead of returning it to its pool: the server may still execute a statement on it.
    pub(super) fn close(self) {
        drop(Object::take(self.0));
    }
}

impl managed::Manager for Opener {
    type Type = Connection;
    type Error = ConnectError;

    async fn create(&self) -> Result<Connection, ConnectError> {
        Connection::open(&self.connector, self.role).await
    }

    async fn recycle(
        &self,
        connection: &mut Connection,
        _: &Metrics,
    ) -> RecycleResult<ConnectError> {
        match connection.is_closed() {
            true => Err(RecycleError::message("the connection has ended")),
            false => Ok(()),
        }
    }
}

impl Pool {
    /// A pool of at most `size` connections, which are opened when they are needed.
    pub(super) fn new(connector: &Arc<Connector>, role: Role, size: usize) -> Self {
        let opener = Opener {
            connector: Arc::clone(connector),
            role,
        };
        let timeout = Some(connector.timeout());
        let pool = managed::Pool::builder(opener)
            .max_size(size.max(1))
            .timeouts(Timeouts {
                wait: timeout,
                create: timeout,
                recycle: timeout,
            })
            // The connection that was used last has its caches warm.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a pool with a runtime can have time limits");
        Self(pool)
    }

    /// A connection: an idle one, a new one, or the next that is returned.
    pub(super) async fn get(&self) -> Result<Pooled, StoreError> {
        match self.0.get().await {
            Ok(connection) => Ok(Pooled(connection)),
            Err(PoolError::Backend(error)) => Err(error.into()),
            Err(PoolError::Closed) => Err(StoreError::Closed),
            Err(
                error @ (PoolError::Timeout(_)
                | PoolError::NoRuntimeSpecified
                | PoolError::PostCreateHook(_)),
            ) => Err(StoreError::Unavailable(error.into())),
        }
    }

    /// Closes the idle connections. If one has ended without a word, as after an outage of the network, the others
    /// probably have, too, and each would fail what is tried on it first.
    pub(super) fn forget_idle(&self) {
        self.0.retain(|_, _| false);
    }

    /// Runs what may run twice: again on a new connection, if that of the first attempt has ended.
    pub(super) async fn run<T: Send>(
        &self,
        run: impl for<'a> Fn(&'a Connection) -> BoxFuture<'a, Result<T, ReadFault>> + Send + Sync,
    ) -> Result<T, StoreError> {
        let connection = self.get().await?;
        match run(&connection).await {
            Err(fault) if fault.is_of_connection() => {
                connection.close();
                self.forget_idle();
                let connection = self.get().await?;
                run(&connection).await.map_err(StoreError::from)
            }
            result => result.map_err(StoreError::from),
        }
    }

    /// The most connections.
    pub(super) fn most(&self) -> usize {
        self.0.status().max_size
    }

    /// Tells the server to end what it runs on a connection. The end is not waited for.
    pub(super) async fn cancel(
        &self,
        connection: &Connection,
    ) -> Result<(), tokio_postgres::Error> {
        let token = connection.cancel_token();
        self.0.manager().connector.cancel(&token).await
    }

    /// Rejects later calls, and closes each connection when it is returned.
    pub(super) fn close(&self) {
        self.0.close();
    }
}
