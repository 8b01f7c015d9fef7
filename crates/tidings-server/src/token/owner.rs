//! The owner that a token names.

use serde_json::Value;
use tidings_event::OwnerId;

use super::error::NoOwner;
use super::raw_claims::RawClaims;

/// The sources of the owner if the subject is not a UUID.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnerRule {
    /// The name of a claim.
    pub(super) claim: Option<Box<str>>,
    /// Whether to derive an owner from issuer and subject.
    pub(super) from_subject: bool,
}

impl OwnerRule {
    /// The owner of a token: its `sub` if that is a UUID, otherwise the named claim if that is a UUID,
    /// otherwise, if allowed, a UUID derived from issuer and subject.
    pub(super) fn owner(&self, claims: &RawClaims) -> Result<OwnerId, NoOwner> {
        let subject = claims.sub.as_deref();
        let own = subject.and_then(OwnerId::of_usual_form);
        // If owners are derived from subjects, a subject in the form of a derived owner is only a name,
        // since anybody can compute the derived owner of another user.
        if let Some(owner) = own.filter(|owner| !(self.from_subject && owner.is_made())) {
            return Ok(owner);
        }
        let claim = self.claim.as_deref();
        let named = claim.and_then(|name| claims.others.get(name));
        if let Some(owner) = named
            .and_then(Value::as_str)
            .and_then(OwnerId::of_usual_form)
        {
            return Ok(owner);
        }
        if self.from_subject {
            let issuer = claims.iss.as_deref().ok_or(NoOwner::Part("iss"))?;
            let subject = subject.filter(|subject| !subject.is_empty());
            let subject = subject.ok_or(NoOwner::Part("sub"))?;
            return Ok(OwnerId::of_subject(issuer, subject));
        }
        Err(match claim {
            Some(name) => NoOwner::Claim(name.into()),
            None => NoOwner::Subject,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "7b1d2c3e-0000-4000-8000-000000000001";
    const TWO: &str = "7b1d2c3e-0000-4000-8000-000000000002";

    fn owner_of(rule: &OwnerRule, claims: &Value) -> Result<String, NoOwner> {
        let claims = serde_json::from_value(claims.clone()).unwrap();
        rule.owner(&claims).map(|owner| owner.to_string())
    }

    fn rule(claim: Option<&str>, from_subject: bool) -> OwnerRule {
        OwnerRule {
            claim: claim.map(Box::from),
            from_subject,
        }
    }

    #[test]
    fn a_subject_cannot_claim_the_derived_owner_of_another() {
        let alices = OwnerId::of_subject("i", "alice").to_string();
        let claims = json!({"iss": "i", "sub": alices});
        let made = owner_of(&rule(None, true), &claims).unwrap();
        assert_ne!(made, alices);
        assert_eq!(made, OwnerId::of_subject("i", &alices).to_string());
        // Without derived owners it is a UUID like any other.
        assert_eq!(owner_of(&rule(None, false), &claims), Ok(alices));
    }

    #[test]
    fn prefers_a_subject_that_is_a_uuid() {
        let claims = json!({"iss": "i", "sub": ONE.to_uppercase(), "tenant": TWO});
        for rule in [rule(None, false), rule(Some("tenant"), true)] {
            assert_eq!(owner_of(&rule, &claims), Ok(ONE.to_owned()));
        }
    }

    #[test]
    fn rejects_other_forms_of_a_uuid_and_nil() {
        for subject in [
            &ONE.replace('-', ""),
            &format!("{{{ONE}}}"),
            &format!("urn:uuid:{ONE}"),
            &format!(" {ONE}"),
            "00000000-0000-0000-0000-000000000000",
            "",
            "alice",
        ] {
            let owner = owner_of(&rule(None, false), &json!({ "sub": subject }));
            assert_eq!(owner, Err(NoOwner::Subject), "{subject}");
        }
        assert_eq!(
            owner_of(&rule(None, false), &json!({})),
            Err(NoOwner::Subject)
        );
    }

    #[test]
    fn reads_the_named_claim_next() {
        let rule = rule(Some("https://x.example/owner"), false);
        let claims = json!({"sub": "alice", "https://x.example/owner": TWO});
        assert_eq!(owner_of(&rule, &claims), Ok(TWO.to_owned()));
        for odd in [json!(null), json!("bob"), json!([TWO]), json!(7)] {
            let rejected = owner_of(&rule, &json!({"https://x.example/owner": odd}));
            let expected = NoOwner::Claim("https://x.example/owner".into());
            assert_eq!(rejected, Err(expected), "{odd}");
        }
    }

    #[test]
    fn derives_an_owner_from_issuer_and_subject() {
        let rule = rule(Some("tenant"), true);
        let of = |issuer: &str, subject: &str| {
            owner_of(&rule, &json!({"iss": issuer, "sub": subject})).unwrap()
        };
        let alice = of("https://id.example", "alice");
        // Events are stored under it, so it must never change. Python's `uuid.uuid5` gives the same.
        assert_eq!(alice, "22f88f7e-c03d-5f41-b813-5cfc38f76390");
        assert_ne!(alice, of("https://id.example", "Alice"));
        assert_ne!(alice, of("https://other.example", "alice"));
        let no_issuer = owner_of(&rule, &json!({"sub": "alice"}));
        assert_eq!(no_issuer, Err(NoOwner::Part("iss")));
        for nobody in [json!(null), json!("")] {
            let rejected = owner_of(&rule, &json!({"iss": "i", "sub": nobody}));
            assert_eq!(rejected, Err(NoOwner::Part("sub")));
        }
    }
}
