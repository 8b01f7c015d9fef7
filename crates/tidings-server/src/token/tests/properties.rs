//! Any text as a token is rejected without a panic, unless an issuer has signed it.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::issuer::{Issuer, RSA, encoded, jwks};
use super::*;

const SECRET: &str = "a secret of more than 32 letters.";

/// Verifiers with a secret and with public keys, and their issuers.
struct World {
    by_secret: Tokens,
    by_keys: Tokens,
    secret: Issuer,
    public: [Issuer; 2],
    _files: TempDir,
    _runtime: tokio::runtime::Runtime,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let files = tempfile::tempdir().unwrap();
    let public = [Issuer::ec(Some("ec")), Issuer::ed(Some("ed"))];
    let jwks = file(&files, "jwks", jwks(&[&public[0], &public[1], &RSA]));
    let secret = file(&files, "secret", SECRET);
    World {
        by_secret: runtime.block_on(open(KeySource::SecretFile(secret))),
        by_keys: runtime.block_on(open(KeySource::JwksFile(jwks))),
        secret: Issuer::secret(SECRET),
        public,
        _files: files,
        _runtime: runtime,
    }
});

impl World {
    /// Each issuer with its verifier.
    fn pairs(&self) -> [(&Issuer, &Tokens); 4] {
        let [ec, ed] = &self.public;
        [
            (&self.secret, &self.by_secret),
            (ec, &self.by_keys),
            (ed, &self.by_keys),
            (&RSA, &self.by_keys),
        ]
    }
}

/// With keys from files, verification never waits.
fn verify(tokens: &Tokens, token: &str) -> Result<Arc<Claims>, TokenError> {
    tokens
        .verify(token)
        .now_or_never()
        .expect("nothing is awaited")
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        Just(json!(OWNER)),
        Just(json!("events:read")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{0,4}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn json_object(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let name = prop::sample::select(names).prop_map(str::to_owned);
    prop::collection::hash_map(name, json_value(), 0..6).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn any_text_is_rejected(text in prop_oneof![".*", "[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]*"]) {
        prop_assert!(verify(&WORLD.by_secret, &text).is_err());
        prop_assert!(verify(&WORLD.by_keys, &text).is_err());
    }

    #[test]
    fn any_header_claims_and_signature_are_rejected(
        header in json_object(&["alg", "kid", "typ", "crit", "jwk", "b64"]),
        algorithm in prop::sample::select(&["HS256", "RS256", "ES256", "EdDSA", "none"][..]),
        signature in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        for header in [header.clone(), with(header, "alg", algorithm)] {
            let parts = [header.to_string(), claims().to_string()].map(encoded);
            let token = format!("{}.{}", parts.join("."), encoded(&signature));
            prop_assert!(verify(&WORLD.by_secret, &token).is_err());
            prop_assert!(verify(&WORLD.by_keys, &token).is_err());
        }
    }

    #[test]
    fn any_signed_claims_are_judged(
        claims in json_object(&["sub", "exp", "nbf", "iss", "aud", "jti", "scope", "scp", "x"]),
    ) {
        let token = WORLD.secret.token(&claims);
        if let Ok(good) = verify(&WORLD.by_secret, &token) {
            prop_assert_eq!(&claims["sub"], &json!(good.owner));
            prop_assert!(claims["exp"].is_number() && claims["aud"].is_null());
            prop_assert!(good.expires > Timestamp::now());
        }
    }

    #[test]
    fn a_token_with_another_letter_anywhere_is_rejected(
        which in 0..4_usize,
        place in any::<prop::sample::Index>(),
        letter in prop_oneof!["[A-Za-z0-9_-]", any::<char>().prop_map(String::from)],
    ) {
        let (issuer, tokens) = WORLD.pairs()[which];
        let token = issuer.token(&claims());
        prop_assert!(verify(tokens, &token).is_ok());
        let place = place.index(token.len());
        let changed = format!("{}{letter}{}", &token[..place], &token[place + 1..]);
        prop_assume!(changed != token);
        prop_assert!(verify(tokens, &changed).is_err(), "{}", changed);
    }
}

#[test]
fn rejects_every_change_of_one_letter() {
    // The last letter of a part has unused bits. They must be zero, or one token would have several
    // spellings.
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/";
    let token = WORLD.secret.token(&claims());
    for place in 0..token.len() {
        for letter in letters {
            let mut changed = token.clone().into_bytes();
            changed[place] = *letter;
            let changed = String::from_utf8(changed).unwrap();
            let judged = verify(&WORLD.by_secret, &changed);
            assert_eq!(judged.is_ok(), changed == token, "{changed}");
        }
    }
}

#[test]
fn rejects_every_truncated_token() {
    for (issuer, tokens) in WORLD.pairs() {
        let token = issuer.token(&claims());
        for end in 0..token.len() {
            assert!(verify(tokens, &token[..end]).is_err());
        }
    }
    // The decoded header names the algorithm.
    let token = WORLD.secret.token(&claims());
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap());
    assert!(
        String::from_utf8(header.unwrap())
            .unwrap()
            .contains("HS256")
    );
}
