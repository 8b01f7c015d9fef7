//! The default store: one SQLite database in a directory of its own.
//!
//! One thread writes and commits; reads have connections of their own beside it.

mod connection;
mod directory;
mod fault;
mod list;
mod readers;
mod row;
mod writer;

use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use tidings_event::{Event, EventFilter, EventId, OwnerId, PageRequest};

pub use directory::DirectoryError;

use crate::store::{
    Identity, ListPage, Outcome, ReplayPage, RevRange, Snapshot, Store, StoreError, Submission,
};
use directory::DataDirectory;
use fault::OpenFault;
use readers::Readers;
use writer::Writer;

/// Why a SQLite store could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenStoreError {
    /// The directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The database in it cannot be used.
    #[error("could not open the event store")]
    Database(#[source] OpenFault),
}

/// A store in a data directory, which it locks against other processes until it is closed.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    identity: Identity,
    writer: Writer,
    readers: Readers,
    directory: Mutex<Option<DataDirectory>>,
}

impl SqliteStore {
    /// Opens the store in `directory`, creating what is missing and migrating what is old.
    ///
    /// Blocks; called once at start.
    pub(crate) fn open(directory: &Path) -> Result<Self, OpenStoreError> {
        let directory = DataDirectory::lock(directory)?;
        let database = directory.database();
        let (connection, identity) =
            connection::open_writer(&database).map_err(OpenStoreError::Database)?;
        let writer = Writer::start(connection, identity.system)
            .map_err(|error| OpenStoreError::Database(OpenFault::Thread(error)))?;
        let readers = Readers::new(database, identity.system);
        Ok(Self {
            identity,
            writer,
            readers,
            directory: Mutex::new(Some(directory)),
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn identity(&self) -> Identity {
        self.identity
    }

    async fn commit(&self, group: Vec<Vec<Submission>>) -> Result<Vec<Outcome>, StoreError> {
        self.writer.commit(group).await
    }

    async fn snapshot(&self, owner: OwnerId) -> Result<Snapshot, StoreError> {
        self.readers
            .read(move |reader| reader.snapshot(owner))
            .await
    }

    async fn replay(&self, owner: OwnerId, range: RevRange) -> Result<ReplayPage, StoreError> {
        self.readers
            .read(move |reader| reader.replay(owner, range))
            .await
    }

    async fn event(&self, owner: OwnerId, id: EventId) -> Result<Option<Event>, StoreError> {
        self.readers
            .read(move |reader| reader.event(owner, id))
            .await
    }

    async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<ListPage, StoreError> {
        self.readers
            .read(move |reader| reader.list(owner, &filter, page))
            .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.writer.check()?;
        self.readers.read(|reader| reader.check()).await
    }

    async fn close(&self) {
        self.writer.close().await;
        self.readers.close();
        drop(
            self.directory
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .take(),
        );
    }
}
