//! TLS: which certificate the server shows, and how it comes by another without a restart.

mod files;

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};
use tokio_rustls::TlsAcceptor;

use crate::error_chain::chain;
use files::Seen;

/// How often it is looked whether the files have changed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The protocols that are offered, the preferred one first (RFC 7301).
const ALPN: [&[u8]; 2] = [HTTP_2, b"http/1.1"];
const HTTP_2: &[u8] = b"h2";

/// The certificate that a server shows and its key, both in PEM form (RFC 7468).
///
/// The files are read again within about a second when they have changed. New connections get the new
/// certificate, the others go on. Files that do not fit each other are not taken over.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// The server's certificate, and after it those that lead to a root.
    pub certificate_file: PathBuf,
    /// Its private key, not encrypted: PKCS#8, PKCS#1 or SEC1.
    pub key_file: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// One of the files is not there or may not be read.
    #[error("could not read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A section of a file does not end or is no base64.
    #[error("{} is damaged: write it again, in PEM form", .0.display())]
    Damaged(PathBuf),
    /// The file has no certificate.
    #[error(
        "{} has no certificate: it must hold the server's, as `-----BEGIN CERTIFICATE-----`, and \
         after it those that lead to a root",
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
    /// The key is another certificate's.
    #[error(
        "the key in {} is not that of the first certificate in {}: give the two that belong together",
        key_file.display(),
        certificate_file.display()
    )]
    Mismatch {
        /// Where the certificate is.
        certificate_file: PathBuf,
        /// Where the key is.
        key_file: PathBuf,
    },
    /// The certificate or the key is of a kind that TLS has no use for.
    #[error(
        "cannot use the certificate in {} with the key in {}",
        certificate_file.display(),
        key_file.display()
    )]
    Unusable {
        /// Where the certificate is.
        certificate_file: PathBuf,
        /// Where the key is.
        key_file: PathBuf,
        /// What is wrong with them.
        #[source]
        source: rustls::Error,
    },
}

/// What handshakes need.
pub(crate) struct Tls {
    config: TlsConfig,
    shown: Arc<Shown>,
    /// The state of the files at the start.
    seen: Seen,
    server: Arc<ServerConfig>,
    http1_only: Arc<ServerConfig>,
}

/// Without the key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The certificate for new handshakes.
struct Shown(ArcSwap<CertifiedKey>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads the files.
    pub(crate) fn load(config: TlsConfig) -> Result<Self, TlsError> {
        // Before they are read: what changes meanwhile is then seen as a change.
        let seen = Seen::look(&config);
        let pair = files::load(&config)?;
        let shown = Arc::new(Shown(ArcSwap::from_pointee(pair)));
        let server = |protocols: &[&[u8]]| {
            let mut server =
                ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                    .with_protocol_versions(&[&version::TLS13, &version::TLS12])
                    .expect("the provider has suites of both versions")
                    .with_no_client_auth()
                    .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
            server.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            Arc::new(server)
        };
        Ok(Self {
            server: server(&ALPN),
            http1_only: server(&ALPN[1..]),
            config,
            seen,
            shown,
        })
    }

    /// For a client that may speak HTTP/2, or one that may not.
    pub(crate) fn acceptor(&self, http2: bool) -> TlsAcceptor {
        let server = if http2 {
            &self.server
        } else {
            &self.http1_only
        };
        TlsAcceptor::from(Arc::clone(server))
    }

    /// Whether the client chose HTTP/2.
    pub(crate) fn is_http2(chosen: Option<&[u8]>) -> bool {
        chosen == Some(HTTP_2)
    }

    /// Looks for changes of the files and takes them over, until it is dropped.
    pub(crate) async fn follow_files(&self) -> Infallible {
        let mut in_use = self.seen;
        // A certificate and its key are seldom replaced in the same moment, so what does not fit is
        // looked at twice before it is called a failure.
        let mut doubtful = None;
        let mut refused = None;
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let config = self.config.clone();
            // A file system may take its time.
            let looked = tokio::task::spawn_blocking(move || {
                let seen = Seen::look(&config);
                let news = seen != in_use && Some(seen) != refused;
                (seen, news.then(|| files::load(&config)))
            });
            match looked.await {
                Ok((seen, Some(Ok(pair)))) => {
                    self.shown.0.store(Arc::new(pair));
                    in_use = seen;
                    (doubtful, refused) = (None, None);
                    let file = self.config.certificate_file.display();
                    tracing::info!(%file, "new connections get the new certificate");
                }
                Ok((seen, Some(Err(error)))) if doubtful == Some(seen) => {
                    refused = Some(seen);
                    tracing::error!(
                        cause = chain(&error),
                        "the new certificate cannot be used; connections go on with the one before"
                    );
                }
                Ok((seen, Some(Err(_)))) => doubtful = Some(seen),
                Ok((_, None)) => {}
                Err(error) => tracing::error!(%error, "could not look for a new certificate"),
            }
        }
    }
}
