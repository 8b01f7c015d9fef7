//! What a token says, once its signature is known to be good.

use std::fmt::{self, Write as _};

use jiff::{SignedDuration, Timestamp};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tidings_event::OwnerId;

use super::error::TokenError;
use super::keys::Fingerprint;
use super::owner::OwnerRule;
use super::revocation_list::is_listable;
use super::scopes::Scopes;

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Whose events it is about. That this is not the system is for whoever knows the system's id to
    /// check.
    pub(crate) owner: OwnerId,
    /// What it allows.
    pub(crate) scopes: Scopes,
    /// From when on it is refused: its `exp` and the leeway. A stream that ends then and a client that
    /// comes back with the same token agree that it is over.
    pub(crate) expires: Timestamp,
    /// By which it can be revoked: its `jti`, or, if it has none, what [`digest_id`] makes of it.
    pub(crate) id: Box<str>,
    /// The key that signed it: when that is exchanged, the token is over.
    pub(crate) key: Fingerprint,
}

/// The claims as they are written (RFC 7519 §4.1). One that comes twice is an error, as §4 allows.
#[derive(Debug, Deserialize)]
pub(super) struct RawClaims {
    pub(super) iss: Option<String>,
    pub(super) sub: Option<String>,
    aud: Option<OneOrMore>,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
    jti: Option<String>,
    scope: Option<OneOrMore>,
    scp: Option<OneOrMore>,
    #[serde(flatten, deserialize_with = "without_repeats")]
    pub(super) others: Map<String, Value>,
}

/// The names of [`RawClaims`], which have a meaning already.
pub(super) const KNOWN_CLAIMS: [&str; 8] =
    ["iss", "sub", "aud", "exp", "nbf", "jti", "scope", "scp"];

/// A text or an array of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

/// Claims of any name. `serde_json` would keep the last of two with the same name, and another verifier
/// the first: the owner would depend on who reads the token.
fn without_repeats<'de, D: Deserializer<'de>>(claims: D) -> Result<Map<String, Value>, D::Error> {
    struct Claims;

    impl<'de> Visitor<'de> for Claims {
        type Value = Map<String, Value>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("claims")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut claims: A) -> Result<Self::Value, A::Error> {
            let mut all = Map::new();
            while let Some((name, value)) = claims.next_entry::<String, Value>()? {
                if all.insert(name, value).is_some() {
                    return Err(A::Error::custom("a claim comes twice"));
                }
            }
            Ok(all)
        }
    }

    claims.deserialize_map(Claims)
}

/// Seconds since 1970, with or without a fraction (RFC 7519 §2).
#[derive(Clone, Copy, Debug, PartialEq)]
enum NumericDate {
    /// A time that can be told. What lies before all of them is the first.
    At(Timestamp),
    /// Beyond the year 9999: most likely milliseconds were given.
    TooFar,
}

/// The last second of the year 9999, which some issuers write for "never".
const LAST_SECOND: i64 = 253_402_300_799;

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(value)?;
        let since = match number.as_i64() {
            Some(seconds) => Some(SignedDuration::from_secs(seconds)),
            None => number
                .as_f64()
                .and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok()),
        };
        let time = since.and_then(|since| Timestamp::from_duration(since).ok());
        Ok(match (time, since) {
            (Some(time), _) => Self::At(time),
            (None, Some(since)) if since.is_negative() => Self::At(Timestamp::MIN),
            (None, Some(since)) if since.as_secs() <= LAST_SECOND => Self::At(Timestamp::MAX),
            (None, None) if number.as_f64().is_some_and(f64::is_sign_negative) => {
                Self::At(Timestamp::MIN)
            }
            _ => Self::TooFar,
        })
    }
}

/// What the claims of a token must be.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) issuer: Option<String>,
    pub(super) audience: Vec<String>,
    pub(super) leeway: SignedDuration,
    pub(super) owner: OwnerRule,
}

impl Rules {
    /// Judges the claims of a token whose signature is good.
    ///
    /// # Errors
    ///
    /// Every [`TokenError`] that is about claims, but revocation.
    pub(super) fn judge(
        &self,
        token: &str,
        claims: RawClaims,
        key: Fingerprint,
        now: Timestamp,
    ) -> Result<Claims, TokenError> {
        let expires = self.check_time(&claims, now)?;
        self.check_parties(&claims)?;
        // What could not be written on the revocation list could not be revoked.
        if !claims.jti.as_deref().is_none_or(is_listable) {
            return Err(TokenError::Malformed);
        }
        let owner = self.owner.owner(&claims).map_err(TokenError::NoOwner)?;
        let scopes = [&claims.scope, &claims.scp].into_iter().flatten();
        let names = scopes
            .flat_map(OneOrMore::as_slice)
            .flat_map(|names| names.split(' '));
        Ok(Claims {
            owner,
            scopes: Scopes::known(names),
            expires,
            key,
            id: claims
                .jti
                .unwrap_or_else(|| digest_id(token))
                .into_boxed_str(),
        })
    }

    /// RFC 7519 §4.1.4 and §4.1.5, with the leeway both ways. The time from which on it is refused.
    fn check_time(&self, claims: &RawClaims, now: Timestamp) -> Result<Timestamp, TokenError> {
        let later = |time: Timestamp| time.checked_add(self.leeway).unwrap_or(Timestamp::MAX);
        let expires = match claims.exp.ok_or(TokenError::NoExpiry)? {
            NumericDate::At(expires) => later(expires),
            NumericDate::TooFar => return Err(TokenError::FarExpiry),
        };
        if now >= expires {
            return Err(TokenError::Expired);
        }
        let has_begun = match claims.nbf {
            None => true,
            Some(NumericDate::At(from)) => from <= later(now),
            Some(NumericDate::TooFar) => false,
        };
        if !has_begun {
            return Err(TokenError::NotYetValid);
        }
        Ok(expires)
    }

    /// RFC 7519 §4.1.1 and §4.1.3. A token that says whom it is for is refused by who does not know to be
    /// meant, as the RFC demands; else a token for another service of the same issuer would do here.
    fn check_parties(&self, claims: &RawClaims) -> Result<(), TokenError> {
        if self.issuer.is_some() && self.issuer != claims.iss {
            return Err(TokenError::WrongIssuer);
        }
        let named = claims.aud.as_ref().map(OneOrMore::as_slice);
        let meant = match named {
            Some(named) => named.iter().any(|name| self.audience.contains(name)),
            None => self.audience.is_empty(),
        };
        if meant {
            Ok(())
        } else {
            Err(TokenError::WrongAudience)
        }
    }
}

/// The id of a token that has none: the SHA-256 of what is signed of it. The signature is left out,
/// since with some algorithms others can be made that fit as well.
fn digest_id(token: &str) -> String {
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    let mut id = "sha256:".to_owned();
    for byte in Sha256::digest(signed) {
        // Writing to a `String` cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::token::error::NoOwner;

    const OWNER: &str = "7b1d2c3e-0000-4000-8000-000000000001";
    const NOW: i64 = 1_800_000_000;

    fn rules() -> Rules {
        Rules {
            issuer: None,
            audience: Vec::new(),
            leeway: SignedDuration::from_secs(30),
            owner: OwnerRule::default(),
        }
    }

    /// Judges the claims of a good token, changed by `changes`.
    fn judge(rules: &Rules, changes: &Value) -> Result<Claims, TokenError> {
        let mut claims = json!({"sub": OWNER, "exp": NOW + 60});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let raw = serde_json::from_value(claims).map_err(|_| TokenError::Malformed)?;
        rules.judge(
            "a.b.c",
            raw,
            Fingerprint::of(&[]),
            Timestamp::from_second(NOW).unwrap(),
        )
    }

    #[test]
    fn a_token_ends_at_its_expiry_and_the_leeway() {
        for (expires, accepted) in [
            (json!(NOW + 1), true),
            (json!(NOW), true),
            (json!(NOW - 29), true),
            (json!(NOW as f64 - 29.5), true),
            (json!(NOW as f64 - 30.5), false),
            (json!(NOW - 30), false),
            (json!(NOW - 31), false),
            (json!(0), false),
            (json!(-1), false),
        ] {
            let judged = judge(&rules(), &json!({ "exp": expires }));
            let expected = if accepted {
                Ok(())
            } else {
                Err(TokenError::Expired)
            };
            assert_eq!(judged.map(|_| ()), expected, "{expires}");
        }
        let expires = judge(&rules(), &json!({"exp": NOW})).unwrap().expires;
        assert_eq!(expires.as_second(), NOW + 30);
    }

    #[test]
    fn a_token_begins_at_its_not_before_less_the_leeway() {
        for (from, accepted) in [
            (json!(null), true),
            (json!(NOW), true),
            (json!(NOW + 30), true),
            (json!(NOW as f64 + 30.5), false),
            (json!(NOW + 31), false),
        ] {
            let judged = judge(&rules(), &json!({ "nbf": from }));
            let expected = if accepted {
                Ok(())
            } else {
                Err(TokenError::NotYetValid)
            };
            assert_eq!(judged.map(|_| ()), expected, "{from}");
        }
    }

    #[test]
    fn a_token_must_expire_at_a_time() {
        let refused = judge(&rules(), &json!({"exp": null}));
        assert_eq!(refused, Err(TokenError::NoExpiry));
        for odd in [json!("1800000060"), json!([]), json!(true)] {
            let refused = judge(&rules(), &json!({ "exp": odd }));
            assert_eq!(refused, Err(TokenError::Malformed), "{odd}");
        }
    }

    #[test]
    fn an_expiry_too_far_away_is_refused_for_that() {
        // Milliseconds, and the end of time.
        for far in [
            json!(NOW * 1000),
            json!(LAST_SECOND + 1),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(1e300),
        ] {
            let refused = judge(&rules(), &json!({ "exp": far }));
            assert_eq!(refused, Err(TokenError::FarExpiry), "{far}");
            let refused = judge(&rules(), &json!({ "nbf": far }));
            assert_eq!(refused, Err(TokenError::NotYetValid), "{far}");
        }
        for passed in [json!(i64::MIN), json!(-1e300), json!(-1)] {
            let refused = judge(&rules(), &json!({ "exp": passed }));
            assert_eq!(refused, Err(TokenError::Expired), "{passed}");
            assert!(
                judge(&rules(), &json!({ "nbf": passed })).is_ok(),
                "{passed}"
            );
        }
        // What issuers write for "never".
        for never in [
            json!(253_402_207_200_i64),
            json!(LAST_SECOND),
            json!(9_999_999_999_i64),
        ] {
            assert!(judge(&rules(), &json!({ "exp": never })).is_ok(), "{never}");
        }
    }

    #[test]
    fn the_issuer_is_compared_exactly() {
        let rules = Rules {
            issuer: Some("https://id.example".to_owned()),
            ..rules()
        };
        assert!(judge(&rules, &json!({"iss": "https://id.example"})).is_ok());
        for other in [
            json!(null),
            json!("https://id.example/"),
            json!("HTTPS://id.example"),
            json!(""),
        ] {
            let refused = judge(&rules, &json!({ "iss": other }));
            assert_eq!(refused, Err(TokenError::WrongIssuer), "{other}");
        }
        let refused = judge(&rules, &json!({"iss": ["https://id.example"]}));
        assert_eq!(refused, Err(TokenError::Malformed));
    }

    #[test]
    fn the_audience_has_to_name_this_server() {
        let rules = |audience: &[&str]| Rules {
            audience: audience.iter().map(|name| (*name).to_owned()).collect(),
            ..rules()
        };
        for (ours, theirs, accepted) in [
            (&["tidings", "events"][..], json!("tidings"), true),
            (&["tidings", "events"], json!(["other", "events"]), true),
            (&["tidings"], json!("tidings.example"), false),
            (&["tidings"], json!(["other"]), false),
            (&["tidings"], json!([]), false),
            (&["tidings"], json!(null), false),
            (&[], json!(null), true),
            (&[], json!("other"), false),
        ] {
            let judged = judge(&rules(ours), &json!({ "aud": theirs }));
            let expected = if accepted {
                Ok(())
            } else {
                Err(TokenError::WrongAudience)
            };
            assert_eq!(judged.map(|_| ()), expected, "{ours:?} {theirs}");
        }
    }

    #[test]
    fn scopes_come_as_a_text_or_an_array_under_either_name() {
        for (claims, scopes) in [
            (json!({}), Scopes::NONE),
            (json!({"scope": null}), Scopes::NONE),
            (
                json!({"scope": "openid events:read  events:publish"}),
                Scopes::READ | Scopes::PUBLISH,
            ),
            (json!({"scope": ["events:read", "x"]}), Scopes::READ),
            (json!({"scp": ["events:write"]}), Scopes::WRITE),
            (json!({"scp": "events:admin"}), Scopes::ADMIN),
            (
                json!({"scope": "events:read", "scp": ["events:write"]}),
                Scopes::READ | Scopes::WRITE,
            ),
        ] {
            let judged = judge(&rules(), &claims).unwrap();
            assert_eq!(judged.scopes, scopes, "{claims}");
        }
        assert_eq!(
            judge(&rules(), &json!({"scope": 7})),
            Err(TokenError::Malformed)
        );
    }

    #[test]
    fn an_id_that_could_not_be_revoked_is_refused() {
        let judged = judge(&rules(), &json!({"jti": "a-1"})).unwrap();
        assert_eq!(&*judged.id, "a-1");
        for odd in [
            json!(""),
            json!("two words"),
            json!("#1"),
            json!("x".repeat(257)),
            json!(7),
        ] {
            let refused = judge(&rules(), &json!({ "jti": odd }));
            assert_eq!(refused, Err(TokenError::Malformed), "{odd}");
        }
    }

    #[test]
    fn a_claim_that_comes_twice_is_refused() {
        for twice in [
            r#""exp":1,"exp":1800000060"#,
            r#""exp":1,"tenant":"a","tenant":"b""#,
            r#""exp":1,"tenant":"a","tenant":"a""#,
            // An escape is another spelling of the same name.
            r#""exp":1,"tenant":"a","\u0074enant":"b""#,
        ] {
            let claims = format!(r#"{{"sub":"{OWNER}",{twice}}}"#);
            assert!(
                serde_json::from_str::<RawClaims>(&claims).is_err(),
                "{twice}"
            );
        }
        let nested = format!(r#"{{"sub":"{OWNER}","exp":1,"a":{{"b":1}},"b":2}}"#);
        assert!(serde_json::from_str::<RawClaims>(&nested).is_ok());
    }

    #[test]
    fn a_token_without_an_owner_is_refused() {
        let refused = judge(&rules(), &json!({"sub": "alice"}));
        assert_eq!(refused, Err(TokenError::NoOwner(NoOwner::Subject)));
    }
}
