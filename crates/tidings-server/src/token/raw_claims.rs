//! The claims of a token as they are written (RFC 7519 §4.1).

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The claims as they are written. A repeated claim is an error, as RFC 7519 §4 allows.
#[derive(Debug, Deserialize)]
pub(super) struct RawClaims {
    pub(super) iss: Option<String>,
    pub(super) sub: Option<String>,
    pub(super) aud: Option<OneOrMore>,
    pub(super) exp: Option<NumericDate>,
    pub(super) nbf: Option<NumericDate>,
    pub(super) jti: Option<String>,
    pub(super) scope: Option<OneOrMore>,
    pub(super) scp: Option<OneOrMore>,
    #[serde(flatten, deserialize_with = "without_repeats")]
    pub(super) others: Map<String, Value>,
}

/// A string or an array of strings.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

/// Claims of any name, without repeats. `serde_json` would keep the last of two claims with the same
/// name, and another verifier the first, so the owner would depend on the verifier.
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
                    return Err(A::Error::custom("a claim is repeated"));
                }
            }
            Ok(all)
        }
    }

    claims.deserialize_map(Claims)
}

/// Seconds since 1970, with or without a fraction (RFC 7519 §2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum NumericDate {
    /// A time. One before the first that can be represented becomes the first.
    At(Timestamp),
    /// Beyond the year 9999: most likely milliseconds.
    TooFar,
}

/// The last second of the year 9999, which some issuers write for "never".
pub(super) const LAST_SECOND: i64 = 253_402_300_799;

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

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: &str = "7b1d2c3e-0000-4000-8000-000000000001";

    #[test]
    fn rejects_a_repeated_claim() {
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
}
