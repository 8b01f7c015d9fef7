//! Reads a certificate and its key from their files.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::{TlsConfig, TlsError};
use crate::watched_files::{Loaded, read};

/// The rights of users who are neither the owner nor in the group.
const MODE_OF_OTHERS: u32 = 0o007;

/// The largest file of a certificate or a key. It has room for hundreds of certificates.
pub(super) const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Reads both files.
pub(super) fn check(config: &TlsConfig) -> Result<(), TlsError> {
    let paths = [&config.certificate_file, &config.key_file];
    load(config, paths.map(|path| read(path, MAX_FILE_BYTES))).map(drop)
}

/// Parses both files and checks that they belong together.
pub(super) fn load(
    config: &TlsConfig,
    [certificate, key]: [io::Result<Loaded>; 2],
) -> Result<CertifiedKey, TlsError> {
    let TlsConfig {
        certificate_file,
        key_file,
    } = config;
    let unreadable = |file: &Path| {
        let file = file.to_owned();
        |source| TlsError::Read { file, source }
    };
    let certificate = certificate.map_err(unreadable(certificate_file))?;
    let certificates = CertificateDer::pem_slice_iter(&certificate.contents)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| TlsError::Damaged(certificate_file.clone()))?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate(certificate_file.clone()));
    }
    let loaded = key.map_err(unreadable(key_file))?;
    // The parser's error text would quote the key.
    let key = PrivateKeyDer::from_pem_slice(&loaded.contents).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey(key_file.clone()),
        _ => TlsError::Damaged(key_file.clone()),
    })?;
    warn_if_open(key_file, &loaded.metadata);
    let pair = CertifiedKey::from_der(certificates, key, &aws_lc_rs::default_provider());
    pair.map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch {
            certificate_file: certificate_file.clone(),
            key_file: key_file.clone(),
        },
        source => TlsError::Unusable {
            certificate_file: certificate_file.clone(),
            key_file: key_file.clone(),
            source: source.into(),
        },
    })
}

/// A key that every user of the machine can read is not a secret. Only the operator can fix that.
fn warn_if_open(key_file: &Path, metadata: &Metadata) {
    if metadata.mode() & MODE_OF_OTHERS != 0 {
        tracing::warn!(
            file = %key_file.display(),
            "other users of this machine can use the private key; run `chmod o=` on the file"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertifiedKey as Minted, generate_simple_self_signed};
    use tempfile::TempDir;

    use super::*;

    fn minted() -> (String, String) {
        let Minted { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    fn write(directory: &TempDir, certificate: &str, key: &str) -> TlsConfig {
        let config = TlsConfig {
            certificate_file: directory.path().join("certificate.pem"),
            key_file: directory.path().join("key.pem"),
        };
        fs::write(&config.certificate_file, certificate).unwrap();
        fs::write(&config.key_file, key).unwrap();
        config
    }

    fn load(config: &TlsConfig) -> Result<CertifiedKey, TlsError> {
        let paths = [&config.certificate_file, &config.key_file];
        super::load(config, paths.map(|path| read(path, MAX_FILE_BYTES)))
    }

    #[test]
    fn loads_a_pair_that_fits_and_names_the_file_at_fault() {
        let directory = TempDir::new().unwrap();
        let (certificate, key) = minted();
        let (_, other_key) = minted();
        let chain = format!("a comment\n{certificate}{certificate}");
        let loaded = load(&write(&directory, &chain, &key)).unwrap();
        assert_eq!(loaded.cert.len(), 2);

        let cut = &key[..key.len() / 2];
        let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        for (certificate, key, fault) in [
            ("", key.as_str(), "certificate.pem has no certificate"),
            (&key, &key, "certificate.pem has no certificate"),
            (&certificate, "", "key.pem has no private key"),
            (&certificate, &certificate, "key.pem has no private key"),
            (&certificate, &encrypted, "key.pem has no private key"),
            (&certificate, cut, "key.pem is damaged"),
            (
                &certificate,
                &other_key,
                "is not that of the first certificate",
            ),
        ] {
            let error = load(&write(&directory, certificate, key)).unwrap_err();
            assert!(error.to_string().contains(fault), "{error}");
        }
        let mut config = write(&directory, &certificate, &key);
        config.key_file = directory.path().join("nowhere.pem");
        let error = load(&config).unwrap_err();
        assert!(error.to_string().ends_with("nowhere.pem"), "{error}");
    }
}
