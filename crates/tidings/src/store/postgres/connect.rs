//! Makes connections to the PostgreSQL server.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{CancelToken, Client, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::fault::ConnectError;
use super::hosts::Hosts;
use super::open_fault::OpenFault;
use super::tls;
use crate::config::PostgresConfig;

/// An open connection that has to be polled for its client to work.
pub(crate) type Driver = tokio_postgres::Connection<
    Socket,
    <<MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect as TlsConnect<Socket>>::Stream,
>;

/// Makes connections: it knows the hosts, the password and the certificates.
pub(crate) struct Connector {
    hosts: Hosts,
    tls: MakeRustlsConnect,
    password_file: Option<PathBuf>,
    timeout: Duration,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Connector")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl Connector {
    /// Reads the address and the certificates of `config`. It does not connect.
    pub(crate) fn new(config: &PostgresConfig) -> Result<Self, OpenFault> {
        let Address { mut server, tls } = Address::of(config)?;
        if let Some(password) = &config.password {
            server.password(password.expose_secret());
        }
        Ok(Self {
            hosts: Hosts::of(&server),
            tls: tls::connector(&tls)?,
            password_file: config.password_file.clone(),
            timeout: config.timeout,
        })
    }

    /// Opens a connection to a host that has what `target_session_attrs` asks for: the one that accepted the last
    /// connection, or the first of the others. Each has its share of the time. The caller polls the driver.
    pub(crate) async fn open(&self) -> Result<(Client, Driver), ConnectError> {
        let password = match &self.password_file {
            Some(path) => Some(read_password(path.clone()).await?),
            None => None,
        };
        let limit = self.timeout / self.hosts.number().max(1);
        let mut failed = ConnectError::Silence;
        for (index, server) in self.hosts.in_order() {
            let mut server = server.clone();
            if let Some(password) = &password {
                server.password(password.expose_secret());
            }
            match timeout(limit, server.connect(self.tls.clone())).await {
                Ok(Ok(opened)) => {
                    self.hosts.accepted_by(index);
                    return Ok(opened);
                }
                Ok(Err(error)) => failed = error.into(),
                Err(_) => failed = ConnectError::Silence,
            }
        }
        Err(failed)
    }

    /// Tells the server to end what it runs on a connection.
    pub(super) async fn cancel(&self, token: &CancelToken) -> Result<(), tokio_postgres::Error> {
        token.cancel_query(self.tls.clone()).await
    }

    /// The time after which an attempt counts as failed.
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// Reads a password without the end of its line.
async fn read_password(path: PathBuf) -> Result<SecretString, ConnectError> {
    let file = path.clone();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(file)).await;
    let read = read.unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
    let text = read.map_err(|source| ConnectError::Password { path, source })?;
    let text = SecretString::from(text);
    let line = text.expose_secret().trim_end_matches(['\r', '\n']);
    Ok(SecretString::from(line))
}
