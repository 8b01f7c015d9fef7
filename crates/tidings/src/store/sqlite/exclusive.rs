//! A store that is moved, or moved into.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::OpenStoreError;
use super::audit::audit_open;
use super::data_files::DATABASE;
use super::directory::DataDirectory;
use super::fault::{OpenFault, store_error};
use super::reserve::Disk;
use super::{connection, export, import};
use crate::config::Reserve;
use crate::store::StoreError;
use crate::store::audit::Audit;
use crate::store::records::{Part, Record, RecordPosition, StoreHead, TargetState};

/// A locked data directory whose rows are read or written.
#[derive(Debug)]
pub(crate) struct ExclusiveSqlite {
    /// `None` for a new store, until it is created.
    connection: Option<Connection>,
    directory: DataDirectory,
}

impl ExclusiveSqlite {
    /// Opens a store to be read, and upgrades an old schema. `None` if there is none.
    pub(crate) fn source(path: &Path) -> Result<Option<Self>, OpenStoreError> {
        if !has_content(&path.join(DATABASE)) {
            return Ok(None);
        }
        let directory = DataDirectory::lock(path)?;
        let disk = Disk::open(directory.volume(), Reserve::Nothing);
        let opened =
            connection::open_writer(&directory.database(), disk.log_pages(), disk.log_bytes());
        let (mut connection, _) = opened.map_err(OpenStoreError::Database)?;
        export::measure_all(&mut connection)
            .map_err(|error| OpenStoreError::Database(error.into()))?;
        Ok(Some(Self {
            connection: Some(connection),
            directory,
        }))
    }

    /// Opens a directory to be written.
    pub(crate) fn target(path: &Path) -> Result<(Self, TargetState), OpenStoreError> {
        let directory = DataDirectory::lock(path)?;
        let database = directory.database();
        let log = PathBuf::from(format!("{}-wal", database.display()));
        if !has_content(&database) && !has_content(&log) {
            let side = Self {
                connection: None,
                directory,
            };
            return Ok((side, TargetState::New));
        }
        let in_database = |error: OpenFault| OpenStoreError::Database(error);
        let connection = import::open_unfinished(&database).map_err(in_database)?;
        let state = import::progress(&connection)
            .map_err(|error| OpenStoreError::Database(error.into()))?;
        let side = Self {
            connection: Some(connection),
            directory,
        };
        Ok((side, state.unwrap_or(TargetState::Used)))
    }

    /// Creates the store that takes the rows of `source`.
    pub(crate) fn create(&mut self, source: &StoreHead) -> Result<(), OpenStoreError> {
        let database = self.directory.database();
        import::create(self.directory.volume(), &database, source)
            .and_then(|()| import::open_unfinished(&database))
            .map(|connection| self.connection = Some(connection))
            .map_err(OpenStoreError::Database)
    }

    pub(crate) fn head(&mut self) -> Result<StoreHead, StoreError> {
        self.on(|connection| export::head(connection))
    }

    pub(crate) fn page(
        &mut self,
        part: Part,
        after: RecordPosition,
    ) -> Result<Vec<Record>, StoreError> {
        self.on(|connection| {
            // One moment, and one look at the lock of the file.
            let transaction = connection.transaction()?;
            export::page(&transaction, part, after)
        })
    }

    pub(crate) fn write(
        &mut self,
        records: &[Record],
        part: i16,
        place: RecordPosition,
    ) -> Result<(), StoreError> {
        self.on(|connection| import::write(connection, records, part, place))
    }

    /// Makes the lists and counts of the rows that were written.
    pub(crate) fn settle(&mut self) -> Result<(), OpenStoreError> {
        let connection = self.connection.as_mut().expect("the store was created");
        import::settle(connection).map_err(OpenStoreError::Database)
    }

    /// Counts everything again.
    pub(crate) fn audit(&mut self) -> Result<Audit, StoreError> {
        self.on(|connection| audit_open(connection))
    }

    pub(crate) fn finish(&mut self, source: &StoreHead) -> Result<(), StoreError> {
        self.on(|connection| import::finish(connection, source))
    }

    fn on<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let connection = self.connection.as_mut().expect("the store was created");
        work(connection).map_err(store_error)
    }
}

fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 0)
}
