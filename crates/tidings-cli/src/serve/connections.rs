//! Who may connect, how, and for how long without a word.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;
use tidings_server::{ConnectionLimits, PublicUrl, TlsConfig};

use crate::age::Age;

/// The range of `--header-timeout`: shorter, a line across the world would not do; longer, it is none.
const MIN_HEADER_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_HEADER_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Below, there would be no room for a token. Above, it would be more than is ever read of a head.
const HEAD_BYTES: RangeInclusive<u64> = 8_192..=65_536;

/// Below, a filter would hardly find room.
const URL_BYTES: RangeInclusive<u64> = 1_024..=65_536;

/// The range of `--upload-timeout`: shorter, a pause would be no time for a bad line.
const MIN_UPLOAD_TIMEOUT: Duration = Duration::from_secs(6);
const MAX_UPLOAD_TIMEOUT: Duration = Duration::from_secs(60 * 60);

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

    /// Address at which browsers reach the server through a proxy, with the path if it is below one, such
    /// as `https://example.org/tidings`; repeatable
    #[arg(
        long,
        value_name = "URL",
        env = "TIDINGS_PUBLIC_URL",
        value_delimiter = ','
    )]
    public_url: Vec<PublicUrl>,

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

    /// The longest path of a request with its query, in bytes; part of its head
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_URL_BYTES",
        default_value_t = ConnectionLimits::DEFAULT_URI_BYTES,
        value_parser = RangedU64ValueParser::<usize>::new().range(URL_BYTES)
    )]
    max_url_bytes: usize,

    /// How long a client may take for the body of a request, and a sixth of it without sending; from 6s
    /// to 1h
    #[arg(
        long,
        value_name = "TIME",
        env = "TIDINGS_UPLOAD_TIMEOUT",
        default_value_t = Age(ConnectionLimits::DEFAULT_UPLOAD_TIMEOUT)
    )]
    upload_timeout: Age,

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
    /// Where browsers reach the server.
    pub(super) fn public_urls(&self) -> Vec<PublicUrl> {
        self.public_url.clone()
    }

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
    /// A usage error for a time that is out of range, and for an address that a head has no room for.
    pub(super) fn limits(&self) -> Result<ConnectionLimits, clap::Error> {
        let header_timeout = within(
            "--header-timeout",
            self.header_timeout,
            MIN_HEADER_TIMEOUT..=MAX_HEADER_TIMEOUT,
        )?;
        let upload_timeout = within(
            "--upload-timeout",
            self.upload_timeout,
            MIN_UPLOAD_TIMEOUT..=MAX_UPLOAD_TIMEOUT,
        )?;
        let (url, head) = (self.max_url_bytes, self.max_head_bytes);
        if url > head {
            let fault = format!(
                "--max-url-bytes ({url}) is more than --max-head-bytes ({head}): lower the one or \
                 raise the other\n"
            );
            return Err(clap::Error::raw(ErrorKind::ValueValidation, fault));
        }
        Ok(ConnectionLimits {
            most: self.max_connections.map(NonZeroUsize::get),
            most_per_address: self.max_connections_per_address,
            head_bytes: head,
            uri_bytes: url,
            header_timeout,
            upload_timeout,
        })
    }
}

fn within(
    flag: &str,
    given: Age,
    range: RangeInclusive<Duration>,
) -> Result<Duration, clap::Error> {
    if range.contains(&given.0) {
        return Ok(given.0);
    }
    let (least, most) = (Age(*range.start()), Age(*range.end()));
    let fault = format!("{flag} is {given}; give a time from {least} to {most}\n");
    Err(clap::Error::raw(ErrorKind::ValueValidation, fault))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: ConnectionArgs,
    }

    fn limits(flags: &[&str]) -> Result<ConnectionLimits, clap::Error> {
        Cli::try_parse_from([&["x"], flags].concat())?.args.limits()
    }

    #[test]
    fn limits_are_taken_from_the_flags() {
        let defaults = limits(&[]).unwrap();
        assert_eq!(defaults.head_bytes, ConnectionLimits::DEFAULT_HEAD_BYTES);
        assert_eq!(defaults.most_per_address, None);
        let given = limits(&[
            "--max-connections=7",
            "--max-connections-per-address=0",
            "--max-head-bytes=20000",
            "--max-url-bytes=2000",
            "--header-timeout=2s",
            "--upload-timeout=30s",
        ])
        .unwrap();
        assert_eq!(given.most, Some(7));
        assert_eq!(given.most_per_address, Some(0));
        assert_eq!((given.head_bytes, given.uri_bytes), (20_000, 2_000));
        assert_eq!(given.header_timeout, Duration::from_secs(2));
        assert_eq!(given.upload_timeout, Duration::from_secs(30));
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_to_write() {
        for (flags, hint) in [
            (&["--max-head-bytes=8191"][..], "8192..=65536"),
            (&["--max-url-bytes=1023"], "1024..=65536"),
            (&["--max-url-bytes=40000"], "--max-head-bytes (32768)"),
            (&["--header-timeout=2h"], "from 1s to 3600s"),
            (&["--upload-timeout=5s"], "from 6s to 3600s"),
        ] {
            let error = limits(flags).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{flags:?}");
            assert!(error.to_string().contains(hint), "{flags:?}: {error}");
        }
    }
}
