//! Test invariants of tokens, revocation lists and key sets; see [`crate::fuzzing`].

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::claims::Fingerprint;
use super::header::TokenHeader;
use super::keys::KeySet;
use super::owner::OwnerRule;
use super::raw_claims::RawClaims;
use super::revocation_list::{self as list, is_listable};
use super::rules::Rules;
use super::scopes::Scopes;
use super::secret::Secret;
use super::{Claims, TokenError, jwks};

/// A random secret, so that the input cannot contain a token that is signed with it.
static SECRET: LazyLock<Secret> = LazyLock::new(|| {
    let line = Secret::new_line().expect("there are random numbers");
    Secret::new(line.as_bytes().to_vec()).expect("it is long enough")
});

/// The secret, and the public keys of RFC 7515, appendices A.2 and A.3, and of RFC 8037, appendix A.2.
/// The tokens that the RFCs sign with these keys have expired.
static KEYS: LazyLock<[KeySet; 2]> = LazyLock::new(|| {
    let public = jwks::read(include_bytes!("fuzzing/rfc_keys.json"));
    [KeySet::of_secret(&SECRET), public.expect("they are keys")]
});

/// Rules that accept any issuer, that accept one issuer, and that derive owners.
static RULES: LazyLock<[Rules; 3]> = LazyLock::new(|| {
    let plain = |owner| Rules {
        issuer: None,
        audience: Vec::new(),
        leeway: SignedDuration::from_secs(30),
        owner,
    };
    let strict = Rules {
        issuer: Some("https://id.example".to_owned()),
        audience: vec!["tidings".to_owned()],
        ..plain(OwnerRule::default())
    };
    let lenient = OwnerRule {
        claim: Some("owner".into()),
        from_subject: true,
    };
    [plain(OwnerRule::default()), strict, plain(lenient)]
});

/// Checks that no untrusted text is accepted as a token. Returns the error for each set of keys.
pub(crate) fn token(data: &[u8]) -> Vec<TokenError> {
    let mut rejected = Vec::new();
    let Ok(text) = std::str::from_utf8(data) else {
        return rejected;
    };
    for keys in &*KEYS {
        let judged = verify(keys, text)
            .and_then(|(raw, key)| RULES[2].judge(text, raw, key, Timestamp::now()));
        match judged {
            Ok(claims) => panic!("{text} is accepted for {}", claims.owner),
            Err(error) => rejected.push(error),
        }
    }
    rejected
}

fn verify(keys: &KeySet, token: &str) -> Result<(RawClaims, Fingerprint), TokenError> {
    let header = TokenHeader::read(token)?;
    let key = keys.key_of(&header)?;
    Ok((key.verify(token)?, key.fingerprint()))
}

/// Checks the claims of a token with a valid signature: an accepted token names an owner, expires in
/// the future, and can be revoked. Returns the errors of the rules that reject it.
pub(crate) fn claims(data: &[u8]) -> Vec<TokenError> {
    let mut rejected = Vec::new();
    let now = Timestamp::now();
    let key_of_secret = Fingerprint::of(SECRET.expose_secret());
    if let Ok(json) = serde_json::from_slice::<Value>(data) {
        let key = EncodingKey::from_secret(SECRET.expose_secret());
        let signed = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &json, &key);
        let signed = signed.expect("JSON can be signed");
        let judge = |(raw, key)| RULES[2].judge(&signed, raw, key, now);
        let by_hand = serde_json::from_value(json).map_err(|_| TokenError::Malformed);
        let by_hand = by_hand.map(|raw| (raw, key_of_secret));
        // Only the rules decide about the claims of a signed token.
        if signed.len() <= super::error::MAX_TOKEN_BYTES {
            let verified = verify(&KEYS[0], &signed).and_then(judge);
            assert_eq!(verified, by_hand.and_then(judge));
        }
    }
    for rules in &*RULES {
        let Ok(raw) = serde_json::from_slice::<RawClaims>(data) else {
            return rejected;
        };
        let subject = raw.sub.clone();
        match rules.judge("a.b.c", raw, key_of_secret, now) {
            Ok(claims) => {
                check_let_in(&claims, now);
                let raw = serde_json::from_slice(data).expect("it was read before");
                let late = rules.judge("a.b.c", raw, key_of_secret, claims.expires);
                assert_eq!(late, Err(TokenError::Expired));
                if rules.owner.claim.is_none() {
                    let subject = subject.expect("it names the owner");
                    assert!(subject.eq_ignore_ascii_case(&claims.owner.to_string()));
                }
            }
            Err(error) => rejected.push(error),
        }
    }
    rejected
}

fn check_let_in(claims: &Claims, now: Timestamp) {
    assert!(claims.expires > now);
    assert!(!claims.owner.is_nil());
    let scopes = claims.scopes.to_string();
    assert_eq!(Scopes::known(scopes.split(' ')), claims.scopes);
    assert!(is_listable(&claims.id));
    let line = list::line(&claims.id, Some(claims.expires));
    let revoked = list::read(line.as_bytes(), now).expect("a line can be read");
    assert_eq!(revoked.keys().collect::<Vec<_>>(), [&claims.id]);
}

/// Checks that a list of revoked tokens is rejected whole, or that each of its ids is in the list when
/// it is written and read again.
pub(crate) fn revocation_list(data: &[u8]) {
    let now = Timestamp::UNIX_EPOCH;
    let Ok(mut read) = list::read(data, now) else {
        return;
    };
    // No token has any of the other ids.
    read.retain(|id, _| is_listable(id));
    let written: String = read
        .iter()
        .map(|(id, until)| list::line(id, *until))
        .collect();
    assert_eq!(list::read(written.as_bytes(), now), Ok(read));
}

/// Checks that an accepted key set has keys, and that verifying a token with them cannot panic.
pub(crate) fn key_set(data: &[u8]) {
    let Ok(keys) = jwks::read(data) else {
        return;
    };
    let KeySet::Public(public) = &keys else {
        panic!("a published key is not a secret");
    };
    assert!(!public.is_empty());
    for algorithm in ["ES256", "RS256", "EdDSA"] {
        let header = URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"{algorithm}\"}}"));
        // The signature can be valid or not, depending on the keys.
        let _ = verify(&keys, &format!("{header}.e30.{}", "A".repeat(86)));
    }
}
