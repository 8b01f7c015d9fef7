//! Why a data directory cannot be used.

use std::io;
use std::path::PathBuf;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The directory could not be created, entered or written to.
    #[error("the data directory {} cannot be used: {remedy}", .path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// How to fix it.
        remedy: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// One of its files belongs to a user who does not share it with the user of this process.
    #[error(
        "{} belongs to user {owner} and group {group} with mode {mode:o}, and this process runs as \
         user {user}; run it as user {owner}, or give the directory's files to user {user}",
        .path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The user it belongs to.
        owner: u32,
        /// The group it belongs to.
        group: u32,
        /// Its mode.
        mode: u32,
        /// The user this process runs as.
        user: u32,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Something else, such as a symbolic link, has the name of one of its files. It is unchanged.
    #[error(
        "{} is not a file that Tidings made; move it away, or choose another directory",
        .path.display()
    )]
    Planted {
        /// Its path.
        path: PathBuf,
    },
    /// Another process uses the directory. Two processes would not see each other's subscribers.
    #[error(
        "the data directory {} is in use by another Tidings{}; stop it, or choose another directory",
        .path.display(),
        .holder.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process that uses it, if its id could be read.
        holder: Option<u32>,
    },
}
