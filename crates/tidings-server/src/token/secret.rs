//! A secret that signs and verifies tokens.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::zeroize::{Zeroize as _, Zeroizing};
use secrecy::{ExposeSecret, SecretBox};

use super::file::{self, FileFault};

/// The largest file that is read as a secret.
pub(super) const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// A shared secret for HS256. It is never shown, not by `Debug` either, and wiped from memory when it is
/// dropped.
#[derive(Debug)]
pub struct Secret(SecretBox<Vec<u8>>);

/// Why bytes are no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret of {bytes} bytes is too short: HS256 needs {MIN} at least (RFC 7518 §3.2); make one with \
     `tidings token --new-secret FILE`",
    MIN = Secret::MIN_BYTES
)]
pub struct ShortSecret {
    /// How long it is.
    pub bytes: usize,
}

impl Secret {
    /// The shortest secret: as long as the hash (RFC 7518 §3.2).
    pub const MIN_BYTES: usize = 32;

    /// The bytes of a file as they are, but for one line feed at the end, which editors put there.
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

    /// Reads a secret of a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is larger than 64 KiB, or holds too short a secret.
    pub fn read(path: &Path) -> Result<Self, FileFault> {
        let (mut contents, _) = file::read(path, MAX_SECRET_BYTES)?;
        Ok(Self::new(std::mem::take(&mut *contents))?)
    }

    /// A new secret of 256 random bits, as a line of 43 letters, digits, `-` and `_` for a file.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers.
    pub fn new_line() -> Result<Zeroizing<String>, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes)?;
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

/// Whoever can read the secret can be any user, so its file should not be readable by all, nor writable
/// by others than its owner.
pub(super) fn warn_if_open(path: &Path, metadata: &Metadata) {
    const OTHERS_OR_GROUP_WRITES: u32 = 0o027;
    let mode = metadata.permissions().mode();
    if mode & OTHERS_OR_GROUP_WRITES != 0 {
        tracing::warn!(
            file = %path.display(),
            mode = format_args!("{:o}", mode & 0o777),
            "the secret that signs tokens is open to other users of this machine; `chmod 600` closes it"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_feed_at_the_end_does_not_count() {
        let secret = Secret::new(b"0123456789abcdef0123456789abcdef\n".to_vec()).unwrap();
        assert_eq!(secret.expose_secret(), b"0123456789abcdef0123456789abcdef");
        let two = Secret::new(b"0123456789abcdef0123456789abcdef\n\n".to_vec()).unwrap();
        assert_eq!(two.expose_secret().len(), 33);
    }

    #[test]
    fn a_short_secret_is_refused_with_a_remedy() {
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
    fn a_secret_is_not_shown() {
        let secret = Secret::new(b"a very secret secret of 35 letters!".to_vec()).unwrap();
        let shown = format!("{secret:?}");
        assert!(!shown.contains("very") && !shown.contains("97"), "{shown}");
    }
}
