//! A store for the engine under test.

use std::sync::{RwLock, RwLockReadGuard};

use tidings::{Config, SqliteConfig, Tidings};

use crate::backend::Backend;
#[cfg(feature = "postgres")]
use crate::moves::Moves;
#[cfg(feature = "postgres")]
use crate::postgres_database::Database;

/// A store that is empty at first. It is removed when this is dropped.
pub(crate) struct TestDir {
    backend: RwLock<Backend>,
    /// How the store moves between two engines, if it does.
    #[cfg(feature = "postgres")]
    moves: Option<Moves>,
    page_bytes: usize,
    newest_events: usize,
    lanes: Option<usize>,
}

/// The numbers of newest events of the engines that a history opens after the first: each finds what one
/// with another number has left.
const NEWEST_EVENTS: [usize; 3] = [1, 2, SqliteConfig::DEFAULT_NEWEST_EVENTS];

impl TestDir {
    /// A new directory for SQLite.
    pub(crate) fn sqlite() -> Self {
        Self::sqlite_with(SqliteConfig::DEFAULT_NEWEST_EVENTS)
    }

    /// A new directory for SQLite. The lists of its store lack at most `newest_events` events of each
    /// owner.
    pub(crate) fn sqlite_with(newest_events: usize) -> Self {
        Self::of(Backend::sqlite(), newest_events)
    }

    /// A new database for PostgreSQL.
    #[cfg(feature = "postgres")]
    pub(crate) fn postgres() -> Self {
        let backend = Backend::Postgres(Database::create());
        Self::of(backend, SqliteConfig::DEFAULT_NEWEST_EVENTS)
    }

    /// A new directory for SQLite, whose store moves to another backend between two engines.
    #[cfg(feature = "postgres")]
    pub(crate) fn moving() -> Self {
        Self {
            moves: Some(Moves::default()),
            ..Self::sqlite()
        }
    }

    fn of(backend: Backend, newest_events: usize) -> Self {
        Self {
            backend: RwLock::new(backend),
            #[cfg(feature = "postgres")]
            moves: None,
            page_bytes: Config::DEFAULT_PAGE_BYTES,
            newest_events,
            lanes: None,
        }
    }

    /// A new one for the same backend.
    pub(crate) fn another(&self) -> Self {
        Self::of(self.backend().another(), self.newest_events)
    }

    /// The same directory, for engines that read this many bytes of a page at once.
    pub(crate) fn with_page_bytes(self, page_bytes: usize) -> Self {
        Self { page_bytes, ..self }
    }

    /// The same directory, for engines that commit one group at a time.
    pub(crate) fn in_one_lane(self) -> Self {
        let lanes = Some(1);
        Self { lanes, ..self }
    }

    /// The configuration of an engine in this directory.
    pub(crate) fn config(&self) -> Config {
        self.config_listing(self.newest_events)
    }

    /// The configuration of the engine that is opened after this many others.
    pub(crate) fn config_after(&self, engines: usize) -> Config {
        self.config_listing(NEWEST_EVENTS[engines % NEWEST_EVENTS.len()])
    }

    fn config_listing(&self, newest_events: usize) -> Config {
        let config = self.backend().config(newest_events, self.lanes);
        config.with_page_bytes(self.page_bytes)
    }

    /// Compares the counters of the store with its rows. No engine may be open.
    pub(crate) fn audit(&self) {
        self.backend().audit();
    }

    fn backend(&self) -> RwLockReadGuard<'_, Backend> {
        self.backend.read().expect("no test panics with it")
    }

    /// Moves the store, if it moves. No engine may be open.
    pub(crate) async fn between_engines(&self) {
        #[cfg(feature = "postgres")]
        if let Some(moves) = &self.moves {
            let new = self.backend().of_another_kind();
            let (from, to) = (
                self.config().store,
                new.config(self.newest_events, None).store,
            );
            moves.run(&from, &to).await;
            *self.backend.write().expect("no test panics with it") = new;
        }
    }

    /// Opens an engine in this directory.
    pub(crate) async fn open(&self) -> Tidings {
        Tidings::open(self.config())
            .await
            .expect("an engine opens where none is open")
    }
}
