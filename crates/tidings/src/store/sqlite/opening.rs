//! Opens a store, with the threads and connections that it works with.

use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};

use super::directory::DataDirectory;
use super::directory_error::DirectoryError;
use super::fault::OpenFault;
use super::read_pool::ReadPool;
use super::reserve::Disk;
use super::settling::Settling;
use super::writer::Writer;
use super::{SqliteStore, connection, upgrade};
use crate::config::{Reserve, SqliteConfig};
use crate::store::lanes::Widths;

/// The reads of lists. One owner can have half of the reads in the first lane.
pub(super) const LISTS: Widths = Widths {
    lanes: [4, 2, 2],
    sharing: 4,
    waiting_each: 256,
    waiting: 4_096,
};

/// The reads of streams and other short reads, which must not wait for lists. The number of streams limits
/// how many wait.
const STREAMS: Widths = Widths {
    lanes: [4, 1, 1],
    sharing: 1,
    waiting_each: usize::MAX,
    waiting: usize::MAX,
};

/// The reads of the background task.
const UPKEEP: Widths = Widths {
    lanes: [1, 0, 0],
    ..STREAMS
};

/// Why an SQLite store could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenStoreError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The database cannot be used.
    #[error("could not open the event store")]
    Database(#[source] OpenFault),
}

impl SqliteStore {
    /// Opens the store in `directory` without a reserve.
    #[cfg(test)]
    pub(crate) fn open(directory: &Path) -> Result<Self, OpenStoreError> {
        Self::open_with(&SqliteConfig::new(directory))
    }

    /// Opens the store of `config`, creates it if it is missing, and upgrades an old schema. Blocks.
    pub(crate) fn open_with(config: &SqliteConfig) -> Result<Self, OpenStoreError> {
        let directory = DataDirectory::lock(&config.data_dir)?;
        let database = directory.database();
        let disk = Arc::new(Disk::open(directory.volume(), config.reserve));
        let (connection, identity) =
            connection::open_writer(&database, disk.log_pages(), disk.log_bytes())
                .map_err(OpenStoreError::Database)?;
        let settling = Settling {
            system: identity.system,
            newest: config.newest_events,
        };
        let writer = Writer::start(connection, settling, Arc::clone(&disk))
            .map_err(|error| OpenStoreError::Database(OpenFault::Thread(error)))?;
        let pool = |widths| {
            ReadPool::open(&database, identity.system, widths).map_err(OpenStoreError::Database)
        };
        let (stream_pool, list_pool) = (pool(STREAMS)?, pool(LISTS)?);
        let upkeep_pool = pool(UPKEEP)?;
        Ok(Self {
            identity,
            database,
            writer,
            stream_pool,
            list_pool,
            upkeep_pool,
            disk,
            last_indexed: AtomicI64::new(0),
            directory: Mutex::new(Some(directory)),
        })
    }

    /// Makes the lists and counts of the store in `directory` again from its events. Blocks.
    pub(crate) fn rebuild(directory: &Path) -> Result<(), OpenStoreError> {
        let directory = DataDirectory::lock(directory)?;
        let disk = Disk::open(directory.volume(), Reserve::Nothing);
        let (mut connection, _) =
            connection::open_writer(&directory.database(), disk.log_pages(), disk.log_bytes())
                .map_err(OpenStoreError::Database)?;
        upgrade::list_again(&mut connection).map_err(OpenStoreError::Database)
    }
}
