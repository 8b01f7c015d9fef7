//! TLS to the PostgreSQL server, by rustls.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::TlsFiles;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseTlsError {
    /// A file cannot be read, or is no PEM file.
    #[error("could not read {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the file system, or the first fault in the file.
        source: pem::Error,
    },
    /// A file has no certificate that can be used.
    #[error("{} has no usable certificate", .0.display())]
    NoCertificate(PathBuf),
    /// The certificates of the machine, or those that are given, cannot be used.
    #[error("the certificates cannot be used")]
    Unusable(#[source] rustls::Error),
}

/// A connector that checks the certificate of the server for its host.
pub(super) fn connector(files: &TlsFiles) -> Result<MakeRustlsConnect, DatabaseTlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(DatabaseTlsError::Unusable)?;
    let builder = match &files.root_certificates {
        Some(path) => {
            let mut roots = RootCertStore::empty();
            let (added, _) = roots.add_parsable_certificates(certificates(path)?);
            if added == 0 {
                return Err(DatabaseTlsError::NoCertificate(path.clone()));
            }
            builder.with_root_certificates(roots)
        }
        None => builder
            .with_platform_verifier()
            .map_err(DatabaseTlsError::Unusable)?,
    };
    let config = match (&files.certificate, &files.key) {
        (Some(chain), Some(key)) => {
            let private =
                PrivateKeyDer::from_pem_file(key).map_err(|source| DatabaseTlsError::File {
                    path: key.clone(),
                    source,
                })?;
            builder
                .with_client_auth_cert(certificates(chain)?, private)
                .map_err(DatabaseTlsError::Unusable)?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, DatabaseTlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|source| DatabaseTlsError::File {
            path: path.to_owned(),
            source,
        })
}
