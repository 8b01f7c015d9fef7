//! A certificate for the server, and clients that trust it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

/// A certificate in files.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    certificate: String,
    key: String,
    /// Trusts it.
    pub(crate) client: Arc<ClientConfig>,
}

impl Certificate {
    /// Writes a new one to a directory.
    pub(crate) fn new(directory: &Path) -> anyhow::Result<Self> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let write = |name: &str, contents: String| {
            let path = directory.join(name);
            std::fs::write(&path, contents)?;
            let path = path.into_os_string().into_string().ok();
            path.context("the path of the certificate is not UTF-8")
        };
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone())?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            certificate: write("cert.pem", cert.pem())?,
            key: write("key.pem", signing_key.serialize_pem())?,
            client: Arc::new(client),
        })
    }

    /// The flags with which `tidings serve` uses it.
    pub(crate) fn flags(&self) -> [&str; 4] {
        ["--tls-cert", &self.certificate, "--tls-key", &self.key]
    }
}
