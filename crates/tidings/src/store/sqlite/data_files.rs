//! The names of files in a data directory.

/// The database's name in its directory.
pub(crate) const DATABASE: &str = "tidings.db";
