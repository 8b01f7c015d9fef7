//! The configuration of the bus between nodes.

#[cfg(feature = "nats")]
use std::path::PathBuf;

/// How the nodes that share a store tell each other what they commit, so that the subscribers of all nodes get it
/// at once. A store that is not shared has no bus.
///
/// Messages of the bus are hints. If it loses some, or is down, nodes find the changes when they compare heads.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum BusConfig {
    /// None: subscribers of other nodes wait for the next comparison of heads, a few seconds.
    #[default]
    None,
    /// Over NATS.
    #[cfg(feature = "nats")]
    Nats(NatsConfig),
    /// Over `NOTIFY` of the PostgreSQL server that has the store, on a connection of its own.
    #[cfg(feature = "postgres")]
    Postgres,
}

/// A bus over NATS.
#[cfg(feature = "nats")]
#[derive(Clone)]
#[non_exhaustive]
pub struct NatsConfig {
    /// The addresses of the servers of one cluster: `nats://host:4222`, or `tls://host:4222` for TLS. They can have
    /// a user and a password: `nats://user:password@host`.
    pub servers: Vec<String>,
    /// The name of the user whose password is in the file. Without a name the file has a token.
    pub user: Option<String>,
    /// A file with the password of the user, or with the token, so that it is in no address. It is read for each
    /// connection.
    pub password_file: Option<PathBuf>,
    /// A file with the credentials of a user, as the tools of NATS write it (a JWT and its seed), or with the seed of a
    /// user's nkey. It takes the place of a password, and is read for each connection.
    pub credentials_file: Option<PathBuf>,
    /// A PEM file with the root certificates for TLS, instead of those of the machine.
    pub root_certificates: Option<PathBuf>,
}

#[cfg(feature = "nats")]
impl NatsConfig {
    /// A bus over these servers.
    pub fn new<S: Into<String>>(servers: impl IntoIterator<Item = S>) -> Self {
        Self {
            servers: servers.into_iter().map(Into::into).collect(),
            user: None,
            password_file: None,
            credentials_file: None,
            root_certificates: None,
        }
    }

    /// Sets the name of the user.
    #[must_use]
    pub fn with_user(mut self, name: impl Into<String>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// Sets the file with the password or token.
    #[must_use]
    pub fn with_password_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.password_file = Some(path.into());
        self
    }

    /// Sets the file with the credentials or the nkey.
    #[must_use]
    pub fn with_credentials_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.credentials_file = Some(path.into());
        self
    }

    /// Sets the file with the root certificates.
    #[must_use]
    pub fn with_root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(path.into());
        self
    }
}

#[cfg(feature = "nats")]
impl std::fmt::Debug for NatsConfig {
    /// Without the addresses, which can have passwords.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("NatsConfig")
            .field("servers", &self.servers.len())
            .field("user", &self.user)
            .field("password_file", &self.password_file)
            .field("credentials_file", &self.credentials_file)
            .field("root_certificates", &self.root_certificates)
            .finish()
    }
}
