//! The configuration of a store in PostgreSQL.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// A store in PostgreSQL 13 or newer, which any number of nodes can share.
///
/// ```no_run
/// use tidings::{Config, PostgresConfig};
///
/// let store = PostgresConfig::new("postgres://tidings@db1,db2/tidings?sslmode=require")
///     .with_password_file("/run/secrets/tidings-db");
/// let config = Config::for_store(store);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresConfig {
    pub(crate) url: SecretString,
    pub(crate) password: Option<SecretString>,
    /// A file with the password, read for each new connection, so that the password can change. It takes
    /// precedence over the others.
    pub password_file: Option<PathBuf>,
    /// The connections that commit events. Each has one group in progress. 2 by default.
    pub commit_connections: usize,
    /// The connections for streams and other short reads. 6 by default.
    pub stream_connections: usize,
    /// The connections for lists and searches, of which streams must not wait for any. 8 by default.
    pub list_connections: usize,
    /// The time after which a connection that cannot be made, or a commit that gets no response, counts as
    /// failed. 10 seconds by default.
    pub timeout: Duration,
    /// Whether to start although `synchronous_commit` is `off` on the server. Then the last acknowledged
    /// events can be lost when the server crashes. `false` by default.
    pub allow_lossy_commit: bool,
    /// How long what users did to a system event is kept after its deletion, so that other nodes can tell
    /// their subscribers the new counts. 1 minute; tests choose less.
    #[doc(hidden)]
    pub keep_overlays: Duration,
    /// How long the server keeps the locks of a node that says nothing; tests choose less.
    pub(crate) silence: Duration,
}

impl PostgresConfig {
    /// 2: the more groups are in progress, the fewer events each has, and the more a commit costs per event. The second goes
    /// on while the first waits for a lock or the disk.
    pub const DEFAULT_COMMIT_CONNECTIONS: usize = 2;

    /// 6: the reads of streams take a millisecond or less.
    pub const DEFAULT_STREAM_CONNECTIONS: usize = 6;

    /// 8: lists of several owners at a time, and long ones beside them.
    pub const DEFAULT_LIST_CONNECTIONS: usize = 8;

    /// 10 seconds.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

    /// 1 minute: far longer than a node takes to hear of a deletion.
    #[doc(hidden)]
    pub const DEFAULT_KEEP_OVERLAYS: Duration = Duration::from_secs(60);

    /// 1 minute. A node says something every second, so only one that hangs is silent for so long.
    pub(crate) const DEFAULT_SILENCE: Duration = Duration::from_secs(60);

    /// The default configuration of the store at an address:
    /// `postgres://user@host:port/database?options`, with several hosts separated by commas. The engine uses
    /// the first host that accepts writes, unless `target_session_attrs` says otherwise.
    ///
    /// With `sslmode=require`, which is the default unless all hosts are loopback addresses or sockets, the
    /// server's certificate must be valid for the host. `sslrootcert` names a PEM file with the authorities
    /// to trust instead of the machine's. `sslmode=disable` sends everything in clear text.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            password: None,
            password_file: None,
            commit_connections: Self::DEFAULT_COMMIT_CONNECTIONS,
            stream_connections: Self::DEFAULT_STREAM_CONNECTIONS,
            list_connections: Self::DEFAULT_LIST_CONNECTIONS,
            timeout: Self::DEFAULT_TIMEOUT,
            allow_lossy_commit: false,
            keep_overlays: Self::DEFAULT_KEEP_OVERLAYS,
            silence: Self::DEFAULT_SILENCE,
        }
    }

    /// Sets the password, instead of one in the address.
    #[must_use]
    pub fn with_password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(SecretString::from(password.into()));
        self
    }

    /// Sets the file with the password.
    #[must_use]
    pub fn with_password_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.password_file = Some(path.into());
        self
    }

    /// Sets the number of connections that commit events; at least 1.
    #[must_use]
    pub const fn with_commit_connections(mut self, number: usize) -> Self {
        self.commit_connections = number;
        self
    }

    /// Sets the number of connections for streams and other short reads; at least 1.
    #[must_use]
    pub const fn with_stream_connections(mut self, number: usize) -> Self {
        self.stream_connections = number;
        self
    }

    /// Sets the number of connections for lists and searches; at least 1.
    #[must_use]
    pub const fn with_list_connections(mut self, number: usize) -> Self {
        self.list_connections = number;
        self
    }

    /// Sets the time after which a connection or a commit counts as failed.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets whether to start although `synchronous_commit` is `off`.
    #[must_use]
    pub const fn with_lossy_commit(mut self, allowed: bool) -> Self {
        self.allow_lossy_commit = allowed;
        self
    }
}
