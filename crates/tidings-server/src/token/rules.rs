//! The rules that the claims of a token must fulfil.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tidings_event::SystemId;

use super::claims::{Claims, Fingerprint};
use super::error::TokenError;
use super::owner::OwnerRule;
use super::raw_claims::{NumericDate, OneOrMore, RawClaims};
use super::revocation_list::is_listable;
use super::scopes::Scopes;

/// The rules that the claims of a token must fulfil.
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
    /// Every [`TokenError`] that is about claims, except revocation.
    pub(super) fn judge(
        &self,
        token: &str,
        claims: RawClaims,
        key: Fingerprint,
        now: Timestamp,
    ) -> Result<Claims, TokenError> {
        let expires = self.check_time(&claims, now)?;
        self.check_parties(&claims)?;
        // A token whose id does not fit into the revocation list could not be revoked.
        if !claims.jti.as_deref().is_none_or(is_listable) {
            return Err(TokenError::Malformed);
        }
        let owner = self.owner.owner(&claims).map_err(TokenError::NoOwner)?;
        let system = system(&claims)?;
        let scopes = [&claims.scope, &claims.scp].into_iter().flatten();
        let names = scopes
            .flat_map(OneOrMore::as_slice)
            .flat_map(|names| names.split(' '));
        Ok(Claims {
            owner,
            scopes: Scopes::known(names),
            system,
            expires,
            key,
            id: claims
                .jti
                .unwrap_or_else(|| digest_id(token))
                .into_boxed_str(),
        })
    }

    /// Checks `exp` and `nbf` (RFC 7519 §4.1.4 and §4.1.5) with the leeway both ways. Returns the time
    /// from which on the token is rejected.
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

    /// Checks `iss` and `aud` (RFC 7519 §4.1.1 and §4.1.3). A server without an audience rejects tokens
    /// that name one, as the RFC demands. Otherwise a token for another service of the same issuer would
    /// be accepted.
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

/// The system in the claim `systemId`, if the token has it.
fn system(claims: &RawClaims) -> Result<Option<SystemId>, TokenError> {
    match claims.others.get("systemId") {
        None | Some(Value::Null) => Ok(None),
        Some(given) => {
            let system = given.as_str().and_then(|text| text.parse().ok());
            let system = system.filter(|system: &SystemId| !system.is_nil());
            system.map(Some).ok_or(TokenError::NoSystem)
        }
    }
}

/// The id of a token without `jti`: the SHA-256 of its signed part. The signature is left out, since some
/// algorithms allow several valid signatures.
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
    use crate::token::raw_claims::LAST_SECOND;

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
    fn rejects_a_token_after_its_expiry_and_the_leeway() {
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
    fn accepts_a_token_from_its_not_before_less_the_leeway() {
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
    fn rejects_a_token_without_an_expiry() {
        let rejected = judge(&rules(), &json!({"exp": null}));
        assert_eq!(rejected, Err(TokenError::NoExpiry));
        for odd in [json!("1800000060"), json!([]), json!(true)] {
            let rejected = judge(&rules(), &json!({ "exp": odd }));
            assert_eq!(rejected, Err(TokenError::Malformed), "{odd}");
        }
    }

    #[test]
    fn rejects_an_expiry_beyond_the_year_9999() {
        // Milliseconds, and the end of time.
        for far in [
            json!(NOW * 1000),
            json!(LAST_SECOND + 1),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(1e300),
        ] {
            let rejected = judge(&rules(), &json!({ "exp": far }));
            assert_eq!(rejected, Err(TokenError::FarExpiry), "{far}");
            let rejected = judge(&rules(), &json!({ "nbf": far }));
            assert_eq!(rejected, Err(TokenError::NotYetValid), "{far}");
        }
        for passed in [json!(i64::MIN), json!(-1e300), json!(-1)] {
            let rejected = judge(&rules(), &json!({ "exp": passed }));
            assert_eq!(rejected, Err(TokenError::Expired), "{passed}");
            assert!(
                judge(&rules(), &json!({ "nbf": passed })).is_ok(),
                "{passed}"
            );
        }
        // Expiries that issuers write for "never".
        for never in [
            json!(253_402_207_200_i64),
            json!(LAST_SECOND),
            json!(9_999_999_999_i64),
        ] {
            assert!(judge(&rules(), &json!({ "exp": never })).is_ok(), "{never}");
        }
    }

    #[test]
    fn compares_the_issuer_byte_by_byte() {
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
            let rejected = judge(&rules, &json!({ "iss": other }));
            assert_eq!(rejected, Err(TokenError::WrongIssuer), "{other}");
        }
        let rejected = judge(&rules, &json!({"iss": ["https://id.example"]}));
        assert_eq!(rejected, Err(TokenError::Malformed));
    }

    #[test]
    fn requires_an_audience_that_names_this_server() {
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
    fn reads_scopes_from_a_string_or_an_array_under_either_name() {
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
    fn rejects_an_id_that_cannot_be_revoked() {
        let judged = judge(&rules(), &json!({"jti": "a-1"})).unwrap();
        assert_eq!(&*judged.id, "a-1");
        for odd in [
            json!(""),
            json!("two words"),
            json!("#1"),
            json!("x".repeat(257)),
            json!(7),
        ] {
            let rejected = judge(&rules(), &json!({ "jti": odd }));
            assert_eq!(rejected, Err(TokenError::Malformed), "{odd}");
        }
    }

    #[test]
    fn reads_the_system_that_a_token_publishes_for() {
        let named = "7b1d2c3e-0000-4000-8000-0000000000aa";
        let judged = judge(&rules(), &json!({"systemId": named})).unwrap();
        assert_eq!(
            judged.system.map(|system| system.to_string()).as_deref(),
            Some(named)
        );
        for none in [json!({}), json!({"systemId": null})] {
            assert_eq!(judge(&rules(), &none).unwrap().system, None);
        }
        for odd in [
            json!("node a"),
            json!(""),
            json!("00000000-0000-0000-0000-000000000000"),
            json!([named]),
            json!(7),
        ] {
            let rejected = judge(&rules(), &json!({"systemId": odd}));
            assert_eq!(rejected, Err(TokenError::NoSystem), "{odd}");
        }
    }

    #[test]
    fn rejects_a_token_without_an_owner() {
        let rejected = judge(&rules(), &json!({"sub": "alice"}));
        assert_eq!(rejected, Err(TokenError::NoOwner(NoOwner::Subject)));
    }
}
