//! The stores that the cases run on.

use std::time::Duration;

use tempfile::TempDir;
#[cfg(feature = "postgres")]
use tidings::PostgresConfig;
use tidings::{Config, SqliteConfig};

#[cfg(feature = "postgres")]
use crate::postgres_database::Database;

/// A store that is empty at first. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) enum Backend {
    /// The directory of a store in SQLite.
    Sqlite(TempDir),
    /// The database of a store in PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(Database),
}

impl Backend {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    /// A new one of the same kind.
    pub(crate) fn another(&self) -> Self {
        match self {
            Self::Sqlite(_) => Self::sqlite(),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Self::Postgres(Database::create()),
        }
    }

    /// A new one of another kind.
    #[cfg(feature = "postgres")]
    pub(crate) fn of_another_kind(&self) -> Self {
        match self {
            Self::Sqlite(_) => Self::Postgres(Database::create()),
            Self::Postgres(_) => Self::sqlite(),
        }
    }

    /// The configuration of an engine. The lists of SQLite lack at most `newest_events` events of each owner.
    /// PostgreSQL commits in `lanes`, SQLite always in one.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "SQLite has one lane")
    )]
    pub(crate) fn config(&self, newest_events: usize, lanes: Option<usize>) -> Config {
        match self {
            Self::Sqlite(directory) => {
                let store = SqliteConfig::new(directory.path()).with_newest_events(newest_events);
                Config::for_store(store)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let mut store = PostgresConfig::new(database.url());
                // No other node reads the overlays.
                store.keep_overlays = Duration::ZERO;
                if let Some(lanes) = lanes {
                    store.commit_connections = lanes;
                }
                Config::for_store(store)
            }
        }
    }

    /// Compares the counters with the rows. No engine may be open.
    pub(crate) fn audit(&self) {
        match self {
            Self::Sqlite(directory) => {
                let audited = tidings::sqlite::audit(directory.path(), Duration::from_secs(60));
                let audit = audited.expect("a closed store can be read");
                assert!(audit.complete && audit.wrong.is_empty(), "{audit:?}");
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let wrong = database.query(include_str!("audit.sql"));
                assert!(wrong.is_empty(), "{wrong:?}");
                let wrong = database.query(include_str!("audit_recipients.sql"));
                assert!(wrong.is_empty(), "{wrong:?}");
            }
        }
    }
}
