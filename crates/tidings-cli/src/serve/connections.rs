//! TLS, and limits of connections.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;
use tidings_server::{ConnectionLimits, PublicUrl, TlsConfig};

use crate::age::Age;

/// The range of `--header-timeout`: a slow connection needs a second, and after an hour it is no limit.
const MIN_HEADER_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_HEADER_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// A head must have room for a token, and the server reads at most 64 KiB of it.
const HEAD_BYTES: RangeInclusive<u64> = 8_192..=65_536;

/// A list's filter needs this much.
const URL_BYTES: RangeInclusive<u64> = 1_024..=65_536;

/// The range of `--upload-timeout`: a sixth of it is the longest pause, which a bad connection needs.
const MIN_UPLOAD_TIMEOUT: Duration = Duration::from_secs(6);
const MAX_UPLOAD_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// The flags below the heading `Connections`.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Connections")]
pub(super) struct ConnectionArgs {
    /// PEM file with the certificate chain for TLS, the server's own certificate first; reread when it
    /// changes
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_TLS_CERT",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,

    /// PEM file with the certificate's private key, unencrypted
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_TLS_KEY",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,

    /// URL at which browsers reach the server through a proxy, such as `https://example.org/tidings`
    /// (repeatable)
    #[arg(
        long,
        value_name = "URL",
        env = "TIDINGS_PUBLIC_URL",
        value_delimiter = ','
    )]
    public_url: Vec<PublicUrl>,

    /// Maximum concurrent connections; a few more are accepted for health checks and metrics only [default:
    /// 16000, or fewer if the limit of open files is lower]
    #[arg(long, value_name = "N", env = "TIDINGS_MAX_CONNECTIONS")]
    max_connections: Option<NonZeroUsize>,

    /// Maximum connections per client address or IPv6 /64 network; 0 for unlimited. Clients behind a proxy
    /// share its address [default: a quarter of --max-connections; unlimited on a loopback address]
    #[arg(long, value_name = "N", env = "TIDINGS_MAX_CONNECTIONS_PER_ADDRESS")]
    max_connections_per_address: Option<usize>,

    /// Maximum size of a request head (request line and headers), in bytes, 8192 to 65536
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_HEAD_BYTES",
        default_value_t = ConnectionLimits::DEFAULT_HEAD_BYTES,
        value_parser = RangedU64ValueParser::<usize>::new().range(HEAD_BYTES)
    )]
    max_head_bytes: usize,

    /// Maximum length of the path and query of a request, in bytes, 1024 to 65536
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_URL_BYTES",
        default_value_t = ConnectionLimits::DEFAULT_URI_BYTES,
        value_parser = RangedU64ValueParser::<usize>::new().range(URL_BYTES)
    )]
    max_url_bytes: usize,

    /// Time limit for a request body, 6s to 1h; a pause within the body can last a sixth of it
    #[arg(
        long,
        value_name = "TIME",
        env = "TIDINGS_UPLOAD_TIMEOUT",
        default_value_t = Age(ConnectionLimits::DEFAULT_UPLOAD_TIMEOUT)
    )]
    upload_timeout: Age,

    /// Time limit for a request head and for an idle connection, 1s to 1h
    #[arg(
        long,
        value_name = "TIME",
        env = "TIDINGS_HEADER_TIMEOUT",
        default_value_t = Age(ConnectionLimits::DEFAULT_HEADER_TIMEOUT)
    )]
    header_timeout: Age,
}

impl ConnectionArgs {
    /// The URLs at which browsers reach the server.
    pub(super) fn public_urls(&self) -> Vec<PublicUrl> {
        self.public_url.clone()
    }

    /// The files of the certificate and its key, if given.
    pub(super) fn tls(&self) -> Option<TlsConfig> {
        let certificate_file = self.tls_cert.clone()?;
        let key_file = self.tls_key.clone()?;
        Some(TlsConfig::new(certificate_file, key_file))
    }

    /// The limits of connections.
    ///
    /// # Errors
    ///
    /// A usage error for a time out of range, and for URLs longer than the head.
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
                "--max-url-bytes ({url}) is more than --max-head-bytes ({head}): lower the first or \
                 raise the second\n"
            );
            return Err(clap::Error::raw(ErrorKind::ValueValidation, fault));
        }
        let mut limits = ConnectionLimits::default();
        limits.most = self.max_connections.map(NonZeroUsize::get);
        limits.most_per_address = self.max_connections_per_address;
        limits.head_bytes = head;
        limits.uri_bytes = url;
        limits.header_timeout = header_timeout;
        limits.upload_timeout = upload_timeout;
        Ok(limits)
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
    fn flags_set_limits() {
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
    fn rejects_wrong_values_with_the_range() {
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
