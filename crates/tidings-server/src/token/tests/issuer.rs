//! Issuers, which sign tokens.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A signing key and its `kid`.
pub(super) struct Issuer {
    key: SigningKey,
    key_id: Option<&'static str>,
}

enum SigningKey {
    Secret(Vec<u8>),
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// Shared, since generating an RSA key takes a while.
pub(super) static RSA: LazyLock<Issuer> = LazyLock::new(|| Issuer {
    key: SigningKey::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
    key_id: Some("rsa"),
});

impl Issuer {
    pub(super) fn secret(secret: impl Into<Vec<u8>>) -> Self {
        Self {
            key: SigningKey::Secret(secret.into()),
            key_id: None,
        }
    }

    pub(super) fn ec(key_id: Option<&'static str>) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self {
            key: SigningKey::Ec(key),
            key_id,
        }
    }

    pub(super) fn ed(key_id: Option<&'static str>) -> Self {
        Self {
            key: SigningKey::Ed(Ed25519KeyPair::generate().unwrap()),
            key_id,
        }
    }

    pub(super) fn header(&self) -> Value {
        let algorithm = match self.key {
            SigningKey::Secret(_) => "HS256",
            SigningKey::Rsa(_) => "RS256",
            SigningKey::Ec(_) => "ES256",
            SigningKey::Ed(_) => "EdDSA",
        };
        let mut header = json!({"typ": "JWT", "alg": algorithm});
        if let Some(key_id) = self.key_id {
            header["kid"] = json!(key_id);
        }
        header
    }

    pub(super) fn token(&self, claims: &Value) -> String {
        self.token_with(&self.header(), claims)
    }

    pub(super) fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.token_of(&header.to_string(), &claims.to_string())
    }

    pub(super) fn token_of(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encoded(header), encoded(claims));
        format!("{message}.{}", encoded(self.sign(message.as_bytes())))
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            SigningKey::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, message).as_ref().to_vec()
            }
            SigningKey::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            SigningKey::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            SigningKey::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// The key as a JSON Web Key: the public key, or the secret.
    pub(super) fn jwk(&self) -> Value {
        let mut jwk = match &self.key {
            SigningKey::Secret(secret) => json!({"kty": "oct", "k": encoded(secret)}),
            SigningKey::Rsa(key) => {
                let modulus = key.public_key().modulus();
                let exponent = key.public_key().exponent();
                json!({
                    "kty": "RSA",
                    "n": encoded(modulus.big_endian_without_leading_zero()),
                    "e": encoded(exponent.big_endian_without_leading_zero()),
                })
            }
            SigningKey::Ec(key) => {
                // The first byte marks an uncompressed point.
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y)})
            }
            SigningKey::Ed(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(key.public_key())})
            }
        };
        if let Some(key_id) = self.key_id {
            jwk["kid"] = json!(key_id);
        }
        jwk
    }
}

/// The JSON Web Key Set of these issuers.
pub(super) fn jwks(issuers: &[&Issuer]) -> String {
    let keys: Vec<Value> = issuers.iter().map(|issuer| issuer.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
