//! Where the server stores events.

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use tidings::{BusConfig, SqliteConfig, StoreConfig};

use super::bus::BusArgs;
use super::limits::LimitArgs;
use crate::store::{Location, NamedStore};

/// The flags below the heading `Store`.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Store")]
pub(super) struct StorageArgs {
    /// Where events are stored: a directory, like --data-dir, or a PostgreSQL database that several servers can
    /// share, such as `postgres://tidings@db1,db2/tidings?sslrootcert=/etc/tidings/db-ca.pem` [default:
    /// --data-dir]
    #[arg(
        long,
        value_name = "STORE",
        env = "TIDINGS_STORE",
        // It can have a password.
        hide_env_values = true,
        conflicts_with = "data_dir"
    )]
    store: Option<Location>,

    /// File with the password of the PostgreSQL user, read for each new connection
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_STORE_PASSWORD_FILE",
        requires = "store"
    )]
    store_password_file: Option<PathBuf>,

    #[command(flatten)]
    bus: BusArgs,
}

/// The store, and its name for logs.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub(super) config: StoreConfig,
    pub(super) bus: BusConfig,
    pub(super) name: String,
}

impl StorageArgs {
    /// The files with secrets and certificates, with their flags.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let password = self.store_password_file.as_deref();
        let password = password.map(|file| ("store-password-file", file));
        password.into_iter().chain(self.bus.files())
    }

    /// The store: that of `--store`, or else the one in `data_dir`.
    ///
    /// # Errors
    ///
    /// A usage error for an address that cannot be used, and for flags that a database does not have.
    pub(super) fn storage(
        &self,
        data_dir: &Path,
        limits: &LimitArgs,
    ) -> Result<Storage, clap::Error> {
        let place = match &self.store {
            Some(store) => store.place("--store", self.store_password_file.as_ref())?,
            None => NamedStore::Directory(data_dir.to_owned()),
        };
        let name = place.to_string();
        let of_databases = self.store_password_file.as_ref();
        let of_databases = of_databases.map(|_| "--store-password-file");
        let (config, bus) = match place {
            NamedStore::Directory(path) => {
                if let Some(flag) = of_databases.or(self.bus.given()) {
                    let fault = format!(
                        "{flag} is for a database: leave it out, or give the address of one with --store\n"
                    );
                    return Err(clap::Error::raw(ErrorKind::ArgumentConflict, fault));
                }
                let mut config = SqliteConfig::new(path).with_reserve(limits.reserve());
                config.newest_events = limits.newest_events();
                (config.into(), BusConfig::None)
            }
            NamedStore::Postgres(database) => {
                if let Some(flag) = limits.of_directories() {
                    let fault = format!(
                        "{flag} is for data directories: leave it out if --store is a database, \
                         whose server has the disk\n"
                    );
                    return Err(clap::Error::raw(ErrorKind::ArgumentConflict, fault));
                }
                (database.config.into(), self.bus.config()?)
            }
        };
        Ok(Storage { config, bus, name })
    }
}
