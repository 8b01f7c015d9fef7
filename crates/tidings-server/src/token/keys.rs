//! The keys that verify tokens.

use std::collections::HashSet;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use super::claims::Fingerprint;
use super::error::TokenError;
use super::header::TokenHeader;
use super::raw_claims::RawClaims;
use super::secret::Secret;

/// A key and its one algorithm. The key alone decides the algorithm, so that no token can have a public
/// key used as an HMAC secret (RFC 8725 §2.1 and §3.1).
#[derive(Debug)]
pub(super) struct Key {
    fingerprint: Fingerprint,
    id: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
    validation: Validation,
}

impl Fingerprint {
    pub(super) fn of(material: &[u8]) -> Self {
        Self(Sha256::digest(material).into())
    }
}

/// All keys that are in use at one moment.
#[derive(Debug)]
pub(super) enum KeySet {
    /// One secret. A token's `kid` is ignored.
    Secret(Box<Key>),
    /// Public keys, chosen by `kid`.
    Public(Vec<Key>),
}

impl Key {
    pub(super) fn new(
        fingerprint: Fingerprint,
        id: Option<String>,
        algorithm: Algorithm,
        decoding: DecodingKey,
    ) -> Self {
        let mut validation = Validation::new(algorithm);
        // `Rules` checks the claims, at a time that tests can choose.
        validation.required_spec_claims = HashSet::new();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Self {
            fingerprint,
            id,
            algorithm,
            decoding,
            validation,
        }
    }

    /// The claims of a token that was signed with this key.
    ///
    /// # Errors
    ///
    /// [`TokenError::BadSignature`], or the reason why the token cannot be read.
    pub(super) fn verify(&self, token: &str) -> Result<RawClaims, TokenError> {
        let read = jsonwebtoken::decode(token, &self.decoding, &self.validation);
        let read = read.map_err(|error| match error.kind() {
            ErrorKind::InvalidToken | ErrorKind::Base64(_) | ErrorKind::Json(_) => {
                TokenError::Malformed
            }
            ErrorKind::InvalidAlgorithm => TokenError::UnsupportedAlgorithm,
            _ => TokenError::BadSignature,
        })?;
        Ok(read.claims)
    }

    pub(super) const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl KeySet {
    /// Whether both sets accept the same tokens.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let facts = |key: &Key| (key.fingerprint, key.id.clone(), key.algorithm);
        match (self, other) {
            (Self::Secret(one), Self::Secret(other)) => facts(one) == facts(other),
            (Self::Public(some), Self::Public(others)) => {
                some.iter().map(facts).eq(others.iter().map(facts))
            }
            (Self::Secret(_), Self::Public(_)) | (Self::Public(_), Self::Secret(_)) => false,
        }
    }

    /// Whether the set has this key.
    pub(super) fn contains(&self, key: Fingerprint) -> bool {
        match self {
            Self::Secret(secret) => secret.fingerprint == key,
            Self::Public(keys) => keys.iter().any(|one| one.fingerprint == key),
        }
    }

    /// The set whose only key is a secret, for HS256.
    pub(super) fn of_secret(secret: &Secret) -> Self {
        let decoding = DecodingKey::from_secret(secret.expose_secret());
        Self::Secret(Box::new(Key::new(
            Fingerprint::of(secret.expose_secret()),
            None,
            Algorithm::HS256,
            decoding,
        )))
    }

    /// The key that a token names.
    ///
    /// # Errors
    ///
    /// [`TokenError::UnsupportedAlgorithm`] and [`TokenError::UnknownKey`].
    pub(super) fn key_of(&self, header: &TokenHeader) -> Result<&Key, TokenError> {
        match self {
            Self::Secret(key) if key.algorithm == header.algorithm => Ok(key),
            Self::Secret(_) => Err(TokenError::UnsupportedAlgorithm),
            Self::Public(keys) => choose(keys, header),
        }
    }
}

/// The key with the token's `kid`; for a token without `kid`, the only key for its algorithm.
fn choose<'a>(keys: &'a [Key], header: &TokenHeader) -> Result<&'a Key, TokenError> {
    let named = |key: &&Key| header.key_id.is_none() || key.id == header.key_id;
    let mut named = keys.iter().filter(named).peekable();
    if named.peek().is_none() {
        return Err(TokenError::UnknownKey);
    }
    let mut fitting = named.filter(|key| key.algorithm == header.algorithm);
    match (fitting.next(), fitting.next(), &header.key_id) {
        (Some(key), None, _) => Ok(key),
        // The named key is for another algorithm.
        (None, _, Some(_)) => Err(TokenError::UnsupportedAlgorithm),
        // Several keys fit.
        _ => Err(TokenError::UnknownKey),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[(Option<&str>, Algorithm)]) -> KeySet {
        let keys = keys.iter().map(|(id, algorithm)| {
            // These keys are chosen and never used.
            let decoding = DecodingKey::from_ed_der(&[]);
            Key::new(
                Fingerprint::of(&[]),
                id.map(str::to_owned),
                *algorithm,
                decoding,
            )
        });
        KeySet::Public(keys.collect())
    }

    fn chosen(
        set: &KeySet,
        algorithm: Algorithm,
        key_id: Option<&str>,
    ) -> Result<String, TokenError> {
        let header = TokenHeader {
            algorithm,
            key_id: key_id.map(str::to_owned),
        };
        let key = set.key_of(&header)?;
        assert_eq!(key.algorithm, algorithm);
        Ok(key.id.clone().unwrap_or_default())
    }

    #[test]
    fn chooses_a_key_by_its_id() {
        use Algorithm::{ES256, EdDSA, RS256};
        let set = keys(&[
            (Some("a"), RS256),
            (Some("b"), RS256),
            (Some("c"), ES256),
            (None, RS256),
        ]);
        assert_eq!(chosen(&set, RS256, Some("b")).unwrap(), "b");
        assert_eq!(chosen(&set, RS256, Some("d")), Err(TokenError::UnknownKey));
        assert_eq!(chosen(&set, RS256, Some("")), Err(TokenError::UnknownKey));
        assert_eq!(
            chosen(&set, RS256, Some("c")),
            Err(TokenError::UnsupportedAlgorithm)
        );
        // A token without an id needs a single key for its algorithm.
        assert_eq!(chosen(&set, ES256, None).unwrap(), "c");
        assert_eq!(chosen(&set, RS256, None), Err(TokenError::UnknownKey));
        assert_eq!(chosen(&set, EdDSA, None), Err(TokenError::UnknownKey));
    }

    #[test]
    fn distinguishes_keys_of_one_id_by_their_algorithm_only() {
        use Algorithm::{ES256, RS256};
        let set = keys(&[
            (Some("a"), RS256),
            (Some("a"), ES256),
            (Some("b"), ES256),
            (Some("b"), ES256),
        ]);
        assert!(chosen(&set, ES256, Some("a")).is_ok());
        assert_eq!(chosen(&set, ES256, Some("b")), Err(TokenError::UnknownKey));
    }
}
