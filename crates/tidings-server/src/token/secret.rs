//! A secret that signs and verifies tokens.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::zeroize::{Zeroize as _, Zeroizing};
use secrecy::{ExposeSecret, SecretBox};

use crate::watched_files::read;

/// The largest file that is read as a secret.
pub(super) const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// A shared secret for HS256. It is never printed, not even by `Debug`, and wiped from memory when it is
/// dropped.
#[derive(Debug)]
pub struct Secret(SecretBox<Vec<u8>>);

/// The bytes are too few for a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "a secret of {bytes} bytes is too short: HS256 needs {MIN} at least (RFC 7518 §3.2); make one with \
     `tidings token --new-secret FILE`",
    MIN = Secret::MIN_BYTES
)]
pub struct ShortSecret {
    /// Its length.
    pub bytes: usize,
}

impl Secret {
    /// The shortest secret: as long as the hash (RFC 7518 §3.2).
    pub const MIN_BYTES: usize = 32;

    /// Takes the bytes of a file as they are, except for one line feed at the end, which editors write.
    ///
    /// # Errors
    ///
    /// [`ShortSecret`].
    pub fn new(mut bytes: Vec<u8>) -> Result<Self, ShortSecret> {
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.len() < Self::MIN_BYTES {
            let short = ShortSecret { bytes: bytes.len() };
            bytes.zeroize();
            return Err(short);
        }
        Ok(Self(SecretBox::new(Box::new(bytes))))
    }

    /// Reads a secret from a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is larger than 64 KiB, or holds a [`ShortSecret`].
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut loaded = read(path, MAX_SECRET_BYTES)?;
        let secret = Self::new(std::mem::take(&mut *loaded.contents));
        secret.map_err(|short| io::Error::new(io::ErrorKind::InvalidData, short))
    }

    /// Generates a secret of 256 random bits, as a line of 43 letters, digits, `-` and `_` for a file.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn new_line() -> io::Result<Zeroizing<String>> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(|error| io::Error::other(error.to_string()))?;
        let mut line = Zeroizing::new(String::with_capacity(64));
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut line);
        line.push('\n');
        Ok(line)
    }
}

impl ExposeSecret<[u8]> for Secret {
    fn expose_secret(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

/// A program that can read the secret can act as any user. Its file should not be readable by all users of
/// the machine, nor writable by others than its owner.
pub(super) fn warn_if_open(path: &Path, metadata: &Metadata) {
    const OTHERS_OR_GROUP_WRITES: u32 = 0o027;
    let mode = metadata.permissions().mode();
    if mode & OTHERS_OR_GROUP_WRITES != 0 {
        tracing::warn!(
            file = %path.display(),
            mode = format_args!("{:o}", mode & 0o777),
            "the secret that signs tokens is open to other users of this machine; run `chmod 600` on the file"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignores_one_line_feed_at_the_end() {
        let secret = Secret::new(b"0123456789abcdef0123456789abcdef\n".to_vec()).unwrap();
        assert_eq!(secret.expose_secret(), b"0123456789abcdef0123456789abcdef");
        let two = Secret::new(b"0123456789abcdef0123456789abcdef\n\n".to_vec()).unwrap();
        assert_eq!(two.expose_secret().len(), 33);
    }

    #[test]
    fn rejects_a_short_secret_with_a_remedy() {
        let short = Secret::new(b"0123456789abcdef0123456789abcde\n".to_vec()).unwrap_err();
        assert_eq!(short, ShortSecret { bytes: 31 });
        let text = short.to_string();
        assert!(
            text.contains("32") && text.contains("--new-secret"),
            "{text}"
        );
        assert!(Secret::new(Vec::new()).is_err());
    }

    #[test]
    fn new_secrets_are_long_enough_and_differ() {
        let (one, two) = (Secret::new_line().unwrap(), Secret::new_line().unwrap());
        assert_ne!(one, two);
        let secret = Secret::new(one.as_bytes().to_vec()).unwrap();
        assert_eq!(secret.expose_secret().len(), 43);
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new(b"a very secret secret of 35 letters!".to_vec()).unwrap();
        let shown = format!("{secret:?}");
        assert!(!shown.contains("very") && !shown.contains("97"), "{shown}");
    }
}
