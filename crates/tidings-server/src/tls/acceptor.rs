//! The TLS configuration, with a certificate that is reloaded when its files change.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::pair::{self, MAX_FILE_BYTES};
use super::{TlsConfig, TlsError};
use crate::vitals::Vitals;
use crate::watched_files::{WatchedFiles, watch};

/// The protocols that are offered, the preferred one first (RFC 7301).
const ALPN: [&[u8]; 2] = [HTTP_2, b"http/1.1"];
const HTTP_2: &[u8] = b"h2";

/// The TLS configuration of new handshakes.
pub(crate) struct Tls {
    config: TlsConfig,
    server: Arc<ServerConfig>,
    http1_only: Arc<ServerConfig>,
    _watch: AbortOnDropHandle<()>,
}

/// Omits the key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The certificate for new handshakes.
#[derive(Default)]
struct Current(ArcSwapOption<CertifiedKey>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

impl Tls {
    /// Reads the files, and watches them on the current Tokio runtime.
    pub(crate) fn load(config: TlsConfig, vitals: &Vitals) -> Result<Self, TlsError> {
        let current = Arc::new(Current::default());
        let paths = [config.certificate_file.clone(), config.key_file.clone()];
        let files = WatchedFiles::open(paths, "certificate", MAX_FILE_BYTES, {
            let (config, current) = (config.clone(), Arc::clone(&current));
            move |files| {
                let pair = pair::load(&config, files)?;
                current.0.store(Some(Arc::new(pair)));
                Ok::<(), TlsError>(())
            }
        })?;
        let server = |protocols: &[&[u8]]| {
            let mut server =
                ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                    .with_protocol_versions(&[&version::TLS13, &version::TLS12])
                    .expect("the provider has suites of both versions")
                    .with_no_client_auth()
                    .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
            server.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            Arc::new(server)
        };
        Ok(Self {
            server: server(&ALPN),
            http1_only: server(&ALPN[1..]),
            config,
            _watch: watch(vec![files], vitals),
        })
    }

    /// The configuration with or without HTTP/2.
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
}
