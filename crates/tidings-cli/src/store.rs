//! Where the events are stored: in a data directory, or in PostgreSQL.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use clap::error::ErrorKind;
use tidings::{PostgresConfig, SqliteConfig, StoreConfig};

use crate::output::chain;

/// The schemes of addresses of PostgreSQL.
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];

/// The prefix of a data directory, for one whose name looks like an address.
const SQLITE: &str = "sqlite:";

/// A store as a flag names it. Parsing accepts any text, since the usage error of clap would repeat it, and it can
/// have a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Location(OsString);

/// A store that a [`Location`] names.
#[derive(Clone, Debug)]
pub(crate) enum NamedStore {
    /// The data directory of a store in SQLite.
    Directory(PathBuf),
    /// A database of PostgreSQL.
    Postgres(Database),
}

/// A database of PostgreSQL, with its address for logs.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) config: PostgresConfig,
    /// The address without a password.
    pub(crate) name: String,
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Location").finish_non_exhaustive()
    }
}

impl From<OsString> for Location {
    fn from(text: OsString) -> Self {
        Self(text)
    }
}

impl std::str::FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl Location {
    /// The store. The password of a database is read from `password_file`, if there is one.
    ///
    /// # Errors
    ///
    /// A usage error that names `flag`, and nothing of the address.
    pub(crate) fn place(
        &self,
        flag: &str,
        password_file: Option<&PathBuf>,
    ) -> Result<NamedStore, clap::Error> {
        let fault = |text: String| clap::Error::raw(ErrorKind::ValueValidation, text);
        let bytes = self.0.as_bytes();
        if POSTGRES
            .iter()
            .any(|scheme| bytes.starts_with(scheme.as_bytes()))
        {
            let Some(url) = self.0.to_str() else {
                return Err(fault(format!("the address of {flag} is not UTF-8\n")));
            };
            let mut config = PostgresConfig::new(url);
            config.password_file = password_file.cloned();
            let described = config.described();
            let name = described
                .map_err(|error| fault(format!("{flag} is invalid: {}\n", chain(&error))))?;
            return Ok(NamedStore::Postgres(Database { config, name }));
        }
        if let Some(path) = bytes.strip_prefix(SQLITE.as_bytes()) {
            return Ok(NamedStore::Directory(
                OsString::from_vec(path.to_vec()).into(),
            ));
        }
        let is_address = bytes.windows(3).any(|three| three == b"://");
        if is_address || bytes.is_empty() {
            return Err(fault(format!(
                "{flag} is neither a data directory nor an address that begins with postgres://\n"
            )));
        }
        Ok(NamedStore::Directory(PathBuf::from(&self.0)))
    }
}

impl NamedStore {
    /// Its configuration.
    pub(crate) fn into_config(self) -> StoreConfig {
        match self {
            Self::Directory(path) => SqliteConfig::new(path).into(),
            Self::Postgres(database) => database.config.into(),
        }
    }
}

impl fmt::Display for NamedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::Postgres(database) => database.name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn place(text: &str) -> Result<NamedStore, clap::Error> {
        Location::from(OsString::from(text)).place("--store", None)
    }

    #[test]
    fn names_a_directory_or_a_database() {
        for (text, path) in [
            ("data", "data"),
            ("/var/lib/tidings", "/var/lib/tidings"),
            ("sqlite:data", "data"),
            ("sqlite:postgres://odd", "postgres://odd"),
        ] {
            let found = place(text).unwrap();
            assert!(
                matches!(&found, NamedStore::Directory(found) if found == Path::new(path)),
                "{text}: {found:?}"
            );
        }
        let place = place("postgres://tidings:geheim@db1,db2:5433/inbox?sslmode=require").unwrap();
        assert_eq!(place.to_string(), "postgres://tidings@db1,db2:5433/inbox");
        assert!(!format!("{place:?}").contains("geheim"));
    }

    #[test]
    fn rejects_other_addresses_without_repeating_them() {
        for text in [
            "",
            "mysql://u:geheim@db/inbox",
            "postgres://u:geheim@db/inbox?sslmode=allow",
            "postgres://u:ge@heim@db/inbox",
            "postgres://u:geheim@db:x/inbox",
            "postgres://",
        ] {
            let error = place(text).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let error = error.to_string();
            assert!(error.contains("--store"), "{error}");
            assert!(
                !error.contains("geheim") && !error.contains("heim@"),
                "{error}"
            );
        }
    }
}
