//! The keys of a JSON Web Key Set (RFC 7517) that verify tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations,
    PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::claims::Fingerprint;
use super::keys::{Key, KeySet};

/// The largest set that is read. Sets of issuers have a few KiB.
pub(super) const MAX_JWKS_BYTES: u64 = 1024 * 1024;

/// The sizes of RSA keys: the minimum of RFC 7518 §3.3 and the maximum of the library.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The bytes of a coordinate on P-256 (RFC 7518 §6.2.1.2) and of an Ed25519 key (RFC 8032 §5.1.5).
const POINT_BYTES: usize = 32;

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum JwksFault {
    /// It is not a JSON object with an array `keys`.
    #[error("it is not a JSON Web Key Set (RFC 7517 §5)")]
    Json(#[source] serde_json::Error),
    /// No key in it can verify a token.
    #[error(
        "none of its {0} keys can be used: give keys for RS256 with 2048 to 8192 bits, ES256 on P-256 or \
         EdDSA on Ed25519, whose `use`, `key_ops` and `alg` allow verification"
    )]
    NoKey(usize),
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// Parses a set. Keys for other purposes and of other kinds (RFC 7517 §5) are skipped, and so are shared
/// secrets, which do not belong among public keys.
///
/// # Errors
///
/// [`JwksFault`], if there is no key left.
pub(super) fn read(json: &[u8]) -> Result<KeySet, JwksFault> {
    let document: Document = serde_json::from_slice(json).map_err(JwksFault::Json)?;
    let number = document.keys.len();
    let keys: Vec<Key> = document.keys.into_iter().filter_map(usable).collect();
    if keys.is_empty() {
        return Err(JwksFault::NoKey(number));
    }
    tracing::debug!(
        usable = keys.len(),
        of = number,
        "read the keys that verify tokens"
    );
    Ok(KeySet::Public(keys))
}

fn usable(json: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(json).ok()?;
    if !verifies(&jwk.common) {
        return None;
    }
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(key) => {
            RSA_BITS.contains(&bits(&key.n)?).then_some(())?;
            (Algorithm::RS256, KeyAlgorithm::RS256)
        }
        AlgorithmParameters::EllipticCurve(key) => {
            let on_curve = key.curve == EllipticCurve::P256;
            (on_curve && is_point(&key.x) && is_point(&key.y)).then_some(())?;
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) => {
            (key.curve == EllipticCurve::Ed25519 && is_point(&key.x)).then_some(())?;
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    let for_it = jwk.common.key_algorithm.is_none_or(|said| said == named);
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    let material = serde_json::to_vec(&jwk.algorithm).ok()?;
    let fingerprint = Fingerprint::of(&material);
    for_it.then(|| Key::new(fingerprint, jwk.common.key_id, algorithm, decoding))
}

/// RFC 7517 §4.2 and §4.3.
fn verifies(key: &CommonParameters) -> bool {
    let for_signatures = matches!(key.public_key_use, None | Some(PublicKeyUse::Signature));
    let operations = key.key_operations.as_ref();
    for_signatures && operations.is_none_or(|all| all.contains(&KeyOperations::Verify))
}

/// The number of bits of a number.
fn bits(base64url: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(base64url).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    let zeros = usize::try_from(bytes[first].leading_zeros()).ok()?;
    Some((bytes.len() - first) * 8 - zeros)
}

fn is_point(base64url: &str) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode(base64url);
    bytes.is_ok_and(|bytes| bytes.len() == POINT_BYTES)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn number_of_keys(set: &Value) -> Result<usize, String> {
        match read(set.to_string().as_bytes()) {
            Ok(KeySet::Public(keys)) => Ok(keys.len()),
            Ok(KeySet::Secret(_)) => panic!("a set has no secret"),
            Err(error) => Err(error.to_string()),
        }
    }

    fn base64url(bytes: usize, first: u8) -> String {
        let mut number = vec![0xa5; bytes];
        number[0] = first;
        URL_SAFE_NO_PAD.encode(number)
    }

    fn rsa(bytes: usize, first: u8) -> Value {
        json!({"kty": "RSA", "n": base64url(bytes, first), "e": "AQAB"})
    }

    fn ec() -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": base64url(32, 1), "y": base64url(32, 2)})
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    #[test]
    fn uses_keys_of_three_kinds() {
        let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(32, 1)});
        for key in [
            rsa(256, 0x80),
            rsa(1024, 0xff),
            // A leading zero does not count.
            rsa(257, 0),
            ec(),
            ed,
            with(ec(), "use", json!("sig")),
            with(ec(), "key_ops", json!(["sign", "verify"])),
            with(ec(), "alg", json!("ES256")),
            with(ec(), "kid", json!("7")),
            with(rsa(256, 0x80), "alg", json!("RS256")),
        ] {
            assert_eq!(number_of_keys(&json!({ "keys": [key] })), Ok(1), "{key}");
        }
    }

    #[test]
    fn skips_other_keys() {
        for key in [
            // A shared secret among public keys.
            json!({"kty": "oct", "k": base64url(32, 1), "alg": "HS256"}),
            rsa(128, 0x80),
            rsa(256, 0x7f),
            rsa(1025, 1),
            json!({"kty": "RSA", "n": "", "e": "AQAB"}),
            json!({"kty": "RSA", "e": "AQAB"}),
            with(rsa(256, 0x80), "alg", json!("PS256")),
            with(rsa(256, 0x80), "alg", json!("HS256")),
            with(rsa(256, 0x80), "alg", json!("something new")),
            with(rsa(256, 0x80), "use", json!("enc")),
            with(rsa(256, 0x80), "use", json!("tls")),
            with(ec(), "key_ops", json!(["sign"])),
            with(ec(), "key_ops", json!([])),
            with(ec(), "crv", json!("P-384")),
            with(ec(), "crv", json!("secp256k1")),
            with(ec(), "x", json!(base64url(31, 1))),
            with(ec(), "alg", json!("ES384")),
            json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(57, 1)}),
            json!({"kty": "OKP", "crv": "X25519", "x": base64url(32, 1)}),
            json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
            json!({"kty": 7}),
            json!("a key"),
        ] {
            assert_eq!(
                number_of_keys(&json!({"keys": [key, ec()]})),
                Ok(1),
                "{key}"
            );
            assert!(number_of_keys(&json!({ "keys": [key] })).is_err(), "{key}");
        }
    }

    #[test]
    fn rejects_json_that_is_not_a_key_set() {
        for odd in [json!({}), json!([]), json!({"keys": {}}), json!(null), ec()] {
            let error = number_of_keys(&odd).unwrap_err();
            assert!(error.contains("not a JSON Web Key Set"), "{odd}: {error}");
        }
        let error = number_of_keys(&json!({"keys": []})).unwrap_err();
        assert!(error.contains("none of its 0 keys"), "{error}");
    }
}
