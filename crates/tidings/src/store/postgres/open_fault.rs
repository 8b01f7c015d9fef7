//! Why a node cannot open the store, or join the nodes that use it.

use std::time::Duration;

use super::address::AddressError;
use super::fault::{ConnectError, store_error};
use super::tls::DatabaseTlsError;
use crate::store::StoreError;

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenFault {
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// TLS cannot be set up.
    #[error("could not set up TLS to PostgreSQL")]
    Tls(#[from] DatabaseTlsError),
    /// A connection could not be made.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The node cannot use the store now.
    #[error(transparent)]
    Join(#[from] JoinFault),
    /// There is none.
    #[error("there is no event store in the database")]
    NoStore,
    /// A move into the store has begun and not ended.
    #[error(
        "tidings move has not finished: run it again with the same --from and --to, or empty the database"
    )]
    UnfinishedMove,
    /// The server is too old.
    #[error("PostgreSQL {found} is too old; use {required} or newer")]
    Server {
        /// The version of the server.
        found: String,
        /// The oldest version that is supported.
        required: u32,
    },
    /// A newer version wrote the schema.
    #[error(
        "the schema has version {found} and this Tidings knows {known}: a newer Tidings wrote it; use \
         that one"
    )]
    Newer {
        /// The version of the schema.
        found: i32,
        /// The last version that this program knows.
        known: i32,
    },
    /// The schema could not be upgraded.
    #[error("could not bring the schema up to date")]
    Migration(#[from] refinery::Error),
    /// A statement failed.
    #[error("could not read the store")]
    Statement(#[source] tokio_postgres::Error),
}

/// Why a node cannot use the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JoinFault {
    /// A connection could not be made.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A statement failed.
    #[error("could not read the store")]
    Statement(#[from] tokio_postgres::Error),
    /// The store is moved, or its epoch is renewed.
    #[error("tidings move or tidings restore uses the store; start again when it has ended")]
    Moving,
    /// A move into the store has begun and not ended.
    #[error(
        "tidings move has not finished: run it again with the same --from and --to, or empty the database"
    )]
    UnfinishedMove,
    /// The store is or was moved to another place.
    #[error(
        "tidings move has moved this store, or has begun to: start the server with the new store; to use this one \
         again, run tidings restore --renew-epoch on it"
    )]
    MovedAway,
}

/// Why a database cannot be moved, or moved into.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SideFault {
    /// It cannot be used.
    #[error(transparent)]
    Open(#[from] OpenFault),
    /// Servers use it, or another move.
    #[error("servers use the database, or another move: stop them first")]
    InUse,
    /// Something still changes it.
    #[error(
        "transactions that change the database have not ended within {} s: end their sessions, which the view \
         pg_stat_activity shows, and run tidings move again", .0.as_secs_f64()
    )]
    Busy(Duration),
}

impl From<JoinFault> for StoreError {
    fn from(fault: JoinFault) -> Self {
        match fault {
            JoinFault::Connect(error) => error.into(),
            JoinFault::Statement(error) => store_error(error),
            fault @ (JoinFault::Moving | JoinFault::UnfinishedMove | JoinFault::MovedAway) => {
                Self::Unavailable(fault.into())
            }
        }
    }
}
