//! TLS: the server's certificate, and its replacement without a restart.

#[cfg(feature = "tls")]
mod acceptor;
#[cfg(feature = "tls")]
mod pair;

use std::error::Error;
use std::path::PathBuf;

#[cfg(feature = "tls")]
pub(crate) use acceptor::Tls;

/// The server's certificate and its key, both in PEM form (RFC 7468).
///
/// The server reads the files again within a second after they have changed. New connections get the
/// new certificate; open connections keep the old one. A key that does not match its certificate is
/// rejected, and the previous pair stays in use.
///
/// Needs the feature `tls`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsConfig {
    /// The server's certificate, followed by the chain to a root.
    pub certificate_file: PathBuf,
    /// Its private key, not encrypted: PKCS#8, PKCS#1 or SEC1.
    pub key_file: PathBuf,
}

impl TlsConfig {
    /// A certificate and its key in these files.
    pub fn new(certificate_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        Self {
            certificate_file: certificate_file.into(),
            key_file: key_file.into(),
        }
    }

    /// Reads both files, as the server does when it starts.
    ///
    /// # Errors
    ///
    /// If they cannot be read, or do not belong together.
    #[cfg(feature = "tls")]
    pub fn check(&self) -> Result<(), TlsError> {
        pair::check(self)
    }
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// One of the files cannot be read.
    #[error("could not read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A section of a file does not end or is not base64.
    #[error("{} is damaged: write it again, in PEM form", .0.display())]
    Damaged(PathBuf),
    /// The file has no certificate.
    #[error(
        "{} has no certificate: it must hold the server's, as `-----BEGIN CERTIFICATE-----`, and \
         after it the chain to a root",
        .0.display()
    )]
    NoCertificate(PathBuf),
    /// The file has no key, or only an encrypted one.
    #[error(
        "{} has no private key: it must hold one that is not encrypted, as \
         `-----BEGIN PRIVATE KEY-----`",
        .0.display()
    )]
    NoKey(PathBuf),
    /// The key belongs to another certificate.
    #[error(
        "the key in {} is not that of the first certificate in {}: give the two that belong together",
        key_file.display(),
        certificate_file.display()
    )]
    Mismatch {
        /// The file with the certificate.
        certificate_file: PathBuf,
        /// The file with the key.
        key_file: PathBuf,
    },
    /// TLS cannot use a certificate or a key of this kind.
    #[error(
        "cannot use the certificate in {} with the key in {}",
        certificate_file.display(),
        key_file.display()
    )]
    Unusable {
        /// The file with the certificate.
        certificate_file: PathBuf,
        /// The file with the key.
        key_file: PathBuf,
        /// The library's error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A type without values in a build without the feature `tls`.
#[cfg(not(feature = "tls"))]
#[derive(Debug)]
pub(crate) enum Tls {}
