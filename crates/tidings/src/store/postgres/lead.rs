//! Chooses the node that does the upkeep of the store.

use std::sync::Arc;

use tidings_event::SystemId;
use tokio::sync::Mutex;

use super::connect::Connector;
use super::fault::store_error;
use super::pool::{Connection, Role};
use crate::store::StoreError;

/// A lock that one node holds for as long as its connection lives. The server releases it when the node ends
/// or is cut off, and then another node takes it.
#[derive(Debug)]
pub(super) struct Lead {
    connector: Arc<Connector>,
    role: Role,
    key: i64,
    held: Mutex<Held>,
}

/// What this node has of the lock.
#[derive(Debug, Default)]
enum Held {
    /// Nothing.
    #[default]
    Nothing,
    /// The connection that holds it.
    By(Box<Connection>),
    /// Nothing any more, because the store is closed.
    Closed,
}

impl Lead {
    pub(super) fn new(connector: Arc<Connector>, role: Role, system: SystemId) -> Self {
        // The keys of advisory locks are shared by all that is in a database. The last bytes of an id are
        // random.
        let bytes = system.as_uuid().as_u64_pair().1;
        Self {
            connector,
            role,
            key: i64::from_ne_bytes(bytes.to_ne_bytes()),
            held: Mutex::default(),
        }
    }

    /// Whether this node holds the lock, which it takes if no other node holds it.
    pub(super) async fn take(&self) -> Result<bool, StoreError> {
        let mut held = self.held.lock().await;
        match &*held {
            Held::Nothing => {}
            Held::Closed => return Err(StoreError::Closed),
            Held::By(connection) => match connection.check_connection().await {
                Ok(()) => return Ok(true),
                Err(error) => {
                    *held = Held::Nothing;
                    return Err(store_error(error));
                }
            },
        }
        let connection = Connection::open(&self.connector, self.role).await?;
        let row = connection
            .query_one("SELECT pg_try_advisory_lock($1)", &[&self.key])
            .await
            .map_err(store_error)?;
        let is_taken = row.get(0);
        if is_taken {
            *held = Held::By(Box::new(connection));
        }
        Ok(is_taken)
    }

    /// Releases the lock for good: the background task of a closed engine must not take it again.
    pub(super) async fn close(&self) {
        *self.held.lock().await = Held::Closed;
    }
}
