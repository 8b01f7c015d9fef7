//! Reads the address of a PostgreSQL server.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::config::PostgresConfig;

/// How long a connection is silent before the operating system asks the server whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// The port of PostgreSQL.
const DEFAULT_PORT: u16 = 5432;

/// The parts of an address.
#[derive(Debug)]
pub(super) struct Address {
    /// The hosts, the database and the user. Its debug form hides the password.
    pub(super) server: tokio_postgres::Config,
    pub(super) tls: TlsFiles,
}

/// The files that an address names for TLS.
#[derive(Clone, Debug, Default)]
pub(super) struct TlsFiles {
    /// The authorities to trust instead of the machine's, in PEM.
    pub(super) root_certificates: Option<PathBuf>,
    /// The client's certificate and its chain, in PEM.
    pub(super) certificate: Option<PathBuf>,
    /// The client's private key, in PEM.
    pub(super) key: Option<PathBuf>,
}

/// Why an address cannot be used. No variant repeats the address, since it can have a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddressError {
    /// It has another scheme.
    #[error("the address of the store must begin with postgres:// or postgresql://")]
    Scheme,
    /// The part before the options, or an option that the driver reads, is invalid.
    #[error("the address of the store is invalid")]
    Invalid(#[source] tokio_postgres::Error),
    /// A value of `sslmode` for which there is no safe meaning.
    #[error("sslmode={0} is not supported: use require, which checks the certificate, or disable")]
    Mode(String),
    /// A value is not UTF-8 after percent-decoding.
    #[error("the value of {0} in the address of the store is not UTF-8")]
    NotUtf8(String),
    /// There is no host.
    #[error("the address of the store names no host")]
    NoHost,
    /// A password has an `@`, so that what follows it is read as a host.
    #[error("a host in the address of the store contains @: write %40 for one in a password")]
    Host,
    /// A client certificate without a key, or the reverse.
    #[error("sslcert and sslkey must be given together")]
    HalfCertificate,
}

impl Address {
    /// Reads the address of `config`.
    pub(super) fn of(config: &PostgresConfig) -> Result<Self, AddressError> {
        let url = config.url.expose_secret();
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(AddressError::Scheme);
        }
        let (base, options) = url.split_once('?').unwrap_or((url, ""));
        let mut tls = TlsFiles::default();
        let mut mode = None;
        let mut rest = Vec::new();
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let path = || decoded(name, value).map(|path| Some(PathBuf::from(path)));
            match name {
                "sslmode" => mode = Some(ssl_mode(&decoded(name, value)?)?),
                "sslrootcert" => tls.root_certificates = path()?,
                "sslcert" => tls.certificate = path()?,
                "sslkey" => tls.key = path()?,
                _ => rest.push(option),
            }
        }
        if tls.certificate.is_some() != tls.key.is_some() {
            return Err(AddressError::HalfCertificate);
        }
        let is_given = |name: &str| {
            let mut names = rest.iter().map(|option| option.split('=').next());
            names.any(|given| given == Some(name))
        };
        let known = format!("{base}?{}", rest.join("&"));
        let server = known.parse::<tokio_postgres::Config>();
        let mut server = server.map_err(AddressError::Invalid)?;
        if server.get_hosts().is_empty() {
            return Err(AddressError::NoHost);
        }
        let has_at = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
        if server.get_hosts().iter().any(has_at) {
            return Err(AddressError::Host);
        }
        if !is_given("target_session_attrs") {
            server.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if !is_given("application_name") {
            server.application_name("tidings");
        }
        if !is_given("connect_timeout") {
            // A machine that is off answers nothing, and then the next host needs its share of the time.
            let hosts = u32::try_from(server.get_hosts().len()).unwrap_or(u32::MAX);
            server.connect_timeout(config.timeout / hosts.max(1));
        }
        if !is_given("keepalives_idle") {
            server.keepalives_idle(KEEPALIVE);
        }
        if !is_given("tcp_user_timeout") {
            server.tcp_user_timeout(config.timeout);
        }
        server.ssl_mode(mode.unwrap_or_else(|| default_mode(&server)));
        Ok(Self { server, tls })
    }
}

/// Without the password and the options.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.server.get_user() {
            write!(f, "{user}@")?;
        }
        let ports = self.server.get_ports();
        for (index, host) in self.server.get_hosts().iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match host {
                Host::Tcp(name) if name.contains(':') => write!(f, "[{name}]")?,
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(path) => path.display().fmt(f)?,
            }
            let port = ports.get(index).or(ports.first());
            if let Some(port) = port.filter(|port| **port != DEFAULT_PORT) {
                write!(f, ":{port}")?;
            }
        }
        match self.server.get_dbname().or(self.server.get_user()) {
            Some(database) => write!(f, "/{database}"),
            None => Ok(()),
        }
    }
}

fn ssl_mode(mode: &str) -> Result<SslMode, AddressError> {
    match mode {
        "disable" => Ok(SslMode::Disable),
        "prefer" => Ok(SslMode::Prefer),
        // The certificate and the host are always checked.
        "require" | "verify-full" => Ok(SslMode::Require),
        other => Err(AddressError::Mode(other.to_owned())),
    }
}

/// Nobody listens between this machine and itself. Everywhere else the connection is encrypted.
fn default_mode(server: &tokio_postgres::Config) -> SslMode {
    let is_local = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    };
    let addresses = server.get_hostaddrs();
    match server.get_hosts().iter().all(is_local) && addresses.iter().all(IpAddr::is_loopback) {
        true => SslMode::Disable,
        false => SslMode::Require,
    }
}

/// The value of an option without percent signs.
fn decoded(name: &str, value: &str) -> Result<String, AddressError> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| AddressError::NotUtf8(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<Address, AddressError> {
        Address::of(&PostgresConfig::new(url))
    }

    fn mode(url: &str) -> SslMode {
        address(url).unwrap().server.get_ssl_mode()
    }

    #[test]
    fn encrypts_unless_the_server_is_on_this_machine() {
        assert_eq!(mode("postgres://u@127.0.0.1/d"), SslMode::Disable);
        assert_eq!(mode("postgres://u@localhost,[::1]/d"), SslMode::Disable);
        assert_eq!(mode("postgres://u@%2Frun%2Fpostgresql/d"), SslMode::Disable);
        assert_eq!(mode("postgres://u@localhost,db2/d"), SslMode::Require);
        assert_eq!(mode("postgres://u@10.0.0.1/d"), SslMode::Require);
        assert_eq!(mode("postgres://u@db/d?sslmode=disable"), SslMode::Disable);
        assert_eq!(
            mode("postgresql://u@localhost/d?sslmode=verify-full"),
            SslMode::Require
        );
        for mode in ["allow", "verify-ca", ""] {
            let rejected = address(&format!("postgres://u@db/d?sslmode={mode}"));
            assert!(matches!(rejected, Err(AddressError::Mode(given)) if given == mode));
        }
    }

    #[test]
    fn asks_for_a_server_that_accepts_writes() {
        let chosen = |url| address(url).unwrap().server.get_target_session_attrs();
        let several = "postgres://u@db1,db2:5433/d";
        assert_eq!(chosen(several), TargetSessionAttrs::ReadWrite);
        assert_eq!(
            chosen("postgres://u@db/d?target_session_attrs=any"),
            TargetSessionAttrs::Any
        );
        let ports = address(several).unwrap().server.get_ports().to_vec();
        assert_eq!(ports, [5432, 5433]);
    }

    #[test]
    fn hosts_share_the_time_for_a_connection() {
        let limit = |url| {
            let server = address(url).unwrap().server;
            server.get_connect_timeout().copied()
        };
        let whole = PostgresConfig::DEFAULT_TIMEOUT;
        assert_eq!(limit("postgres://u@db/d"), Some(whole));
        assert_eq!(limit("postgres://u@db1,db2/d"), Some(whole / 2));
        let given = limit("postgres://u@db1,db2/d?connect_timeout=3");
        assert_eq!(given, Some(Duration::from_secs(3)));
    }

    #[test]
    fn reads_the_files_for_tls() {
        let url = "postgres://u@db/d?sslrootcert=%2Fetc%2Fa%20b.pem&sslcert=c.pem&sslkey=k.pem";
        let files = address(url).unwrap().tls;
        let path = |path: Option<PathBuf>| path.unwrap().into_os_string().into_string().unwrap();
        assert_eq!(path(files.root_certificates), "/etc/a b.pem");
        assert_eq!(path(files.certificate), "c.pem");
        assert_eq!(path(files.key), "k.pem");
        let half = address("postgres://u@db/d?sslcert=c.pem");
        assert!(matches!(half, Err(AddressError::HalfCertificate)));
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (url, shown) in [
            (
                "postgresql://u:geheim@db1,db2:5433/d?sslmode=disable",
                "postgres://u@db1,db2:5433/d",
            ),
            ("postgres://u@[::1]:5432/", "postgres://u@[::1]/u"),
            (
                "postgres://%2Frun%2Fpostgresql/d",
                "postgres:///run/postgresql/d",
            ),
            ("postgres://u@db/d?password=geheim", "postgres://u@db/d"),
        ] {
            assert_eq!(address(url).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn an_unusable_address_is_rejected_without_its_password() {
        for url in [
            "mysql://u:geheim@db/d",
            "postgres://u:geheim@db:99999/d",
            "postgres://u:geheim@db/d?unknown=geheim",
            "postgres:///d",
            "postgres://u:ge@heim@db/d",
        ] {
            let error = address(url).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let text = format!("{error} {source:?} {error:?}");
            assert!(
                !text.contains("geheim") && !text.contains("heim@"),
                "{text}"
            );
        }
    }
}
