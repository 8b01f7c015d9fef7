//! Who may connect, how, and for how long without a word.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;
use tidings_server::{ConnectionLimits, TlsConfig};

use crate::age::Age;

/// The range of `--header-timeout`: shorter, a line across the world would not do; longer, it is none.
const MIN_HEADER_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_HEADER_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Below, there would be no room for a token. Above, it would be more than is ever read of a head.
const HEAD_BYTES: RangeInclusive<u64> = 8_192..=65_536;

/// How the server is connected to.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Connections")]
pub(super) struct ConnectionArgs {
    /// Serve over TLS with this certificate, in PEM form, followed by those that lead to a root. It is
    /// read again when it changes
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_TLS_CERT",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key, in PEM form and not encrypted
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_TLS_KEY",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,

    /// How many connections are served at a time; of a few more only health checks and metrics are
    /// answered [default: 16000, or as many as the limit of open files allows]
    #[arg(long, value_name = "N", env = "TIDINGS_MAX_CONNECTIONS")]
    max_connections: Option<NonZeroUsize>,

    /// How many of them may come from one address, or from one IPv6 network of 64 bits; 0 is no limit.
    /// Behind a proxy all come from the same [default: a quarter of them, and no limit where it listens
    /// on a loopback address]
    #[arg(long, value_name = "N", env = "TIDINGS_MAX_CONNECTIONS_PER_ADDRESS")]
    max_connections_per_address: Option<usize>,

    /// The largest head of a request, in bytes: its first line and all header fields
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_HEAD_BYTES",
        default_value_t = ConnectionLimits::DEFAULT_HEAD_BYTES,
        value_parser = RangedU64ValueParser::<usize>::new().range(HEAD_BYTES)
    )]
    max_head_bytes: usize,

    /// How long a client may take for the head of a request, and how long a connection is kept on
    /// which nothing happens; from 1s to 1h
    #[arg(
        long,
        value_name = "TIME",
        env = "TIDINGS_HEADER_TIMEOUT",
        default_value_t = Age(ConnectionLimits::DEFAULT_HEADER_TIMEOUT)
    )]
    header_timeout: Age,
}

impl ConnectionArgs {
    /// Where the certificate is, if there is one.
    pub(super) fn tls(&self) -> Option<TlsConfig> {
        let certificate_file = self.tls_cert.clone()?;
        let key_file = self.tls_key.clone()?;
        Some(TlsConfig {
            certificate_file,
            key_file,
        })
    }

    /// What the server is told.
    ///
    /// # Errors
    ///
    /// A usage error for a time that is out of range.
    pub(super) fn limits(&self) -> Result<ConnectionLimits, clap::Error> {
        let header_timeout = self.header_timeout.0;
        if !(MIN_HEADER_TIMEOUT..=MAX_HEADER_TIMEOUT).contains(&header_timeout) {
            return Err(clap::Error::raw(
                ErrorKind::ValueValidation,
                format!(
                    "--header-timeout is {}; give a time from {} to {}\n",
                    self.header_timeout,
                    Age(MIN_HEADER_TIMEOUT),
                    Age(MAX_HEADER_TIMEOUT)
                ),
            ));
        }
        Ok(ConnectionLimits {
            most: self.max_connections.map(NonZeroUsize::get),
            most_per_address: self.max_connections_per_address,
            head_bytes: self.max_head_bytes,
            header_timeout,
        })
    }
}
