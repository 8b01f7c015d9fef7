//! Addresses, state, audits and restores of stores in PostgreSQL.

use std::time::Duration;

use crate::config::PostgresConfig;
use crate::error::OpenError;
use crate::store::StoreError;
pub use crate::store::audit::{Audit, WrongCount};
use crate::store::postgres;
pub use crate::store::postgres::{PostgresState, Standby};

impl PostgresConfig {
    /// The address without a password and options, for logs.
    ///
    /// # Errors
    ///
    /// The address cannot be used. The error repeats nothing of it.
    pub fn described(&self) -> Result<String, OpenError> {
        Ok(postgres::described(self)?)
    }
}

/// The state of a store and its server. Changes nothing: it neither creates nor upgrades a schema.
///
/// # Errors
///
/// The server cannot be reached, or rejects.
pub async fn inspect(config: &PostgresConfig) -> Result<PostgresState, OpenError> {
    Ok(postgres::inspect(config).await?)
}

/// Compares the counters of each owner with the rows: events by severity and status, their bytes, remembered
/// deletions, and what the owner has read or deleted of the system's events. Takes at most `time`. Nodes can use
/// the store meanwhile. Writes nothing.
///
/// # Errors
///
/// If the store has another schema version, or cannot be read.
pub async fn audit(config: &PostgresConfig, time: Duration) -> Result<Audit, StoreError> {
    postgres::audit(config, time).await
}

/// Renews the epoch of a store after its database was restored from a backup: events that were published after the
/// backup are gone, so older cursors get a reset. A store that was moved to another place can be used again. No node may
/// use the store.
///
/// # Errors
///
/// If nodes use the store, or there is none.
pub async fn renew_epoch(config: &PostgresConfig) -> Result<(), OpenError> {
    let renewed = postgres::renew_epoch(config).await;
    renewed.map_err(|fault| OpenError::Store(fault.into()))
}
