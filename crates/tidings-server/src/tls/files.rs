//! The certificate and the key as files.

use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::{TlsConfig, TlsError};
use crate::regular_file;

/// The rights of everybody who is neither the owner nor in the group.
const MODE_OF_OTHERS: u32 = 0o007;

/// The most bytes of one of the files: hundreds of certificates.
const MAX_BYTES: u64 = 1024 * 1024;

/// By what a change of the two files is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    certificate: Option<Mark>,
    key: Option<Mark>,
}

/// A file that was replaced has another number, one that was written to another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    device: u64,
    inode: u64,
    bytes: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Seen {
    /// Looks at the files; one that cannot be looked at is none.
    pub(super) fn look(config: &TlsConfig) -> Self {
        let mark = |file: &Path| fs::metadata(file).ok().map(|metadata| Mark::of(&metadata));
        Self {
            certificate: mark(&config.certificate_file),
            key: mark(&config.key_file),
        }
    }
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Reads both files and checks that they belong together.
pub(super) fn load(config: &TlsConfig) -> Result<CertifiedKey, TlsError> {
    let TlsConfig {
        certificate_file,
        key_file,
    } = config;
    let certificates = CertificateDer::pem_slice_iter(&read(certificate_file)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| TlsError::Damaged(certificate_file.clone()))?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate(certificate_file.clone()));
    }
    // What is wrong with it stays unsaid: the parser's words quote the file.
    let key = PrivateKeyDer::from_pem_slice(&read(key_file)?).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey(key_file.clone()),
        _ => TlsError::Damaged(key_file.clone()),
    })?;
    warn_if_open(key_file);
    let pair = CertifiedKey::from_der(certificates, key, &aws_lc_rs::default_provider());
    pair.map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch {
            certificate_file: certificate_file.clone(),
            key_file: key_file.clone(),
        },
        source => TlsError::Unusable {
            certificate_file: certificate_file.clone(),
            key_file: key_file.clone(),
            source,
        },
    })
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    read_regular(file).map_err(|source| TlsError::Read {
        file: file.to_owned(),
        source,
    })
}

fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let (file, metadata) = regular_file::open(path)?;
    let too_large = || io::Error::from(io::ErrorKind::FileTooLarge);
    if metadata.len() > MAX_BYTES {
        return Err(too_large());
    }
    let mut contents = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > MAX_BYTES {
        return Err(too_large());
    }
    Ok(contents)
}

/// A key that everybody on the machine can read is no secret, which is for the operator to mend.
fn warn_if_open(key_file: &Path) {
    let open = fs::metadata(key_file).is_ok_and(|file| file.mode() & MODE_OF_OTHERS != 0);
    if open {
        tracing::warn!(
            file = %key_file.display(),
            "others on this machine can use the private key; close it to them: chmod o= {}",
            key_file.display()
        );
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn files_that_fit_are_loaded_and_others_named() {
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

    #[test]
    fn what_is_written_or_replaced_is_seen() {
        let directory = TempDir::new().unwrap();
        let config = write(&directory, "certificate", "key");
        let first = Seen::look(&config);
        assert_eq!(Seen::look(&config), first);
        let replacement = directory.path().join("replacement");
        fs::write(&replacement, "kex").unwrap();
        fs::rename(replacement, &config.key_file).unwrap();
        let second = Seen::look(&config);
        assert_ne!(second, first);
        fs::remove_file(&config.certificate_file).unwrap();
        assert_ne!(Seen::look(&config), second);
    }
}
